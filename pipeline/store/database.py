"""Opening a database (SQLite or PostgreSQL), and its failures in the store's own words."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy import exc as sql_errors

from pipeline.errors import ConfigError, StoreError, StoreFull, StoreUnavailable

BUSY_TIMEOUT_S = 10
"""How long a SQLite write waits for another process's. Our transactions take milliseconds; shorter
gives "database is locked" on a slow disk, longer only hides a process that hangs with the lock."""

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 15
"""A PostgreSQL server that hangs must not hang the caller. Our statements take far less."""

READS = {"sqlite_begin": "BEGIN"}
"""Execution options of a transaction that only reads: on SQLite it then waits for no writer."""

_DISK_FULL = "53100"  # PostgreSQL's SQLSTATE disk_full
_NO_TABLE = "42P01"  # undefined_table
_MIGRATE = "run: brimwatch store init"


def open_database(url: str, *, statement_timeout_s: float = STATEMENT_TIMEOUT_S) -> Engine:
    """An engine for ``sqlite:///FILE`` or ``postgresql+psycopg://…``. Nothing is connected yet.

    Raises ConfigError for any other URL.
    """
    try:
        parsed = make_url(url)
    except sql_errors.ArgumentError:
        # The text may hold a password, so it is not repeated.
        raise ConfigError(
            "the database URL cannot be read",
            hint="write sqlite:////var/lib/brimwatch/ledger.db or "
            "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE",
        ) from None
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return _open_sqlite(parsed)
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return _open_postgres(parsed.set(drivername="postgresql+psycopg"), statement_timeout_s)
    raise ConfigError(
        f"the database URL starts with {parsed.drivername}://, expected sqlite:/// or "
        "postgresql+psycopg://",
        hint="SQLite for one machine, PostgreSQL for several",
    )


def _open_sqlite(url: URL) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise ConfigError(
            f"the database URL {url} names no file",
            hint="write sqlite:///ledger.db; for a test use pipeline.store.memory.MemoryLedger",
        )
    engine = create_engine(
        url,
        json_serializer=_to_json,
        hide_parameters=True,
        connect_args=_unless_given(url, {"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}),
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's hook
    # The driver's own transactions begin too late (at the first write); _begin_sqlite does it.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")  # readers and a writer do not block each other
    connection.execute("PRAGMA synchronous = FULL")  # a commit survives a loss of power
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes then fails at once when another wrote in between,
    # whatever the timeout; one that takes the write lock at its beginning waits its turn.
    options = connection.get_execution_options()
    connection.exec_driver_sql(options.get("sqlite_begin", "BEGIN IMMEDIATE"))


def _open_postgres(url: URL, statement_timeout_s: float) -> Engine:
    settings = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        # A peer that vanished (no FIN) is noticed by these, not by the statement timeout.
        "keepalives_idle": 10,
        "tcp_user_timeout": STATEMENT_TIMEOUT_S * 1000,
        "options": f"-c statement_timeout={int(statement_timeout_s * 1000)}",
    }
    try:
        return create_engine(
            url,
            json_serializer=_to_json,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_timeout=STATEMENT_TIMEOUT_S,
            connect_args=_unless_given(url, settings),
        )
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the database URL wants PostgreSQL, but {error.name} is not installed",
            hint="pip install 'brimwatch[postgres]'",
        ) from error


def _unless_given(url: URL, settings: dict[str, Any]) -> dict[str, Any]:
    """Those of our settings that the URL (``?timeout=30``) does not give itself."""
    return {name: value for name, value in settings.items() if name not in url.query}


def _to_json(value: object) -> str:
    # NaN is not JSON: PostgreSQL refuses it, SQLite would keep it, and so nobody gets it.
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


@contextmanager
def store_errors(url: URL) -> Iterator[None]:
    """Turn what SQLAlchemy raises into StoreFull or StoreUnavailable; the password never shows.

    Errors of our own making (a constraint broken, a value that fits no column) pass as they are.
    """
    try:
        yield
    except (
        sql_errors.DatabaseError,
        sql_errors.InterfaceError,
        sql_errors.TimeoutError,
    ) as error:
        translated = _translate(error, url)
        if translated is None:
            raise
        raise translated from error


def _translate(error: sql_errors.SQLAlchemyError, url: URL) -> StoreError | None:
    cause = getattr(error, "orig", None) or error
    name = url.render_as_string(hide_password=True)
    said = str(cause).strip().partition("\n")[0]
    if url.password:
        said = said.replace(str(url.password), "***")
    sqlstate = getattr(cause, "sqlstate", None)
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the high bits only detail it
    if code == sqlite3.SQLITE_FULL or sqlstate == _DISK_FULL:
        return StoreFull(
            f"no space left for the database {name}: {said}",
            hint="free some space on its disk; nothing that was confirmed is lost",
        )
    if sqlstate == _NO_TABLE:
        return StoreUnavailable(f"database {name}: {said}", hint=_MIGRATE)
    if isinstance(error, _OURS):
        return None
    return StoreUnavailable(f"database {name}: {said}", hint=_hint(url, code, said))


def _hint(url: URL, code: int, said: str) -> str:
    if url.get_backend_name() == "sqlite":
        return _SQLITE_HINTS.get(code) or (
            _MIGRATE if "no such table" in said else "look at the disk (dmesg) and its mount"
        )
    lowered = said.lower()
    for words, hint in _POSTGRES_HINTS.items():
        if words in lowered:
            return hint
    return "look whether the server runs and answers on that host and port, and at its log"


_SQLITE_HINTS = {
    sqlite3.SQLITE_BUSY: "another process holds the database: one that hangs, or a tool left open",
    sqlite3.SQLITE_CANTOPEN: "create the folder, and give the user that runs Brimwatch the right "
    "to write there",
    sqlite3.SQLITE_READONLY: "give the user that runs Brimwatch the right to write the file and "
    "its folder",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: stop, keep a copy of it, restore from a backup",
    sqlite3.SQLITE_NOTADB: "this file is no SQLite database: correct the path",
}

_POSTGRES_HINTS = {
    "password": "correct user and password in the database URL",
    "authentication": "correct user and password, or the server's pg_hba.conf",
    "does not exist": "create the database or the user, or correct the database URL",
    "too many": "raise max_connections, or run fewer processes",
    "timeout": "the server is reached but does not answer: look at its load and locks",
    "read-only": "this is a standby or read-only server: name the primary in the database URL",
}


_OURS = (
    sql_errors.DataError,
    sql_errors.IntegrityError,
    sql_errors.NotSupportedError,
    sql_errors.ProgrammingError,
)


def folder_of(url: URL) -> Path:
    """The folder in which a SQLite database lies."""
    return Path(url.database or "").absolute().parent
