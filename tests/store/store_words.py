"""Small events, pictures and messages for the stores' tests, with only what a test cares about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.domain import (
    Event,
    EventKind,
    EventState,
    Evidence,
    EvidenceForm,
    EvidenceRole,
    Message,
    MessageType,
    Severity,
)
from pipeline.store import Recording, evidence_key

START = datetime(2026, 6, 1, 23, 59, 59, 123456, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def event(
    event_id: str = "event-1",
    *,
    state: EventState = EventState.CONFIRMED,
    seconds: float = 0,
    point_id: str = "p-1",
    **changed: Any,
) -> Event:
    return Event(
        event_id=event_id,
        kind=EventKind.OVERFLOW,
        point_id=point_id,
        camera_id="c-1",
        zone_id="z-1",
        state=state,
        severity=Severity.MINOR,
        suspected_at=at(seconds),
        **changed,
    )


def picture(
    content: bytes = b"jpeg",
    *,
    role: EvidenceRole = EvidenceRole.CONFIRMED,
    form: EvidenceForm = EvidenceForm.RAW,
    seconds: float = 0,
) -> Evidence:
    key = evidence_key(at(seconds), content)
    return Evidence(key, role, form, key[11:-4], len(content), at(seconds))


def message(
    message_id: str = "message-1",
    *,
    subject: str = "event-1",
    receiver: str = "county",
    sequence: int = 0,
    seconds: float = 0,
    data: Mapping[str, Any] | None = None,
    next_attempt_at: datetime | None = None,
) -> Message:
    return Message(
        message_id=message_id,
        receiver=receiver,
        type=MessageType.EVENT_CONFIRMED,
        subject=subject,
        sequence=sequence,
        created_at=at(seconds),
        data={} if data is None else data,
        next_attempt_at=next_attempt_at,
    )


def told(*messages: Message, event_id: str = "event-1") -> Recording:
    return Recording(event(event_id), messages=messages)
