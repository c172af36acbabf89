"""The ledger's tables. `pipeline/store/migrations` makes them; a test holds the two together."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

REVISION = "0002"
"""The newest migration. A test compares it with the scripts: see `pipeline.store.migrate`."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, to the microsecond, given back in UTC whatever the server's time zone is.

    PostgreSQL: ``timestamptz``. SQLite: text of one width (``2026-06-01 08:00:00.000000``, UTC),
    which sorts as the times do. Raises ValueError for a naive time: a guess would move evidence.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a stored time must be aware (UTC), got {value!r}")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


IDENTIFIER = String().with_variant(String(collation="C"), "postgresql")
"""Compared byte by byte everywhere: the order of ids must not hang on a server's language."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

events = Table(
    "events",
    metadata,
    Column("event_id", IDENTIFIER, primary_key=True),
    Column("kind", String, nullable=False),
    Column("point_id", String, nullable=False),
    Column("camera_id", String, nullable=False),
    Column("zone_id", String, nullable=False),
    Column("state", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("suspected_at", UtcDateTime, nullable=False),
    Column("confirmed_at", UtcDateTime),
    Column("cleared_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("peak_belief", Float, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("model_hash", String, nullable=False),
    # The three ways in which a page of events is listed, each newest suspicion first.
    Index(None, "suspected_at", "event_id"),
    Index(None, "point_id", "suspected_at", "event_id"),
    Index(None, "state", "suspected_at", "event_id"),
)

# One picture may be evidence of several events (two zones on one frame), and play two roles in one.
evidence = Table(
    "evidence",
    metadata,
    Column("event_id", IDENTIFIER, ForeignKey("events.event_id"), primary_key=True),
    Column("role", IDENTIFIER, primary_key=True),
    Column("form", IDENTIFIER, primary_key=True),
    Column("key", IDENTIFIER, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("captured_at", UtcDateTime, nullable=False),
    Column("media_type", String, nullable=False),
    # Verification, moves and the sweep: every picture in order of keys, and who names a key.
    Index(None, "key", "event_id", "role", "form"),
)

# subject is an event's id, or a camera's for camera.impaired and .restored: so no foreign key.
messages = Table(
    "messages",
    metadata,
    Column("message_id", IDENTIFIER, primary_key=True),
    Column("receiver", String, nullable=False),
    Column("type", String, nullable=False),
    Column("subject", IDENTIFIER, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("data", JSON, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcDateTime),
    Column("delivered_at", UtcDateTime),
    Column("last_error", Text, nullable=False),
    # Outbox: the few that wait among the many delivered, then who stands before each in its line.
    Index(None, "state", "created_at", "message_id"),
    Index(None, "receiver", "subject", "sequence", "message_id", "state"),
    # Lists: the messages of an event, and all of them newest first.
    Index(None, "subject", "created_at"),
    Index(None, "created_at", "message_id"),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("camera_id", String, primary_key=True),
    Column("as_of", UtcDateTime, nullable=False),
    Column("state", JSON, nullable=False),
)
