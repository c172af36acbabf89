from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from delivery_desk import NOON, POINT, Desk, overflow
from hypothesis import given
from hypothesis import strategies as st

from pipeline.delivery.cloud_events import (
    BODY_LIMIT,
    CloudEventInvalid,
    MessageTooLarge,
    ParsedCloudEvent,
    encode,
    evidence_keys,
    parse,
)
from pipeline.delivery.messages import DEFAULT_CODES, EventCode, event_data
from pipeline.domain import EventKind, Message, MessageType

SOURCE = "urn:brimwatch:hehe-street"
LATER = NOON + timedelta(days=7)


def told(type_: MessageType = MessageType.EVENT_CONFIRMED) -> Message:
    desk = Desk()
    (message_id,) = desk.tell("county", type_=type_)
    return desk.message(message_id)


def linked(message: Message) -> dict[str, tuple[str, object]]:
    return {key: (f"https://pictures.example/{key}", LATER) for key in evidence_keys(message)}


def body_of(message: Message) -> bytes:
    return encode(message, source=SOURCE, links=linked(message))  # type: ignore[arg-type]


def test_a_confirmed_event_as_the_county_gets_it() -> None:
    message = told()
    document = json.loads(body_of(message))
    data = document.pop("data")
    assert document == {
        "specversion": "1.0",
        "id": message.message_id,
        "source": SOURCE,
        "type": "cn.brimwatch.event.confirmed.v1",
        "subject": "event-1",
        "time": "2026-06-01T04:00:00Z",
        "datacontenttype": "application/json",
    }
    (picture,) = data.pop("evidence")
    assert data == {
        "event_id": "event-1",
        "kind": "overflow",
        "kind_name": "垃圾满溢",
        "point": {
            "id": "p-07",
            "name": "人民路小学东侧",
            "community": "和平社区",
            "grid_code": "330106001012",
        },
        "location": {"longitude": 120.1285, "latitude": 30.2741, "datum": "WGS84"},
        "camera_id": "p-07-a",
        "zone_id": "bin-1",
        "class_code": {
            "standard_ref": "GB/T 47678.5-2026",
            "code": "06042",
            "name": "垃圾站（箱）满溢",
        },
        "state": "confirmed",
        "severity": "minor",
        "severity_name": "小事",
        "confidence": 0.87,
        "peak_belief": 0.9931,
        "suspected_at": "2026-06-01T03:56:00Z",
        "confirmed_at": "2026-06-01T03:59:00Z",
        "cleared_at": None,
        "model_hash": "9f2c" * 16,
        "simulated": False,
    }
    assert picture == {
        "role": "confirmed",
        "form": "raw",
        "key": picture["key"],
        "sha256": picture["key"].split("/")[-1].removesuffix(".jpg"),
        "size": 9,
        "media_type": "image/jpeg",
        "captured_at": "2026-06-01T04:00:00Z",
        "url": f"https://pictures.example/{picture['key']}",
        "url_expires_at": "2026-06-08T04:00:00Z",
    }


@pytest.mark.parametrize("type_", MessageType)
def test_every_type_of_message_has_a_name_of_its_own(type_: MessageType) -> None:
    assert parse(body_of(told(type_))).type == f"cn.brimwatch.{type_.value}.v1"


def test_the_link_is_in_the_body_only_and_not_kept_in_the_message() -> None:
    message = told()
    body_of(message)
    assert "url" not in message.data["evidence"][0]


def test_a_county_without_a_code_for_it_gets_none() -> None:
    event = overflow("e")
    assert event_data(event, [], POINT, code=None, simulated=True)["class_code"] is None
    own = event_data(event, [], POINT, code=EventCode("某市", "01-98", "垃圾满溢"), simulated=True)
    assert own["class_code"] == {"standard_ref": "某市", "code": "01-98", "name": "垃圾满溢"}
    assert own["simulated"] is True
    assert set(DEFAULT_CODES) == set(EventKind)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(
    data=st.dictionaries(st.text(max_size=9).filter(lambda k: k != "evidence"), JSON, max_size=6)
)
def test_what_is_encoded_is_parsed_back_whatever_the_order_of_keys(data: dict[str, object]) -> None:
    message = replace(told(), data=data)
    shuffled = replace(message, data=dict(reversed(data.items())))
    body = encode(message, source=SOURCE, links={})
    assert body == encode(shuffled, source=SOURCE, links={})
    assert parse(body) == ParsedCloudEvent(
        message.message_id, SOURCE, "cn.brimwatch.event.confirmed.v1", "event-1", NOON, data
    )


def test_a_body_over_20_kb_is_refused_before_it_is_sent() -> None:
    message = replace(told(), data={"note": "满" * (BODY_LIMIT // 3)})
    with pytest.raises(MessageTooLarge, match=f"at most {BODY_LIMIT}"):
        encode(message, source=SOURCE, links={})


def test_evidence_without_a_key_is_no_message() -> None:
    with pytest.raises(ValueError, match="evidence needs keys"):
        evidence_keys(replace(told(), data={"evidence": [{"role": "before"}]}))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"specversion": "0.3"}, "specversion must be '1.0', got '0.3'"),
        ({"specversion": None}, "specversion must be a non-empty string, got nothing"),
        ({"id": ""}, "id must be a non-empty string, got an empty string"),
        ({"id": 7}, "id must be a non-empty string, got something else"),
        ({"source": None}, "source must be"),
        ({"type": []}, "type must be a non-empty string, got an array"),
        ({"subject": None}, "subject must be"),
        ({"time": "2026-06-01T04:00:00"}, "RFC 3339 with an offset"),
        ({"time": "noon"}, "RFC 3339 with an offset"),
        ({"data": "text"}, "data must be a JSON object, got a string"),
    ],
)
def test_a_broken_cloud_event_is_told_what_is_wrong(
    changes: dict[str, object], reason: str
) -> None:
    document = json.loads(body_of(told())) | changes
    with pytest.raises(CloudEventInvalid, match=reason):
        parse(json.dumps(document).encode())


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[1]", b"null", b"{", b"[" * 100_000])
def test_what_is_no_cloud_event_at_all(body: bytes) -> None:
    with pytest.raises(CloudEventInvalid):
        parse(body)


@given(st.binary())
def test_any_bytes_are_parsed_or_refused(body: bytes) -> None:
    with pytest.raises(CloudEventInvalid):
        parse(body)
