"""The ledger and the outbox in SQL: SQLite for one machine, PostgreSQL for several."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Any, Self

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    and_,
    exists,
    func,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.domain import Event, EventState, Message, MessageState
from pipeline.errors import StoreFull, StoreUnavailable
from pipeline.store import Checkpoint, EventQuery, EventRecord, Recording
from pipeline.store.database import READS, folder_of, open_database, store_errors
from pipeline.store.migrate import revision_of, upgrade
from pipeline.store.rows import (
    checkpoint_from_row,
    checkpoint_to_row,
    event_from_row,
    event_to_row,
    evidence_from_row,
    evidence_to_row,
    message_from_row,
    message_to_row,
)
from pipeline.store.schema import (
    REVISION,
    UtcDateTime,
    checkpoints,
    events,
    evidence,
    messages,
)
from pipeline.store.text import readable

MIN_FREE_BYTES = 64 * 1024 * 1024
"""Under this `SqlLedger.check` says that SQLite's disk is full. The write-ahead log alone may take
a few MiB; what is left over is time to act."""

_NO_NEWS = (EventState.SUSPECTED.value, EventState.DISMISSED.value)


class SqlLedger:
    """A `pipeline.store.Ledger` and `pipeline.store.Outbox` in one database, safe across threads.

    ``url``: ``sqlite:///FILE`` or ``postgresql+psycopg://…``. `open` also migrates, which is what a
    service wants; the constructor alone connects to nothing. A commit is on the disk when a method
    returns. Raises ConfigError for another URL; every method, StoreFull or StoreUnavailable.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_database(url)
        self._reads = self._engine.execution_options(**READS)
        sqlite_here = self._engine.dialect.name == "sqlite"
        # SQLite has one writer. Threads that queue here wake in order and at once; in SQLite's own
        # wait they sleep and poll, and one may starve.
        self._turn = threading.Lock() if sqlite_here else nullcontext()
        self._insert = sqlite.insert if sqlite_here else postgresql.insert

    @classmethod
    def open(cls, url: str) -> Self:
        """Migrate the database to this version's schema, then open it."""
        upgrade(url)
        return cls(url)

    def close(self) -> None:
        """Close every connection. On SQLite this folds the write-ahead log into the file."""
        self._engine.dispose()

    # Ledger

    def record(self, recording: Recording) -> None:
        """See `pipeline.store.Ledger`."""
        event_id = recording.event.event_id
        with self._write() as connection:
            self._replace(connection, events, [event_to_row(recording.event)])
            self._add(
                connection, evidence, [evidence_to_row(e, event_id) for e in recording.evidence]
            )
            self._add(connection, messages, [message_to_row(m) for m in recording.messages])
            if recording.checkpoint is not None:
                self._replace(connection, checkpoints, [checkpoint_to_row(recording.checkpoint)])

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """See `pipeline.store.Ledger`."""
        with self._write() as connection:
            self._replace(connection, checkpoints, [checkpoint_to_row(checkpoint)])

    def load_checkpoint(self, camera_id: str) -> Checkpoint | None:
        """See `pipeline.store.Ledger`."""
        with self._read() as connection:
            row = connection.execute(
                select(checkpoints).where(checkpoints.c.camera_id == camera_id)
            ).one_or_none()
        return None if row is None else checkpoint_from_row(row)

    def event(self, event_id: str) -> EventRecord | None:
        """See `pipeline.store.Ledger`."""
        return next(iter(self._whole(select(events).where(events.c.event_id == event_id))), None)

    def events(self, query: EventQuery) -> list[EventRecord]:
        """See `pipeline.store.Ledger`. ``since`` is in the range, ``until`` is not."""
        return self._whole(
            select(events)
            .where(*_conditions(query))
            .order_by(events.c.suspected_at.desc(), events.c.event_id.desc())
            .limit(query.limit)
        )

    def check(self) -> None:
        """See `pipeline.store.Ledger`. Raises StoreFull when SQLite's disk is nearly full."""
        found = revision_of(self._engine)
        if found != REVISION:
            raise StoreUnavailable(
                f"database {self._engine.url.render_as_string()} has schema {found or 'none'}, "
                f"expected {REVISION}",
                hint="run: brimwatch store init",
            )
        with self._write() as connection:  # on SQLite this takes the write lock
            if connection.dialect.name == "postgresql":
                if connection.scalar(text("SHOW transaction_read_only")) == "on":
                    raise StoreUnavailable(
                        f"database {self._engine.url.render_as_string()} is read-only",
                        hint="this is a standby: name the primary in the database URL",
                    )
                return
        folder = folder_of(self._engine.url)
        free = shutil.disk_usage(folder).free
        if free < MIN_FREE_BYTES:
            raise StoreFull(
                f"the disk of the database ({folder}) has {free // 2**20} MiB left, expected at "
                f"least {MIN_FREE_BYTES // 2**20} MiB",
                hint="free some space, or move the database to a larger disk",
            )

    # Outbox

    def due(self, now: datetime, *, limit: int = 20) -> list[Message]:
        """See `pipeline.store.Outbox`. A message without ``next_attempt_at`` is due at once."""
        ready = or_(messages.c.next_attempt_at.is_(None), messages.c.next_attempt_at <= now)
        statement = (
            select(messages)
            .where(_is_head(), ready)
            .order_by(messages.c.created_at, messages.c.message_id)
            .limit(limit)
        )
        with self._read() as connection:
            return [message_from_row(row) for row in connection.execute(statement)]

    def next_due_at(self) -> datetime | None:
        """See `pipeline.store.Outbox`."""
        due_at = func.coalesce(messages.c.next_attempt_at, messages.c.created_at, type_=UtcDateTime)
        with self._read() as connection:
            earliest: datetime | None = connection.scalar(
                select(func.min(due_at, type_=UtcDateTime)).where(_is_head())
            )
        return earliest

    def mark_delivered(self, message_id: str, at: datetime) -> None:
        """See `pipeline.store.Outbox`. Raises KeyError for an unknown message."""
        self._mark(
            message_id,
            messages.c.state != MessageState.DELIVERED.value,
            state=MessageState.DELIVERED.value,
            next_attempt_at=None,
            delivered_at=at,
        )

    def mark_failed(
        self, message_id: str, *, at: datetime, next_attempt_at: datetime | None, error: str
    ) -> None:
        """See `pipeline.store.Outbox`. Changes nothing for a message that no longer waits.

        Raises KeyError for an unknown message.
        """
        del at  # the outbox keeps when the next attempt is, not when the last one was
        dead = next_attempt_at is None
        self._mark(
            message_id,
            messages.c.state == MessageState.WAITING.value,
            state=(MessageState.DEAD if dead else MessageState.WAITING).value,
            next_attempt_at=next_attempt_at,
            last_error=readable(error),
        )

    def messages(
        self, *, state: MessageState | None = None, receiver: str | None = None, limit: int = 100
    ) -> list[Message]:
        """See `pipeline.store.Outbox`."""
        statement = select(messages)
        if state is not None:
            statement = statement.where(messages.c.state == state.value)
        if receiver is not None:
            statement = statement.where(messages.c.receiver == receiver)
        newest_first = statement.order_by(
            messages.c.created_at.desc(), messages.c.message_id.desc()
        ).limit(limit)
        with self._read() as connection:
            return [message_from_row(row) for row in connection.execute(newest_first)]

    def counts(self) -> Mapping[MessageState, int]:
        """See `pipeline.store.Outbox`."""
        counted = select(messages.c.state, func.count()).group_by(messages.c.state)
        with self._read() as connection:
            found = {row[0]: row[1] for row in connection.execute(counted)}
        return {state: found.get(state.value, 0) for state in MessageState}

    # Inside

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with store_errors(self._engine.url), self._turn, self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with store_errors(self._engine.url), self._reads.connect() as connection:
            yield connection

    def _add(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows; those that are there already stay as they are."""
        if rows:
            keys = list(table.primary_key.columns)
            connection.execute(
                self._insert(table).on_conflict_do_nothing(index_elements=keys), rows
            )

    def _replace(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Insert rows; those that are there already take the new values."""
        statement = self._insert(table)
        keys = list(table.primary_key.columns)
        values = {c.name: statement.excluded[c.name] for c in table.columns if c not in keys}
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), rows)

    def _mark(self, message_id: str, condition: ColumnElement[bool], **values: object) -> None:
        """Count one attempt and set ``values``, if the message is where ``condition`` wants it."""
        this = messages.c.message_id == message_id
        with self._write() as connection:
            changed = connection.execute(
                update(messages)
                .where(this, condition)
                .values(attempts=messages.c.attempts + 1, **values)
            )
            if not changed.rowcount and not connection.scalar(select(exists().where(this))):
                raise KeyError(message_id)

    def _whole(self, statement: Select[Any]) -> list[EventRecord]:
        """The events of a statement with their evidence and messages: three queries in all."""
        with self._read() as connection:
            found: list[Event] = [event_from_row(row) for row in connection.execute(statement)]
            ids = [event.event_id for event in found]
            if not ids:
                return []
            pictures = connection.execute(
                select(evidence)
                .where(evidence.c.event_id.in_(ids))
                .order_by(evidence.c.captured_at, evidence.c.role, evidence.c.form, evidence.c.key)
            ).all()
            told = connection.execute(
                select(messages)
                .where(messages.c.subject.in_(ids))
                .order_by(messages.c.created_at, messages.c.sequence, messages.c.message_id)
            ).all()
        return [
            EventRecord(
                event,
                tuple(evidence_from_row(row) for row in pictures if row.event_id == event.event_id),
                tuple(message_from_row(row) for row in told if row.subject == event.event_id),
            )
            for event in found
        ]


def _conditions(query: EventQuery) -> Iterator[ColumnElement[bool]]:
    if query.states:
        yield events.c.state.in_(sorted(state.value for state in query.states))
    else:
        yield events.c.state.not_in(_NO_NEWS)
    if query.point_id is not None:
        yield events.c.point_id == query.point_id
    if query.since is not None:
        yield events.c.suspected_at >= query.since
    if query.until is not None:
        yield events.c.suspected_at < query.until
    if query.before is not None:
        yield tuple_(events.c.suspected_at, events.c.event_id) < query.before


def _is_head() -> ColumnElement[bool]:
    """A waiting message before which nothing in its line is undelivered, be it waiting or dead."""
    earlier: FromClause = messages.alias("earlier")
    same_line = and_(
        earlier.c.receiver == messages.c.receiver, earlier.c.subject == messages.c.subject
    )
    before = tuple_(earlier.c.sequence, earlier.c.message_id) < tuple_(
        messages.c.sequence, messages.c.message_id
    )
    held_back = exists().where(same_line, before, earlier.c.state != MessageState.DELIVERED.value)
    return and_(messages.c.state == MessageState.WAITING.value, ~held_back)
