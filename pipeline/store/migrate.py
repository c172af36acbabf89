"""Bringing a database to the schema that this Brimwatch knows.

Several processes may start at once: the first migrates, the others wait for it and find it done.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from pipeline.errors import StoreUnavailable
from pipeline.store.database import READS, open_database, store_errors
from pipeline.store.schema import REVISION

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = Path(__file__).parent / "migrations"

_MIGRATION_TIMEOUT_S = 3600.0  # rebuilding an index over years of events takes its time
_LOCK = 0x6272696D  # "brim": the PostgreSQL advisory lock that one migration holds


def revision_of(engine: Engine) -> str | None:
    """The revision that a database is at, None for an empty one. Raises StoreUnavailable."""
    with store_errors(engine.url), engine.connect().execution_options(**READS) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate a database to ``revision``. One that is there already is left alone, quickly.

    Raises StoreUnavailable when it cannot be reached, or when a newer Brimwatch has made it.
    """
    engine = open_database(url, statement_timeout_s=_MIGRATION_TIMEOUT_S)
    try:
        found = revision_of(engine)
        # Alembic takes 0.1 s to import: a service that finds its schema current starts without it.
        if found != (REVISION if revision == "head" else revision):
            _migrate(engine, lambda config: _alembic_upgrade(config, revision))
    finally:
        engine.dispose()


def downgrade(url: str, revision: str) -> None:
    """Take migrations back, down to ``revision`` (``base``: all of them, with their data)."""
    engine = open_database(url, statement_timeout_s=_MIGRATION_TIMEOUT_S)
    try:
        _migrate(engine, lambda config: _alembic_downgrade(config, revision))
    finally:
        engine.dispose()


def _alembic_upgrade(config: Config, revision: str) -> None:
    from alembic import command

    command.upgrade(config, revision)


def _alembic_downgrade(config: Config, revision: str) -> None:
    from alembic import command

    command.downgrade(config, revision)


def _migrate(engine: Engine, run: Callable[[Config], None]) -> None:
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    # On SQLite the transaction takes the write lock at its beginning: that is the lock there.
    with store_errors(engine.url), engine.begin() as connection:
        _lock(connection)
        config.attributes["connection"] = connection
        try:
            run(config)
        except CommandError as error:
            raise StoreUnavailable(
                f"database {engine.url.render_as_string()}: {error}",
                hint="a newer Brimwatch has made it: update this one",
            ) from error


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
