"""The ledger and the outbox in SQL: SQLite for one machine, PostgreSQL for several."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from typing import Any, Self

from sqlalchemy import ColumnElement, Select, select, text, tuple_

from pipeline.domain import Event, EventState
from pipeline.errors import StoreFull, StoreUnavailable
from pipeline.store import Checkpoint, EventQuery, EventRecord, EvidenceRow, Recording
from pipeline.store.database import folder_of
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
from pipeline.store.schema import REVISION, checkpoints, events, evidence, messages
from pipeline.store.sql_outbox import SqlOutbox

MIN_FREE_BYTES = 64 * 1024 * 1024
"""Under this `SqlLedger.check` says that SQLite's disk is full. The write-ahead log alone may take
a few MiB; what is left over is time to act."""

_ASKED_AT_ONCE = 500
"""Keys in one statement. SQLite takes 32,766 values in one; more gains nothing."""

_NO_NEWS = (EventState.SUSPECTED.value, EventState.DISMISSED.value)


class SqlLedger(SqlOutbox):
    """A `pipeline.store.Ledger` and `pipeline.store.Outbox` in one database, safe across threads.

    ``url``: ``sqlite:///FILE`` or ``postgresql+psycopg://…``. `open` also migrates, which is what a
    service wants; the constructor alone connects to nothing. A commit is on the disk when a method
    returns. Raises ConfigError for another URL; every method, StoreFull or StoreUnavailable.
    """

    @classmethod
    def open(cls, url: str) -> Self:
        """Migrate the database to this version's schema, then open it."""
        upgrade(url)
        return cls(url)

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

    def evidence_rows(
        self, *, after: EvidenceRow | None = None, limit: int = 1000
    ) -> list[EvidenceRow]:
        """See `pipeline.store.Ledger`."""
        place = (evidence.c.key, evidence.c.event_id, evidence.c.role, evidence.c.form)
        statement = select(evidence).order_by(*place).limit(limit)
        if after is not None:
            last = after.evidence
            statement = statement.where(
                tuple_(*place) > (last.key, after.event_id, last.role.value, last.form.value)
            )
        with self._read() as connection:
            return [
                EvidenceRow(row.event_id, evidence_from_row(row))
                for row in connection.execute(statement)
            ]

    def named(self, keys: Collection[str]) -> set[str]:
        """See `pipeline.store.Ledger`."""
        found: set[str] = set()
        wanted = sorted(keys)
        with self._read() as connection:
            for start in range(0, len(wanted), _ASKED_AT_ONCE):
                some = evidence.c.key.in_(wanted[start : start + _ASKED_AT_ONCE])
                found |= set(connection.scalars(select(evidence.c.key).where(some)))
        return found

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
