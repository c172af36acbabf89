"""A delivery with all that is around it, in memory: a story to tell and a clock set by hand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pipeline.delivery.messages import DEFAULT_CODES, event_data
from pipeline.delivery.schedule import Outcome
from pipeline.delivery.sender import Delivery
from pipeline.delivery.signature import new_secret
from pipeline.domain import (
    Event,
    EventKind,
    EventState,
    Evidence,
    EvidenceForm,
    EvidenceRole,
    Message,
    MessageType,
    Point,
    Receiver,
    Severity,
)
from pipeline.store import Recording, evidence_key
from pipeline.store.memory import MemoryEvidence, MemoryLedger
from pipeline.store.sql import SqlLedger

NOON = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
SECRET = new_secret(hashlib.sha256(b"a county's secret, for tests").digest())
POINT = Point("p-07", "人民路小学东侧", "和平社区", "330106001012", 120.1285, 30.2741)


@dataclass
class ManualClock:
    """Stands still until it is moved."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Desk:
    """A delivery with all that is around it, in memory but for the network."""

    clock: ManualClock = field(default_factory=ManualClock)
    ledger: MemoryLedger | SqlLedger = field(default_factory=MemoryLedger)
    evidence: MemoryEvidence = field(default_factory=MemoryEvidence)
    attempts: list[tuple[str, Outcome]] = field(default_factory=list)

    def tell(
        self, *receivers: str, number: int = 1, type_: MessageType = MessageType.EVENT_CONFIRMED
    ) -> list[str]:
        """Record one event and a message about it for each receiver; their ids."""
        picture = f"picture {number}".encode()
        key = evidence_key(NOON, picture)
        self.evidence.put(key, picture)
        cleared = type_ is MessageType.EVENT_CLEARED
        event = overflow(f"event-{number}", EventState.CLEARED if cleared else EventState.CONFIRMED)
        shown = Evidence(
            key,
            EvidenceRole.CONFIRMED,
            EvidenceForm.RAW,
            hashlib.sha256(picture).hexdigest(),
            len(picture),
            NOON,
        )
        data = event_data(event, [shown], POINT, code=DEFAULT_CODES[event.kind], simulated=False)
        messages = [
            Message(
                message_id=f"{event.event_id}-{type_.value.replace('.', '-')}-{receiver}",
                receiver=receiver,
                type=type_,
                subject=event.event_id,
                sequence=2 if cleared else 1,
                created_at=self.clock.now,
                data=data,
            )
            for receiver in receivers
        ]
        self.ledger.record(Recording(event, [shown], messages))
        return [message.message_id for message in messages]

    def delivery(self, *receivers: Receiver, **options: object) -> Delivery:
        settings: dict[str, object] = {
            "source": "urn:brimwatch:test",
            "clock": self.clock,
            "random": lambda: 0.0,
            "on_attempt": lambda message, outcome: self.attempts.append(
                (message.message_id, outcome)
            ),
        }
        named = {receiver.name: receiver for receiver in receivers}
        return Delivery(self.ledger, self.evidence, named, **(settings | options))  # type: ignore[arg-type]

    def message(self, message_id: str) -> Message:
        return next(m for m in self.ledger.messages() if m.message_id == message_id)


def overflow(event_id: str, state: EventState = EventState.CONFIRMED) -> Event:
    return Event(
        event_id=event_id,
        kind=EventKind.OVERFLOW,
        point_id=POINT.point_id,
        camera_id="p-07-a",
        zone_id="bin-1",
        state=state,
        severity=Severity.MINOR,
        suspected_at=NOON - timedelta(minutes=4),
        confirmed_at=NOON - timedelta(minutes=1),
        cleared_at=NOON if state is EventState.CLEARED else None,
        peak_belief=0.9931,
        confidence=0.87,
        model_hash="9f2c" * 16,
    )


def receiver(name: str, url: str, *, timeout_s: float = 5.0) -> Receiver:
    return Receiver(name, url, SECRET, timeout_s)
