"""Makes a transition durable: evidence first, then event, evidence rows, messages and checkpoint in
one transaction.

What cannot be written now (a full disk, a store that is away) is kept in order in memory and tried
again at the next chance; nothing recorded later overtakes it. Until it is written, the camera's
checkpoint stays behind it, so a crash meanwhile leads back to before the decision, never past it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from pipeline.domain import (
    Event,
    EventState,
    Evidence,
    EvidenceForm,
    EvidenceRole,
    Message,
)
from pipeline.errors import StoreError
from pipeline.events import Transition
from pipeline.store import Checkpoint, EvidenceStore, Ledger, Recording, evidence_key

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Picture:
    """One moment of a zone as two JPEGs: as it came, and with zone and boxes drawn in."""

    captured_at: datetime
    raw: bytes
    annotated: bytes


@dataclass(frozen=True, slots=True)
class _Decision:
    transition: Transition
    pictures: tuple[tuple[EvidenceRole, Picture], ...]
    message_ids: Mapping[str, str]
    decided_at: datetime
    checkpoint: Checkpoint


class Recorder:
    """Writes decisions, in the order in which they come, each once.

    ``receivers``: who is told. ``describe`` makes a message's data. ``on_recorded`` is called after
    each decision that is in the ledger. Safe to call from several threads.
    """

    def __init__(
        self,
        ledger: Ledger,
        evidence: EvidenceStore,
        *,
        receivers: Sequence[str],
        describe: Callable[[Event, Sequence[Evidence]], Mapping[str, Any]],
        new_id: Callable[[datetime], str],
        clock: Callable[[], datetime],
        on_recorded: Callable[[Transition], None],
    ) -> None:
        self._ledger = ledger
        self._evidence = evidence
        self._receivers = tuple(receivers)
        self._describe = describe
        self._new_id = new_id
        self._clock = clock
        self._on_recorded = on_recorded
        self._waiting: deque[_Decision] = deque()
        self._lock = threading.Lock()
        self._told = ""

    def record(
        self,
        transition: Transition,
        pictures: Sequence[tuple[EvidenceRole, Picture]],
        checkpoint: Checkpoint,
    ) -> None:
        """Write a decision now, or keep it until it can be written. Never raises StoreError."""
        now = self._clock()
        told = self._receivers if transition.message is not None else ()
        ids = {receiver: self._new_id(now) for receiver in told}
        with self._lock:
            self._waiting.append(_Decision(transition, tuple(pictures), ids, now, checkpoint))
        self.flush()

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep where a camera stands, unless an earlier decision still waits to be written."""
        if not self.flush():
            return
        try:
            self._ledger.save_checkpoint(checkpoint)
        except StoreError as error:
            log.warning("checkpoint_waits", camera_id=checkpoint.camera_id, error=str(error))

    @property
    def waiting(self) -> int:
        """How many decisions are not in the ledger yet."""
        return len(self._waiting)

    def flush(self) -> bool:
        """Try to write what waits, oldest first. True when nothing is left waiting."""
        with self._lock:
            while self._waiting:
                decision = self._waiting[0]
                try:
                    self._write(decision)
                except StoreError as error:
                    self._tell(decision, error)
                    return False
                self._waiting.popleft()
                self._told = ""
                self._on_recorded(decision.transition)
        return True

    def _tell(self, decision: _Decision, error: StoreError) -> None:
        """Say what waits and why: again only when that has changed."""
        waiting = len(self._waiting)
        if f"{waiting} {error}" == self._told:
            return
        self._told = f"{waiting} {error}"
        log.error(
            "decision_waits",
            event_id=decision.transition.event.event_id,
            waiting=waiting,
            error=str(error),
        )

    def _write(self, decision: _Decision) -> None:
        event, message = decision.transition.event, decision.transition.message
        new = [row for role, picture in decision.pictures for row in self._stored(role, picture)]
        messages: list[Message] = []
        if message is not None:
            data = self._describe(event, [*self._known(event), *new])
            messages = [
                Message(
                    message_id=message_id,
                    receiver=receiver,
                    type=message,
                    subject=event.event_id,
                    sequence=decision.transition.sequence,
                    created_at=decision.decided_at,
                    data=data,
                    next_attempt_at=decision.decided_at,
                )
                for receiver, message_id in decision.message_ids.items()
            ]
        self._ledger.record(Recording(event, new, messages, decision.checkpoint))

    def _stored(self, role: EvidenceRole, picture: Picture) -> list[Evidence]:
        rows = []
        for form, content in (
            (EvidenceForm.RAW, picture.raw),
            (EvidenceForm.ANNOTATED, picture.annotated),
        ):
            stored = self._evidence.put(evidence_key(picture.captured_at, content), content)
            rows.append(
                Evidence(stored.key, role, form, stored.sha256, stored.size, picture.captured_at)
            )
        return rows

    def _known(self, event: Event) -> Sequence[Evidence]:
        """The evidence rows that are in the ledger already."""
        if event.state is EventState.SUSPECTED:
            return ()
        record = self._ledger.event(event.event_id)
        return record.evidence if record is not None else ()
