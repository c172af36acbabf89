"""The outbox in SQL: what receivers have not got yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Update,
    and_,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)

from pipeline.domain import Message, MessageState
from pipeline.store import QueuedMessage
from pipeline.store.lines import Place, queued
from pipeline.store.rows import message_from_row
from pipeline.store.schema import UtcDateTime, messages
from pipeline.store.sql_base import SqlStore
from pipeline.store.text import readable


class SqlOutbox(SqlStore):
    """A `pipeline.store.Outbox`. Every method raises StoreFull or StoreUnavailable."""

    def due(
        self, now: datetime, *, limit: int = 20, besides: Collection[str] = ()
    ) -> list[Message]:
        """See `pipeline.store.Outbox`. A message without ``next_attempt_at`` is due at once."""
        ready = or_(messages.c.next_attempt_at.is_(None), messages.c.next_attempt_at <= now)
        statement = (
            select(messages)
            .where(_is_head(), ready)
            .order_by(messages.c.created_at, messages.c.message_id)
            .limit(limit)
        )
        if besides:
            statement = statement.where(messages.c.receiver.not_in(sorted(besides)))
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

    def queue(
        self,
        *,
        state: MessageState | None = None,
        receiver: str | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> list[QueuedMessage]:
        """See `pipeline.store.Outbox`."""
        page = select(messages).order_by(messages.c.created_at.desc(), messages.c.message_id.desc())
        if state is not None:
            page = page.where(messages.c.state == state.value)
        if receiver is not None:
            page = page.where(messages.c.receiver == receiver)
        if before is not None:
            page = page.where(tuple_(messages.c.created_at, messages.c.message_id) < before)
        with self._read() as connection:
            found = [message_from_row(row) for row in connection.execute(page.limit(limit))]
            # Not as pairs: SQLite would read the whole index for those, and seeks in it for these.
            receivers = sorted({message.receiver for message in found})
            subjects = sorted({message.subject for message in found})
            undelivered = connection.execute(
                select(
                    messages.c.receiver,
                    messages.c.subject,
                    messages.c.sequence,
                    messages.c.message_id,
                ).where(
                    messages.c.receiver.in_(receivers),
                    messages.c.subject.in_(subjects),
                    messages.c.state != MessageState.DELIVERED.value,
                )
            ).all()
        return queued(found, [Place(*row) for row in undelivered])

    def revive(self, message_id: str, now: datetime) -> bool:
        """See `pipeline.store.Outbox`. Raises KeyError for an unknown message."""
        this = messages.c.message_id == message_id
        with self._write() as connection:
            revived = connection.execute(_revival(now).where(this)).rowcount
            if not revived and not connection.scalar(select(exists().where(this))):
                raise KeyError(message_id)
        return bool(revived)

    def revive_dead(self, now: datetime) -> int:
        """See `pipeline.store.Outbox`."""
        with self._write() as connection:
            return connection.execute(_revival(now)).rowcount

    def counts(self) -> Mapping[MessageState, int]:
        """See `pipeline.store.Outbox`."""
        counted = select(messages.c.state, func.count()).group_by(messages.c.state)
        with self._read() as connection:
            found = {row[0]: row[1] for row in connection.execute(counted)}
        return {state: found.get(state.value, 0) for state in MessageState}

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


def _revival(now: datetime) -> Update:
    """Dead messages made due at ``now``, with a schedule of their own from its beginning."""
    return (
        update(messages)
        .where(messages.c.state == MessageState.DEAD.value)
        .values(state=MessageState.WAITING.value, attempts=0, next_attempt_at=now)
    )


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
