from __future__ import annotations

import base64
import secrets as random
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from pipeline.delivery.signature import (
    SignatureInvalid,
    Signed,
    check_secret,
    headers,
    new_secret,
    sign,
    verify,
)
from pipeline.errors import ConfigError, DeliveryError

SECRET = new_secret(random.token_bytes(32))
OTHER = new_secret(random.token_bytes(24))
NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
TEXT_BODIES = st.text(st.characters(codec="utf-8")).map(str.encode)
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True)


@given(body=TEXT_BODIES, message_id=IDS)
def test_the_standard_library_accepts_what_we_sign(body: bytes, message_id: str) -> None:
    signed = headers([SECRET], message_id, datetime.now(UTC), body)
    standardwebhooks.Webhook(SECRET).verify(body, signed, json_parse=False)


@given(body=TEXT_BODIES, message_id=IDS, second=st.integers(0, 4_000_000_000))
def test_we_accept_what_the_standard_library_signs(
    body: bytes, message_id: str, second: int
) -> None:
    at = datetime.fromtimestamp(second, UTC)
    theirs = standardwebhooks.Webhook(SECRET).sign(message_id, at, body.decode())
    given_headers = {
        "Webhook-Id": message_id,
        "Webhook-Timestamp": str(second),
        "Webhook-Signature": theirs,
    }
    assert verify([SECRET], given_headers, body, now=at) == Signed(message_id, at)
    assert theirs == sign(SECRET, message_id, second, body)


@given(body=st.binary(min_size=1), position=st.integers(0), bit=st.integers(0, 7))
def test_one_changed_bit_is_noticed(body: bytes, position: int, bit: int) -> None:
    signed = headers([SECRET], "m1", NOW, body)
    changed = bytearray(body)
    changed[position % len(body)] ^= 1 << bit
    with pytest.raises(SignatureInvalid, match="no signature"):
        verify([SECRET], signed, bytes(changed), now=NOW)


def test_either_secret_will_do_while_one_is_being_changed() -> None:
    by_both = headers([OTHER, SECRET], "m1", NOW, b"{}")
    assert verify([SECRET], by_both, b"{}", now=NOW).message_id == "m1"
    by_old = headers([OTHER], "m1", NOW, b"{}")
    assert verify([SECRET, OTHER], by_old, b"{}", now=NOW).message_id == "m1"
    with pytest.raises(SignatureInvalid):
        verify([SECRET], by_old, b"{}", now=NOW)


def test_signatures_of_other_versions_are_passed_over() -> None:
    signed = headers([SECRET], "m1", NOW, b"{}")
    signed["webhook-signature"] = f"v1a,AAAA v1 v1,!! {signed['webhook-signature']}"
    assert verify([SECRET], signed, b"{}", now=NOW).sent_at == NOW


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"webhook-id": ""}, "no header webhook-id"),
        ({"webhook-timestamp": ""}, "no header webhook-timestamp"),
        ({"webhook-signature": ""}, "no header webhook-signature"),
        ({"webhook-id": "m2"}, "no signature"),
        ({"webhook-id": "m.1"}, "not an id"),
        ({"webhook-timestamp": "noon"}, "whole seconds"),
        ({"webhook-timestamp": "-1"}, "whole seconds"),
        ({"webhook-timestamp": "١٢"}, "whole seconds"),
        ({"webhook-timestamp": "999999999999"}, "out of range"),
        ({"webhook-signature": "v1,"}, "no signature"),
        ({"webhook-signature": "v1,AAAA"}, "no signature"),
        ({"webhook-signature": "v1,ü"}, "no signature"),
    ],
)
def test_headers_that_prove_nothing(changes: dict[str, str], reason: str) -> None:
    signed = headers([SECRET], "m1", NOW, b"{}") | changes
    with pytest.raises(SignatureInvalid, match=reason):
        verify([SECRET], signed, b"{}", now=NOW)


@pytest.mark.parametrize(
    "late", [timedelta(minutes=5, seconds=1), -timedelta(minutes=5, seconds=1)]
)
def test_an_attempt_of_another_time_is_refused(late: timedelta) -> None:
    signed = headers([SECRET], "m1", NOW, b"{}")
    with pytest.raises(SignatureInvalid, match=r"301 s (behind|ahead of) our clock"):
        verify([SECRET], signed, b"{}", now=NOW + late)
    almost = NOW + late * (300 / 301)
    assert verify([SECRET], signed, b"{}", now=almost)


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("", "start with whsec_"),
        ("whsec_", "24 to 64 bytes, got 0"),
        ("whsec_not base64!", "base64"),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), "got 23"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), "got 65"),
        ("hunter2hunter2hunter2hunter2", "start with whsec_"),
    ],
)
def test_an_unusable_secret_is_named_but_never_shown(secret: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        check_secret(secret)
    assert "hunter2" not in str(caught.value)
    assert "openssl rand" in caught.value.hint


@given(st.binary(min_size=24, max_size=64))
def test_a_new_secret_is_usable(random_bytes: bytes) -> None:
    check_secret(new_secret(random_bytes))


def test_a_message_id_with_a_dot_is_not_signed() -> None:
    with pytest.raises(ValueError, match="without dots"):
        sign(SECRET, "a.b", 0, b"")


def test_a_bad_signature_is_a_delivery_error() -> None:
    assert issubclass(SignatureInvalid, DeliveryError)
