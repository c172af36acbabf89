"""Makes a transition durable: evidence first, then event, evidence rows, messages and checkpoint in
one transaction.

What cannot be written now (a full disk, a store that is away) waits in order in the spool, on local
disk, and is tried again at the next chance; nothing recorded later overtakes it. Without a spool, or
when its disk is full too, it waits in memory: the camera's checkpoint then stays behind it, so that a
crash meanwhile leads back to before the decision, never past it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
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
from pipeline.engine.decision import Decision, Picture
from pipeline.engine.spool import Spool
from pipeline.errors import StoreError
from pipeline.events import Transition
from pipeline.store import Checkpoint, EvidenceStore, Ledger, Recording, evidence_key

log = structlog.get_logger(__name__)


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
        spool: Spool | None = None,
    ) -> None:
        self._ledger = ledger
        self._evidence = evidence
        self._receivers = tuple(receivers)
        self._describe = describe
        self._new_id = new_id
        self._clock = clock
        self._on_recorded = on_recorded
        self._spool = spool
        self._unspooled: deque[Decision] = deque()  # behind all that is in the spool
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
        decision = Decision(transition, tuple(pictures), ids, now, checkpoint)
        with self._lock:
            if self._drain():
                try:
                    self._write(decision)
                except StoreError as error:
                    self._keep(decision)
                    self._tell(decision, error)
                else:
                    self._written(decision)
            else:
                self._keep(decision)

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
        return len(self._unspooled) + (len(self._spool) if self._spool is not None else 0)

    def waiting_checkpoint(self, camera_id: str) -> Checkpoint | None:
        """Where a camera stood at its newest decision in the spool: newer than the ledger knows."""
        return self._spool.checkpoints.get(camera_id) if self._spool is not None else None

    def flush(self) -> bool:
        """Try to write what waits, oldest first. True when nothing is left waiting."""
        with self._lock:
            return self._drain()

    def _drain(self) -> bool:
        while (decision := self._oldest()) is not None:
            try:
                self._write(decision)
                self._forget_oldest()
            except StoreError as error:
                self._tell(decision, error)
                return False
            self._written(decision)
        return True

    def _oldest(self) -> Decision | None:
        spooled = self._spool.oldest() if self._spool is not None else None
        if spooled is not None:
            return spooled
        return self._unspooled[0] if self._unspooled else None

    def _forget_oldest(self) -> None:
        if self._spool is not None and len(self._spool):
            self._spool.remove_oldest()
        else:
            self._unspooled.popleft()

    def _keep(self, decision: Decision) -> None:
        """Keep a decision behind all that wait: on disk if that can be, else in memory."""
        if self._spool is not None and not self._unspooled:
            try:
                self._spool.add(decision)
            except StoreError as error:
                log.error(
                    "spool_away", event_id=decision.transition.event.event_id, error=str(error)
                )
            else:
                return
        self._unspooled.append(decision)

    def _written(self, decision: Decision) -> None:
        self._told = ""
        self._on_recorded(decision.transition)

    def _tell(self, decision: Decision, error: StoreError) -> None:
        """Say what waits and why: again only when that has changed."""
        waiting = self.waiting
        if f"{waiting} {error}" == self._told:
            return
        self._told = f"{waiting} {error}"
        log.error(
            "decision_waits",
            event_id=decision.transition.event.event_id,
            waiting=waiting,
            error=str(error),
        )

    def _write(self, decision: Decision) -> None:
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
            if content is None:
                continue
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
