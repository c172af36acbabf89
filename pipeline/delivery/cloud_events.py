"""A message as a CloudEvents 1.0 document (structured JSON), and back.

Pure. The same message with the same links gives the same bytes, whatever order a database returned
its JSON in. Equal ``source`` and ``id`` mean the same message: that is how a receiver knows a
repetition.

Source: https://github.com/cloudevents/spec (core 1.0.2, JSON format).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.domain import Message, rfc3339, utc
from pipeline.errors import DeliveryError

MEDIA_TYPE = "application/cloudevents+json"
CONTENT_TYPE = f"{MEDIA_TYPE}; charset=utf-8"
SPEC_VERSION = "1.0"
BODY_LIMIT = 20_000
"""Bytes. Standard Webhooks asks for bodies under 20 kB: pictures go as links."""

Links = Mapping[str, tuple[str, datetime]]
"""Evidence key → (URL, the time in UTC at which it stops working)."""


class MessageTooLarge(DeliveryError):
    """A message does not fit into a body. Trying again cannot help."""


class CloudEventInvalid(DeliveryError):
    """A body is not a CloudEvents 1.0 document of ours."""


@dataclass(frozen=True, slots=True)
class ParsedCloudEvent:
    """What a body says. ``(source, id)`` identifies it; ``time`` is aware and in UTC."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: Mapping[str, Any]


def cloud_event_type(message: Message) -> str:
    """The ``type`` attribute, such as ``cn.brimwatch.event.confirmed.v1``."""
    return f"cn.brimwatch.{message.type.value}.v1"


def encode(message: Message, *, source: str, links: Links) -> bytes:
    """The body to send. ``source`` names the sender: ``urn:brimwatch:<site>``.

    Each item of ``data["evidence"]`` gets its ``url`` and ``url_expires_at`` from ``links``. Raises
    KeyError when a link is missing, MessageTooLarge over `BODY_LIMIT`, ValueError for data that
    JSON cannot carry.
    """
    data = dict(message.data)
    if "evidence" in data:
        data["evidence"] = [_linked(item, links) for item in data["evidence"]]
    document = {
        "specversion": SPEC_VERSION,
        "id": message.message_id,
        "source": source,
        "type": cloud_event_type(message),
        "subject": message.subject,
        "time": rfc3339(message.created_at),
        "datacontenttype": "application/json",
        # Sorted, so that the bytes do not depend on what the database did to the order of keys.
        "data": json.loads(json.dumps(data, sort_keys=True, allow_nan=False)),
    }
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    if len(body) > BODY_LIMIT:
        raise MessageTooLarge(
            f"message {message.message_id} is {len(body)} bytes as a body, "
            f"at most {BODY_LIMIT} are sent",
            hint="shorten the point's name, or send fewer evidence pictures per message",
        )
    return body


def evidence_keys(message: Message) -> tuple[str, ...]:
    """The keys for which `encode` wants links, in the order of the evidence.

    Raises ValueError unless each item of evidence has one.
    """
    evidence = message.data.get("evidence", ())
    try:
        return tuple(item["key"] for item in evidence)
    except (KeyError, TypeError) as error:
        raise ValueError(f"message {message.message_id}: evidence needs keys: {error!r}") from error


def parse(body: bytes) -> ParsedCloudEvent:
    """Read a body. Raises CloudEventInvalid that names the attribute and what was expected."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise CloudEventInvalid(f"the body is not JSON in UTF-8: {error}") from error
    if not isinstance(document, dict):
        raise CloudEventInvalid(f"the body must be a JSON object, got {_kind(document)}")
    version = _text(document, "specversion")
    if version != SPEC_VERSION:
        raise CloudEventInvalid(f"specversion must be {SPEC_VERSION!r}, got {version!r}")
    data = document.get("data")
    if not isinstance(data, dict):
        raise CloudEventInvalid(f"data must be a JSON object, got {_kind(data)}")
    return ParsedCloudEvent(
        id=_text(document, "id"),
        source=_text(document, "source"),
        type=_text(document, "type"),
        subject=_text(document, "subject"),
        time=_time(document),
        data=data,
    )


def _linked(item: Mapping[str, Any], links: Links) -> dict[str, Any]:
    url, expires = links[item["key"]]
    return {**item, "url": url, "url_expires_at": rfc3339(expires)}


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise CloudEventInvalid(f"{name} must be a non-empty string, got {_kind(value)}")
    return value


def _time(document: Mapping[str, Any]) -> datetime:
    text = _text(document, "time")
    try:
        return utc(text)
    except (ValueError, OverflowError) as error:
        raise CloudEventInvalid(
            f"time must be RFC 3339 with an offset, got {text[:40]!r}"
        ) from error


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return "an empty string" if not value else "a string"
    return "an array" if isinstance(value, list) else "something else"
