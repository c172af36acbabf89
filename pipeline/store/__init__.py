"""What the engine, the delivery and the service want of storage, as protocols and values.

Two stores: the *evidence store* keeps pictures (a folder, or S3/MinIO), the *ledger* keeps events,
evidence rows, messages and checkpoints (SQL). Evidence goes first, then everything that one decision
says goes into the ledger in ONE transaction: see `Recording`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from pipeline.domain import Event, EventState, Evidence, Message, MessageState


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """What an evidence store says of a picture it holds: its key, SHA-256 (hex) and bytes."""

    key: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class ListedEvidence:
    """A picture as an evidence store lists it. ``put_at`` (UTC): when it was last put."""

    key: str
    size: int
    put_at: datetime


class EvidenceStore(Protocol):
    """Keeps pictures under content-addressed keys: putting the same twice is one picture."""

    def put(self, key: str, content: bytes) -> StoredEvidence:
        """Store ``content`` durably before returning.

        Raises StoreFull when no space is left, StoreUnavailable when the store does not answer or
        refuses us. Putting the same key again is safe.
        """
        ...

    def get(self, key: str) -> bytes:
        """The bytes, checked against the SHA-256 in the key. Raises EvidenceDamaged."""
        ...

    def url(self, key: str, lifetime: timedelta) -> str:
        """A link that a receiver can open for ``lifetime``."""
        ...

    def check(self) -> None:
        """Raise StoreFull or StoreUnavailable, with a hint, unless evidence can be put now."""
        ...

    def listing(self) -> Iterator[ListedEvidence]:
        """Every picture, in the order of keys, read page by page as it is asked for.

        What was put or removed meanwhile may be in it or not. Names that are no evidence keys are
        passed over. Raises StoreUnavailable.
        """
        ...

    def remove(self, key: str, *, put_before: datetime) -> bool:
        """Remove a picture unless it was put again since ``put_before``; whether it was removed.

        False also when it is not there. Raises StoreUnavailable.
        """
        ...


def evidence_key(captured_at: datetime, content: bytes) -> str:
    """The content-addressed key of a picture: day (UTC) and SHA-256, so equal bytes share a key.

    >>> from datetime import UTC
    >>> evidence_key(datetime(2026, 6, 1, tzinfo=UTC), b"")[:16]
    '2026/06/01/e3b0c'
    """
    return f"{captured_at:%Y/%m/%d}/{hashlib.sha256(content).hexdigest()}.jpg"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where one camera's decisions stand, to be taken up after a restart.

    ``as_of`` (UTC): the last frame that is in it; ``state``: JSON-able, the engine's own.
    """

    camera_id: str
    as_of: datetime
    state: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recording:
    """All that one decision writes. It is in the ledger whole, or not at all.

    ``event`` replaces the row of the same id; ``evidence`` rows are added (one already there is left
    as it is); ``messages`` go into the outbox; ``checkpoint`` replaces the camera's.
    """

    event: Event
    evidence: Sequence[Evidence] = ()
    messages: Sequence[Message] = ()
    checkpoint: Checkpoint | None = None


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event as the ledger has it, with its evidence and its messages, oldest first."""

    event: Event
    evidence: tuple[Evidence, ...] = ()
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events to list, newest suspicion first.

    ``states`` empty: all but suspected and dismissed ones (a suspicion that passed is no news).
    ``before``: the ``(suspected_at, event_id)`` of the last row of the page before.
    """

    states: frozenset[EventState] = field(default_factory=frozenset)
    point_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: tuple[datetime, str] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One row of evidence and the event that it belongs to."""

    event_id: str
    evidence: Evidence


class Ledger(Protocol):
    """Keeps events and where each camera stands. Errors: StoreFull, StoreUnavailable."""

    def record(self, recording: Recording) -> None:
        """Write one decision whole, in one durable transaction. Repeating it changes nothing."""
        ...

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Replace a camera's checkpoint."""
        ...

    def load_checkpoint(self, camera_id: str) -> Checkpoint | None:
        """The camera's last checkpoint, None if it has none."""
        ...

    def event(self, event_id: str) -> EventRecord | None:
        """One event whole, None if there is none of that id."""
        ...

    def events(self, query: EventQuery) -> list[EventRecord]:
        """One page of events."""
        ...

    def evidence_rows(
        self, *, after: EvidenceRow | None = None, limit: int = 1000
    ) -> list[EvidenceRow]:
        """One page of all evidence rows, in the order of keys (so by day), then of event ids.

        ``after``: the last row of the page before. Rows that share a picture stand together.
        """
        ...

    def named(self, keys: Collection[str]) -> set[str]:
        """Those of ``keys`` that an evidence row names."""
        ...

    def check(self) -> None:
        """Raise StoreFull or StoreUnavailable, with a hint, unless it answers and can be written."""
        ...


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message and its line (the undelivered messages of its event to its receiver).

    ``held_back_by``: the id of the first in the line, which must be delivered before this one; None
    when nothing stands before it. ``holds_back``: how many wait behind it.
    """

    message: Message
    held_back_by: str | None = None
    holds_back: int = 0


class Outbox(Protocol):
    """The messages that receivers have not got yet. In SQL it is the same database as the ledger."""

    def due(
        self, now: datetime, *, limit: int = 20, besides: Collection[str] = ()
    ) -> list[Message]:
        """Waiting messages whose time has come, oldest first, ``besides`` those receivers'.

        Only the head of each line (one receiver, one event): a message waits for the earlier ones of
        its event, and a dead one holds back those behind it.
        """
        ...

    def next_due_at(self) -> datetime | None:
        """When the earliest head of a line is due, None when nothing waits."""
        ...

    def mark_delivered(self, message_id: str, at: datetime) -> None:
        """The receiver has it."""
        ...

    def mark_failed(
        self, message_id: str, *, at: datetime, next_attempt_at: datetime | None, error: str
    ) -> None:
        """An attempt failed. ``next_attempt_at`` None: no more tries, the message is dead."""
        ...

    def messages(
        self, *, state: MessageState | None = None, receiver: str | None = None, limit: int = 100
    ) -> list[Message]:
        """Messages, newest first."""
        ...

    def queue(
        self,
        *,
        state: MessageState | None = None,
        receiver: str | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> list[QueuedMessage]:
        """One page of messages, newest first, each with who holds it back.

        ``before``: the ``(created_at, message_id)`` of the last row of the page before.
        """
        ...

    def revive(self, message_id: str, now: datetime) -> bool:
        """Make a dead message due again: the same id, the schedule from its beginning.

        False, and nothing changed, for one that is not dead.
        """
        ...

    def revive_dead(self, now: datetime) -> int:
        """The same for every dead message; how many there were."""
        ...

    def counts(self) -> Mapping[MessageState, int]:
        """How many messages are in each state (every state is named)."""
        ...
