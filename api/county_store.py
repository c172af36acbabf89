"""What the reference receiver got, in SQLite: a restart forgets no message and no repetition."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.delivery.cloud_events import ParsedCloudEvent
from pipeline.domain import rfc3339, utc
from pipeline.errors import StoreFull, StoreUnavailable

_SCHEMA = """
CREATE TABLE IF NOT EXISTS received (
    number INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    subject TEXT NOT NULL,
    time TEXT NOT NULL,
    received_at TEXT NOT NULL,
    duplicates INTEGER NOT NULL DEFAULT 0,
    data TEXT NOT NULL,
    UNIQUE (source, id)
) STRICT
"""
_COLUMNS = "id, source, type, subject, time, received_at, duplicates, data"


@dataclass(frozen=True, slots=True)
class Received:
    """One message as it first came. ``duplicates``: how often it came again. Times are UTC."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    received_at: datetime
    duplicates: int
    data: Mapping[str, Any]


class CountyStore:
    """Keeps each message once, known by ``(source, id)``. Safe from several threads.

    ``path`` None keeps it in memory only. Raises StoreUnavailable when the file cannot be used.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._where = "memory" if path is None else str(path)
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                ":memory:" if path is None else path, check_same_thread=False, isolation_level=None
            )
            # FULL: an answer is given only for what a power cut cannot take away again.
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(
                f"the county's store {self._where} cannot be opened: {error}",
                hint="give a folder that can be written with --keep",
            ) from error

    def keep(self, event: ParsedCloudEvent, received_at: datetime) -> bool:
        """Keep it durably; True when it was new, False (and counted) when it was there already.

        Raises StoreFull or StoreUnavailable; then nothing was kept and the sender must send it again.
        """
        row = (
            event.source,
            event.id,
            event.type,
            event.subject,
            rfc3339(event.time),
            rfc3339(received_at),
            json.dumps(event.data, ensure_ascii=False),
        )
        try:
            with self._lock:
                # One statement, so one transaction: committed when it returns.
                cursor = self._db.execute(
                    "INSERT INTO received (source, id, type, subject, time, received_at, data)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, id)"
                    " DO UPDATE SET duplicates = duplicates + 1 RETURNING duplicates",
                    row,
                )
                duplicates: int = cursor.fetchall()[0][0]
        except sqlite3.Error as error:
            full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
            kind = StoreFull if full else StoreUnavailable
            raise kind(f"the county's store {self._where} took nothing: {error}") from error
        return duplicates == 0

    def received(self, *, limit: int) -> list[Received]:
        """The newest ``limit`` messages, in the order in which they first came."""
        with self._lock:
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM received ORDER BY number DESC LIMIT ?",  # noqa: S608 - constant
                (limit,),
            ).fetchall()
        return [_received(row) for row in reversed(rows)]

    def counts(self) -> tuple[int, int]:
        """Messages kept, and repetitions of them."""
        with self._lock:
            received, duplicates = self._db.execute(
                "SELECT count(*), coalesce(sum(duplicates), 0) FROM received"
            ).fetchone()
        return int(received), int(duplicates)

    def close(self) -> None:
        """Close the file. What was kept stays."""
        with self._lock:
            self._db.close()


def _received(row: tuple[Any, ...]) -> Received:
    id_, source, type_, subject, time, received_at, duplicates, data = row
    return Received(
        id_, source, type_, subject, utc(time), utc(received_at), duplicates, json.loads(data)
    )
