"""Both stores in memory: for tests, yours too. They keep the same contract as the real ones.

Set ``fault`` to an error (`StoreFull`, `StoreUnavailable`) and every call raises it until it is
None again: so a test sees what happens when a store goes away and returns.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.domain import Event, EventState, Evidence, Message, MessageState
from pipeline.errors import StoreError
from pipeline.store import (
    Checkpoint,
    EventQuery,
    EventRecord,
    EvidenceRow,
    ListedEvidence,
    QueuedMessage,
    Recording,
    StoredEvidence,
)
from pipeline.store.keys import intact, missing, sha256_in, stored
from pipeline.store.lines import Place, queued
from pipeline.store.text import readable

_NO_NEWS = frozenset({EventState.SUSPECTED, EventState.DISMISSED})
_LONG_AGO = datetime.min.replace(tzinfo=UTC)  # when a test put a picture behind our back


class MemoryEvidence:
    """An `pipeline.store.EvidenceStore` in a dict, which tests may change: ``pictures``.

    ``clock`` tells when a picture is put (UTC).
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.pictures: dict[str, bytes] = {}
        self._put_at: dict[str, datetime] = {}
        self._clock = clock
        self.fault: StoreError | None = None

    def put(self, key: str, content: bytes) -> StoredEvidence:
        """See the protocol. Raises ValueError when the key does not belong to the content."""
        answer = stored(key, content)
        self.check()
        self.pictures[key] = bytes(content)
        self._put_at[key] = self._clock()
        return answer

    def get(self, key: str) -> bytes:
        """See the protocol."""
        sha256_in(key)
        self.check()
        if key not in self.pictures:
            raise missing(key, "memory")
        return intact(key, self.pictures[key])

    def url(self, key: str, lifetime: timedelta) -> str:
        """A name for the picture; outside of this process nobody can open it."""
        sha256_in(key)
        return f"memory:{key}?lifetime={int(lifetime.total_seconds())}"

    def check(self) -> None:
        """Raise ``fault`` if there is one."""
        if self.fault is not None:
            raise self.fault

    def listing(self) -> Iterator[ListedEvidence]:
        """See the protocol."""
        self.check()
        for key, content in sorted(self.pictures.items()):
            yield ListedEvidence(key, len(content), self._put_at.get(key, _LONG_AGO))

    def remove(self, key: str, *, put_before: datetime) -> bool:
        """See the protocol."""
        sha256_in(key)
        self.check()
        if key not in self.pictures or self._put_at.get(key, _LONG_AGO) >= put_before:
            return False
        del self.pictures[key]
        return True


class MemoryLedger:
    """A `pipeline.store.Ledger` and `pipeline.store.Outbox` in dicts, safe from several threads."""

    def __init__(self) -> None:
        self.fault: StoreError | None = None
        self._lock = threading.RLock()
        self._events: dict[str, Event] = {}
        self._evidence: dict[str, dict[tuple[str, str, str], Evidence]] = {}
        self._messages: dict[str, Message] = {}
        self._checkpoints: dict[str, Checkpoint] = {}

    def record(self, recording: Recording) -> None:
        """See `pipeline.store.Ledger`."""
        messages = [replace(message, data=_as_json(message.data)) for message in recording.messages]
        with self._ready():
            if recording.checkpoint is not None:
                self.save_checkpoint(recording.checkpoint)
            event_id = recording.event.event_id
            self._events[event_id] = recording.event
            rows = self._evidence.setdefault(event_id, {})
            for evidence in recording.evidence:
                rows.setdefault((evidence.role, evidence.form, evidence.key), evidence)
            for message in messages:
                self._messages.setdefault(message.message_id, message)

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """See `pipeline.store.Ledger`."""
        copy = replace(checkpoint, state=_as_json(checkpoint.state))
        with self._ready():
            self._checkpoints[checkpoint.camera_id] = copy

    def load_checkpoint(self, camera_id: str) -> Checkpoint | None:
        """See `pipeline.store.Ledger`."""
        with self._ready():
            return self._checkpoints.get(camera_id)

    def event(self, event_id: str) -> EventRecord | None:
        """See `pipeline.store.Ledger`."""
        with self._ready():
            event = self._events.get(event_id)
            return None if event is None else self._whole(event)

    def events(self, query: EventQuery) -> list[EventRecord]:
        """See `pipeline.store.Ledger`."""
        with self._ready():
            found = sorted(
                (event for event in self._events.values() if _matches(event, query)),
                key=lambda event: (event.suspected_at, event.event_id),
                reverse=True,
            )
            return [self._whole(event) for event in found[: query.limit]]

    def evidence_rows(
        self, *, after: EvidenceRow | None = None, limit: int = 1000
    ) -> list[EvidenceRow]:
        """See `pipeline.store.Ledger`."""
        with self._ready():
            found = [
                EvidenceRow(event_id, row)
                for event_id, rows in self._evidence.items()
                for row in rows.values()
                if after is None or _by_key(EvidenceRow(event_id, row)) > _by_key(after)
            ]
        return sorted(found, key=_by_key)[:limit]

    def named(self, keys: Collection[str]) -> set[str]:
        """See `pipeline.store.Ledger`."""
        with self._ready():
            known = {row.key for rows in self._evidence.values() for row in rows.values()}
        return known & set(keys)

    def check(self) -> None:
        """Raise ``fault`` if there is one."""
        with self._ready():
            pass

    def due(
        self, now: datetime, *, limit: int = 20, besides: Collection[str] = ()
    ) -> list[Message]:
        """See `pipeline.store.Outbox`."""
        with self._ready():
            ready = (
                message
                for message in self._heads()
                if (message.next_attempt_at is None or message.next_attempt_at <= now)
                and message.receiver not in besides
            )
            return sorted(ready, key=_age)[:limit]

    def next_due_at(self) -> datetime | None:
        """See `pipeline.store.Outbox`."""
        with self._ready():
            return min(
                (message.next_attempt_at or message.created_at for message in self._heads()),
                default=None,
            )

    def mark_delivered(self, message_id: str, at: datetime) -> None:
        """See `pipeline.store.Outbox`. Raises KeyError for an unknown message."""
        with self._ready():
            message = self._messages[message_id]
            if message.state is not MessageState.DELIVERED:
                self._messages[message_id] = replace(
                    message,
                    state=MessageState.DELIVERED,
                    attempts=message.attempts + 1,
                    next_attempt_at=None,
                    delivered_at=at,
                )

    def mark_failed(
        self, message_id: str, *, at: datetime, next_attempt_at: datetime | None, error: str
    ) -> None:
        """See `pipeline.store.Outbox`. Raises KeyError for an unknown message."""
        del at
        with self._ready():
            message = self._messages[message_id]
            if message.state is MessageState.WAITING:
                dead = next_attempt_at is None
                self._messages[message_id] = replace(
                    message,
                    state=MessageState.DEAD if dead else MessageState.WAITING,
                    attempts=message.attempts + 1,
                    next_attempt_at=next_attempt_at,
                    last_error=readable(error),
                )

    def messages(
        self, *, state: MessageState | None = None, receiver: str | None = None, limit: int = 100
    ) -> list[Message]:
        """See `pipeline.store.Outbox`."""
        with self._ready():
            found = (
                message
                for message in self._messages.values()
                if state in (None, message.state) and receiver in (None, message.receiver)
            )
            return sorted(found, key=_age, reverse=True)[:limit]

    def queue(
        self,
        *,
        state: MessageState | None = None,
        receiver: str | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> list[QueuedMessage]:
        """See `pipeline.store.Outbox`."""
        with self._ready():
            found = (
                message
                for message in self._messages.values()
                if state in (None, message.state)
                and receiver in (None, message.receiver)
                and (before is None or _age(message) < before)
            )
            undelivered = (
                Place(m.receiver, m.subject, m.sequence, m.message_id)
                for m in self._messages.values()
                if m.state is not MessageState.DELIVERED
            )
            return queued(sorted(found, key=_age, reverse=True)[:limit], undelivered)

    def revive(self, message_id: str, now: datetime) -> bool:
        """See `pipeline.store.Outbox`. Raises KeyError for an unknown message."""
        with self._ready():
            message = self._messages[message_id]
            if message.state is not MessageState.DEAD:
                return False
            self._messages[message_id] = replace(
                message, state=MessageState.WAITING, attempts=0, next_attempt_at=now
            )
            return True

    def revive_dead(self, now: datetime) -> int:
        """See `pipeline.store.Outbox`."""
        with self._ready():
            return sum(self.revive(message_id, now) for message_id in list(self._messages))

    def counts(self) -> Mapping[MessageState, int]:
        """See `pipeline.store.Outbox`."""
        with self._ready():
            states = [message.state for message in self._messages.values()]
            return {state: states.count(state) for state in MessageState}

    def close(self) -> None:
        """Nothing to do; it is here so that any ledger can be closed."""

    @contextmanager
    def _ready(self) -> Iterator[None]:
        with self._lock:
            if self.fault is not None:
                raise self.fault
            yield

    def _whole(self, event: Event) -> EventRecord:
        evidence = sorted(
            self._evidence.get(event.event_id, {}).values(),
            key=lambda row: (row.captured_at, row.role, row.form, row.key),
        )
        messages = (m for m in self._messages.values() if m.subject == event.event_id)
        return EventRecord(event, tuple(evidence), tuple(sorted(messages, key=_told)))

    def _heads(self) -> Iterable[Message]:
        """The first undelivered message of each line, where it is not dead."""
        first: dict[tuple[str, str], Message] = {}
        for message in sorted(self._messages.values(), key=_line_order):
            if message.state is not MessageState.DELIVERED:
                first.setdefault((message.receiver, message.subject), message)
        return [head for head in first.values() if head.state is MessageState.WAITING]


def _age(message: Message) -> tuple[datetime, str]:
    return message.created_at, message.message_id


def _by_key(row: EvidenceRow) -> tuple[str, str, str, str]:
    return row.evidence.key, row.event_id, row.evidence.role, row.evidence.form


def _told(message: Message) -> tuple[datetime, int, str]:
    return message.created_at, message.sequence, message.message_id


def _line_order(message: Message) -> tuple[int, str]:
    return message.sequence, message.message_id


def _matches(event: Event, query: EventQuery) -> bool:
    return (
        (event.state in query.states if query.states else event.state not in _NO_NEWS)
        and query.point_id in (None, event.point_id)
        and (query.since is None or event.suspected_at >= query.since)
        and (query.until is None or event.suspected_at < query.until)
        and (query.before is None or (event.suspected_at, event.event_id) < query.before)
    )


def _as_json(value: Mapping[str, object]) -> dict[str, object]:
    """A copy as a database would give it back, so that a test finds what does not survive JSON."""
    copy: dict[str, object] = json.loads(json.dumps(dict(value), allow_nan=False))
    return copy
