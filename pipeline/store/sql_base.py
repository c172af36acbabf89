"""One SQL database as the ledger and the outbox share it: connections, transactions, errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.store.database import READS, open_database, store_errors


class SqlStore:
    """A database, safe across threads. The constructor connects to nothing.

    ``url``: ``sqlite:///FILE`` or ``postgresql+psycopg://…``. Raises ConfigError for another URL.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_database(url)
        self._reads = self._engine.execution_options(**READS)
        sqlite_here = self._engine.dialect.name == "sqlite"
        # SQLite has one writer. Threads that queue here wake in order and at once; in SQLite's own
        # wait they sleep and poll, and one may starve.
        self._turn = threading.Lock() if sqlite_here else nullcontext()
        self._insert = sqlite.insert if sqlite_here else postgresql.insert

    def close(self) -> None:
        """Close every connection. On SQLite this folds the write-ahead log into the file."""
        self._engine.dispose()

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
