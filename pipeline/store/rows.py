"""Between the ledger's rows and the words: one function a table and direction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from pipeline.domain import (
    Event,
    EventKind,
    EventState,
    Evidence,
    EvidenceForm,
    EvidenceRole,
    Message,
    MessageState,
    MessageType,
    Severity,
)
from pipeline.store import Checkpoint
from pipeline.store.text import readable


def event_to_row(event: Event) -> dict[str, Any]:
    """As a row of ``events``."""
    return {
        "event_id": event.event_id,
        "kind": event.kind.value,
        "point_id": event.point_id,
        "camera_id": event.camera_id,
        "zone_id": event.zone_id,
        "state": event.state.value,
        "severity": event.severity.value,
        "suspected_at": event.suspected_at,
        "confirmed_at": event.confirmed_at,
        "cleared_at": event.cleared_at,
        "ended_at": event.ended_at,
        "peak_belief": event.peak_belief,
        "confidence": event.confidence,
        "model_hash": event.model_hash,
    }


def event_from_row(row: Row[Any]) -> Event:
    """From a row of ``events``."""
    return Event(
        event_id=row.event_id,
        kind=EventKind(row.kind),
        point_id=row.point_id,
        camera_id=row.camera_id,
        zone_id=row.zone_id,
        state=EventState(row.state),
        severity=Severity(row.severity),
        suspected_at=row.suspected_at,
        confirmed_at=row.confirmed_at,
        cleared_at=row.cleared_at,
        ended_at=row.ended_at,
        peak_belief=row.peak_belief,
        confidence=row.confidence,
        model_hash=row.model_hash,
    )


def evidence_to_row(evidence: Evidence, event_id: str) -> dict[str, Any]:
    """As a row of ``evidence``, of one event."""
    return {
        "event_id": event_id,
        "role": evidence.role.value,
        "form": evidence.form.value,
        "key": evidence.key,
        "sha256": evidence.sha256,
        "size": evidence.size,
        "captured_at": evidence.captured_at,
        "media_type": evidence.media_type,
    }


def evidence_from_row(row: Row[Any]) -> Evidence:
    """From a row of ``evidence``."""
    return Evidence(
        key=row.key,
        role=EvidenceRole(row.role),
        form=EvidenceForm(row.form),
        sha256=row.sha256,
        size=row.size,
        captured_at=row.captured_at,
        media_type=row.media_type,
    )


def message_to_row(message: Message) -> dict[str, Any]:
    """As a row of ``messages``."""
    return {
        "message_id": message.message_id,
        "receiver": message.receiver,
        "type": message.type.value,
        "subject": message.subject,
        "sequence": message.sequence,
        "created_at": message.created_at,
        "data": dict(message.data),
        "state": message.state.value,
        "attempts": message.attempts,
        "next_attempt_at": message.next_attempt_at,
        "delivered_at": message.delivered_at,
        "last_error": readable(message.last_error),
    }


def message_from_row(row: Row[Any]) -> Message:
    """From a row of ``messages``."""
    return Message(
        message_id=row.message_id,
        receiver=row.receiver,
        type=MessageType(row.type),
        subject=row.subject,
        sequence=row.sequence,
        created_at=row.created_at,
        data=row.data,
        state=MessageState(row.state),
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        delivered_at=row.delivered_at,
        last_error=row.last_error,
    )


def checkpoint_to_row(checkpoint: Checkpoint) -> dict[str, Any]:
    """As a row of ``checkpoints``."""
    return {
        "camera_id": checkpoint.camera_id,
        "as_of": checkpoint.as_of,
        "state": dict(checkpoint.state),
    }


def checkpoint_from_row(row: Row[Any]) -> Checkpoint:
    """From a row of ``checkpoints``."""
    return Checkpoint(camera_id=row.camera_id, as_of=row.as_of, state=row.state)
