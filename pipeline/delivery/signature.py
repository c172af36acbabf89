"""Signatures as Standard Webhooks 1.0.0 has them: who sent a body, and that nobody changed it.

The signature is an HMAC-SHA256 with a shared secret over ``id.timestamp.body``. It travels in three
headers: ``webhook-id`` (the same over all attempts), ``webhook-timestamp`` (seconds since 1970 UTC,
of this attempt) and ``webhook-signature`` (one or more ``v1,<base64>``, separated by spaces:
several while a secret is being changed).

Source of the constants: specification 1.0.0 in
https://github.com/standard-webhooks/standard-webhooks
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipeline.errors import ConfigError, DeliveryError

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"

TOLERANCE = timedelta(minutes=5)
"""How far a timestamp may be from the reader's clock, either way, before it counts as a replay."""

_PREFIX = "whsec_"
_VERSION = "v1"
_KEY_BYTES = range(24, 64 + 1)
_HINT = "make one with: openssl rand -base64 32, and put whsec_ before it"
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_LONGEST_ID = 256
_MOST_SIGNATURES = 16


class SignatureInvalid(DeliveryError):
    """The headers do not prove that a known sender made this body just now."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What verified headers say: the message's id, and when this attempt was made (UTC)."""

    message_id: str
    sent_at: datetime


def new_secret(random_bytes: bytes) -> str:
    """A secret (``whsec_…``) of 24 to 64 random bytes; 32 is a good number.

    >>> new_secret(bytes(24))
    'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

    Raises ConfigError for another number of bytes.
    """
    secret = _PREFIX + base64.b64encode(random_bytes).decode("ascii")
    check_secret(secret)
    return secret


def check_secret(secret: str) -> None:
    """Raise ConfigError unless this is a usable secret. The message never shows the secret."""
    _key(secret)


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature`` for one secret: ``v1,<base64>``. ``timestamp`` in seconds.

    Raises ConfigError for an unusable secret, ValueError for an id that is empty or holds a dot or
    white space: with a dot in it, one signature would fit two messages.
    """
    if not _is_id(message_id):
        raise ValueError(
            f"a message id must be 1 to {_LONGEST_ID} characters without dots or white space, "
            f"got {message_id!r}"
        )
    return (
        f"{_VERSION},{base64.b64encode(_mac(_key(secret), message_id, timestamp, body)).decode()}"
    )


def headers(secrets: Sequence[str], message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The three headers for one attempt, signed with each of ``secrets``."""
    timestamp = int(now.timestamp())
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: " ".join(sign(secret, message_id, timestamp, body) for secret in secrets),
    }


def verify(
    secrets: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> Signed:
    """Check a body against its headers (any case) with each secret that is valid at present.

    Raises SignatureInvalid with the reason, ConfigError for an unusable secret of ours.
    """
    keys = [_key(secret) for secret in secrets]
    given = {name.lower(): value for name, value in headers.items()}
    missing = [n for n in (ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER) if not given.get(n)]
    if missing:
        raise SignatureInvalid(f"the request has no header {', '.join(missing)}")

    message_id = given[ID_HEADER]
    if not _is_id(message_id):
        raise SignatureInvalid(f"{ID_HEADER} is not an id: {message_id[:_LONGEST_ID]!r}")
    sent_at = _sent_at(given[TIMESTAMP_HEADER], now, tolerance)
    wanted = [_mac(key, message_id, int(given[TIMESTAMP_HEADER]), body) for key in keys]
    offered = _signatures(given[SIGNATURE_HEADER])
    # Every pair is compared, so that the time taken tells nothing about which secret came close.
    matches = [hmac.compare_digest(mine, theirs) for mine in wanted for theirs in offered]
    if not any(matches):
        raise SignatureInvalid(
            f"no signature in {SIGNATURE_HEADER} fits this body and our secret",
            hint="both sides need the same secret, and the body must be read as raw bytes",
        )
    return Signed(message_id, sent_at)


def _is_id(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_ID and "." not in text and not re.search(r"\s", text)


def _key(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        raise ConfigError(
            f"a signing secret must start with {_PREFIX}, got {len(secret)} characters that do not",
            hint=_HINT,
        )
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError(
            f"a signing secret must be base64 after {_PREFIX}: {error}", hint=_HINT
        ) from error
    if len(key) not in _KEY_BYTES:
        raise ConfigError(
            f"a signing secret must hold {_KEY_BYTES[0]} to {_KEY_BYTES[-1]} bytes, got {len(key)}",
            hint=_HINT,
        )
    return key


def _mac(key: bytes, message_id: str, timestamp: int, body: bytes) -> bytes:
    return hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()


def _sent_at(text: str, now: datetime, tolerance: timedelta) -> datetime:
    if not _SECONDS.fullmatch(text):
        raise SignatureInvalid(f"{TIMESTAMP_HEADER} must be whole seconds, got {text[:40]!r}")
    try:
        sent_at = datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise SignatureInvalid(f"{TIMESTAMP_HEADER} is out of range: {text}") from error
    if abs(sent_at - now) > tolerance:
        raise SignatureInvalid(
            f"{TIMESTAMP_HEADER} is {abs(sent_at - now).total_seconds():.0f} s "
            f"{'behind' if sent_at < now else 'ahead of'} our clock, "
            f"at most {tolerance.total_seconds():.0f} s is accepted",
            hint="keep both clocks right (NTP); an old request must not be played again",
        )
    return sent_at


def _signatures(text: str) -> list[bytes]:
    found = []
    for part in text.split()[:_MOST_SIGNATURES]:
        version, _, value = part.partition(",")
        if version != _VERSION:
            continue
        try:
            found.append(base64.b64decode(value, validate=True))
        except (binascii.Error, ValueError):
            continue
    return found
