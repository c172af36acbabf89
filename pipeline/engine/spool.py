"""Decisions that wait for a store or the ledger, on local disk, in order.

One file a decision (see `pipeline.engine.decision`), named by a rising number, written whole and
flushed before `add` returns, so that neither a crash nor a power cut loses one or changes the order.
The pictures are bounded: over the limit the oldest decisions give up their drawn pictures, then
their raw ones. The decision itself (some 2 KB) is never given up. A record that does not match its
checksum is set aside as ``*.damaged`` for a person to look at, and said.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import structlog

from pipeline.durable import PARTIAL, flush_directory, write_whole
from pipeline.engine.decision import Decision, from_bytes, to_bytes
from pipeline.errors import StoreError, StoreFull, StoreUnavailable
from pipeline.store import Checkpoint

log = structlog.get_logger(__name__)

LIMIT_BYTES = 1024**3
"""1 GiB holds some 1,500 confirmed and cleared events with their pictures (two JPEGs of 150 to
200 KB each): a busy city quarter's day. Higher: a longer outage keeps all pictures."""

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class Spool:
    """The decisions that wait in ``folder``, which is created. One process writes at a time.

    ``limit_bytes``: what the pictures of all waiting decisions may weigh. What a former process left
    waiting is there at once. Raises StoreUnavailable when the folder cannot be read or written.
    """

    def __init__(self, folder: Path, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._folder = folder
        self._limit = limit_bytes
        self._raw: dict[int, int] = {}  # bytes of raw pictures by number, oldest first
        self._drawn: dict[int, int] = {}
        self._checkpoints: dict[str, Checkpoint] = {}
        with self._errors("read"):
            folder.mkdir(parents=True, exist_ok=True)
            for unfinished in folder.glob(f"{PARTIAL}*"):
                unfinished.unlink()
            numbers = sorted(int(path.stem) for path in folder.glob("[0-9]*.decision"))
        for number in numbers:
            decision = self._read(number)
            if decision is not None:
                self._note(number, decision)
        self._next = numbers[-1] + 1 if numbers else 0

    def __len__(self) -> int:
        return len(self._raw)

    @property
    def checkpoints(self) -> Mapping[str, Checkpoint]:
        """The newest checkpoint of each camera that a waiting decision belongs to."""
        return self._checkpoints

    def add(self, decision: Decision) -> None:
        """Keep a decision behind all others. It is on the disk when this returns.

        Raises StoreFull or StoreUnavailable; then it was not kept.
        """
        with self._errors("write"):
            self._write(self._next, decision)
        self._note(self._next, decision)
        self._next += 1
        try:
            self._thin()
        except StoreError as error:  # the decision itself is kept: only the limit is exceeded
            log.error("spool_over_limit", limit=self._limit, error=str(error))

    def oldest(self) -> Decision | None:
        """The decision that waits longest, None when none does."""
        while self._raw:
            number = next(iter(self._raw))
            decision = self._read(number)
            if decision is not None:
                return decision
            self._forget(number)
        return None

    def remove_oldest(self) -> None:
        """Forget what `oldest` gave: it is written. Raises StoreUnavailable."""
        number = next(iter(self._raw))
        with self._errors("remove from"):
            self._path(number).unlink(missing_ok=True)
            flush_directory(self._folder)
        self._forget(number)
        if not self._raw:
            self._checkpoints.clear()

    def _thin(self) -> None:
        """Give up pictures, oldest first, until the rest is within the limit."""
        for sizes, thinned in (
            (self._drawn, Decision.without_drawn),
            (self._raw, Decision.without_pictures),
        ):
            for number in [number for number, size in sizes.items() if size]:
                if sum(self._raw.values()) + sum(self._drawn.values()) <= self._limit:
                    return
                decision = self._read(number)
                if decision is None:
                    self._forget(number)
                    continue
                with self._errors("write"):
                    self._write(number, thinned(decision))
                log.error(
                    "evidence_given_up",
                    event_id=decision.transition.event.event_id,
                    bytes=sizes[number],
                    limit=self._limit,
                    hint="the store or the database is away too long: bring it back",
                )
                sizes[number] = 0

    def _forget(self, number: int) -> None:
        del self._raw[number], self._drawn[number]

    def _note(self, number: int, decision: Decision) -> None:
        self._raw[number] = decision.raw_bytes
        self._drawn[number] = decision.drawn_bytes
        self._checkpoints[decision.checkpoint.camera_id] = decision.checkpoint

    def _write(self, number: int, decision: Decision) -> None:
        write_whole(self._path(number), to_bytes(decision))
        flush_directory(self._folder)

    def _read(self, number: int) -> Decision | None:
        path = self._path(number)
        with self._errors("read"):
            content = path.read_bytes()
            try:
                return from_bytes(content)
            except ValueError as error:
                aside = path.with_suffix(".damaged")
                path.replace(aside)
                flush_directory(self._folder)
                log.error(
                    "decision_damaged",
                    file=str(aside),
                    error=str(error),
                    hint="look at the disk (dmesg); the event's later messages are not affected",
                )
        return None

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012d}.decision"

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            kind = StoreFull if error.errno in _NO_SPACE else StoreUnavailable
            raise kind(
                f"cannot {what} spool {self._folder}: {os.strerror(error.errno or 0)}",
                hint="free some space there, or look at the disk (dmesg)",
            ) from error
