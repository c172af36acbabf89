"""Killed with -9 at every step of the write path, on both kinds of back end, and started again.

The steps are those at which something outside the process changes. A child process decides a day of
frames and is killed just before or just after the n-th time that it takes a step; then another one
reads the same footage again from where the ledger and the spool say, as a camera's recorder would.
Ids are random, so a decision that was made twice shows as two events or two messages.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest
from painted_street import RULES, START, PaintDetector, footage

from pipeline.domain import Camera, EventState, EvidenceRole, Frame, MessageType
from pipeline.engine.decider import Decider
from pipeline.engine.decision import Decision
from pipeline.engine.recorder import Recorder
from pipeline.engine.spool import Spool
from pipeline.engine.watch import Watch
from pipeline.errors import StoreUnavailable
from pipeline.store import Checkpoint, EventQuery, EvidenceStore, Recording, StoredEvidence
from pipeline.store.files import FolderEvidence
from pipeline.store.s3 import S3Evidence
from pipeline.store.sql import SqlLedger

FRAMES = list(footage(("clear", 4), ("full", 8), ("clear", 8)))
AWAY = (timedelta(minutes=3), timedelta(minutes=19))
"""From before the suspicion until after the clearing."""


@dataclass(frozen=True)
class Place:
    """Where everything lies that outlives a process."""

    ledger_url: str
    evidence: Callable[[], EvidenceStore]
    spool: Path


@dataclass
class Steps:
    """Counts steps, and kills the process at the one that was chosen."""

    chosen: str = ""
    """For example ``record.before.2``."""

    def __post_init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def __call__(self, step: str) -> None:
        self._counts[step] += 1
        if f"{step}.{self._counts[step]}" == self.chosen:
            os.kill(os.getpid(), signal.SIGKILL)


class SteppedLedger(SqlLedger):
    """The real ledger, each write being a step."""

    steps: Steps

    def record(self, recording: Recording) -> None:
        self.steps("record.before")
        super().record(recording)
        self.steps("record.after")

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        self.steps("checkpoint.before")
        super().save_checkpoint(checkpoint)
        self.steps("checkpoint.after")


class SteppedSpool(Spool):
    """The real spool, each write being a step."""

    steps: Steps

    def add(self, decision: Decision) -> None:
        self.steps("spool.before")
        super().add(decision)
        self.steps("spool.after")

    def remove_oldest(self) -> None:
        self.steps("unspool.before")
        super().remove_oldest()
        self.steps("unspool.after")


class SteppedEvidence:
    """Puts into a real store as steps; can be away."""

    def __init__(self, store: EvidenceStore, steps: Steps) -> None:
        self.away = False
        self._store = store
        self._steps = steps

    def put(self, key: str, content: bytes) -> StoredEvidence:
        if self.away:
            raise StoreUnavailable("no answer")
        self._steps("put.before")
        answer = self._store.put(key, content)
        self._steps("put.after")
        return answer

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def live(place: Place, steps: Steps, *, outage: bool) -> None:
    """One process's life: take up where the last one ended, and decide what is left of the day."""
    ledger = SteppedLedger(place.ledger_url)
    ledger.steps = steps
    evidence = SteppedEvidence(place.evidence(), steps)
    spool = SteppedSpool(place.spool)
    spool.steps = steps
    numbers = count(1)
    recorder = Recorder(
        ledger,
        cast("EvidenceStore", evidence),  # it passes on what is not a put
        receivers=("county",),
        describe=lambda event, rows: {"event_id": event.event_id, "evidence": len(rows)},
        new_id=lambda _at: f"message-{uuid4()}",
        clock=lambda: START,
        on_recorded=lambda _transition: None,
        spool=spool,
    )
    watch = Watch(
        "point",
        Camera("cam", "push:"),
        RULES,
        lambda _at: f"event-{next(numbers)}-{uuid4()}",
        "paint",
    )
    decider = Decider([watch], PaintDetector(), recorder, ledger)
    after = decider.resume_after("cam")
    for frame in FRAMES:
        if after is not None and frame.captured_at <= after:
            continue
        evidence.away = outage and AWAY[0] < frame.captured_at - START < AWAY[1]
        decider.decide([frame])
        decider.catch_up()
    decider.catch_up()
    ledger.close()


def in_a_process(place: Place, chosen: str, *, outage: bool) -> int:
    """The exit code of a child that lives; -9 when it was killed."""
    process = multiprocessing.get_context("fork").Process(
        target=live, args=(place, Steps(chosen)), kwargs={"outage": outage}
    )
    process.start()
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode


def nothing_is_lost_or_told_twice(place: Place) -> None:
    ledger = SqlLedger(place.ledger_url)
    evidence = place.evidence()
    (record,) = ledger.events(EventQuery(states=frozenset(EventState)))
    assert record.event.state is EventState.CLEARED
    assert [one.type for one in record.messages] == [
        MessageType.EVENT_CONFIRMED,
        MessageType.EVENT_CLEARED,
    ]
    assert [one.sequence for one in record.messages] == [1, 2]
    assert EvidenceRole.CONFIRMED in {one.role for one in record.evidence}
    assert EvidenceRole.AFTER in {one.role for one in record.evidence}
    for one in record.evidence:
        assert len(evidence.get(one.key)) == one.size
    assert len(Spool(place.spool)) == 0
    ledger.close()


STEPS = [
    *(f"put.{side}.{n}" for side in ("before", "after") for n in range(1, 7)),
    *(f"record.{side}.{n}" for side in ("before", "after") for n in range(1, 4)),
    *(f"checkpoint.{side}.{n}" for side in ("before", "after") for n in (1, 5, 9)),
]
AWAY_STEPS = [
    f"{step}.{side}.{n}"
    for step in ("spool", "unspool", "put", "record")
    for side in ("before", "after")
    for n in (1, 2)
]


@pytest.fixture
def local(tmp_path: Path) -> Place:
    """SQLite and a folder."""
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    SqlLedger.open(url).close()
    root = tmp_path / "evidence"
    root.mkdir()
    return Place(url, lambda: FolderEvidence(root, link_key=b"k" * 32), tmp_path / "spool")


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """PostgreSQL and S3."""
    url = str(request.getfixturevalue("postgres_database"))
    SqlLedger.open(url).close()
    server = request.getfixturevalue("s3_server")
    bucket = f"crash-{uuid4().hex[:12]}"

    def store() -> S3Evidence:
        return S3Evidence(
            server.endpoint, bucket, server.access_key, server.secret_key, secure=False
        )

    store().init()
    return Place(url, store, tmp_path / "spool")


def crash_and_return(place: Place, step: str, *, outage: bool) -> None:
    assert in_a_process(place, step, outage=outage) == -signal.SIGKILL, f"{step} is never reached"
    assert in_a_process(place, "", outage=outage) == 0
    nothing_is_lost_or_told_twice(place)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step_with_sqlite_and_a_folder(local: Place, step: str) -> None:
    crash_and_return(local, step, outage=False)


@pytest.mark.parametrize("step", AWAY_STEPS)
def test_killed_at_a_step_while_the_folder_is_away_or_just_back(local: Place, step: str) -> None:
    crash_and_return(local, step, outage=True)


@pytest.mark.parametrize("step", STEPS[1::3])
def test_killed_at_a_step_with_postgresql_and_s3(served: Place, step: str) -> None:
    crash_and_return(served, step, outage=False)


@pytest.mark.parametrize("step", AWAY_STEPS[::2])
def test_killed_at_a_step_while_s3_is_away_or_just_back(served: Place, step: str) -> None:
    crash_and_return(served, step, outage=True)


def test_without_a_crash_the_same_is_true(local: Place) -> None:
    assert in_a_process(local, "", outage=True) == 0
    nothing_is_lost_or_told_twice(local)


def test_frames_cover_the_day() -> None:
    """The outage begins before the suspicion and ends before the last frame."""
    first, last = FRAMES[0], FRAMES[-1]
    assert isinstance(first, Frame)
    assert first.captured_at < START + AWAY[0] < START + AWAY[1] < last.captured_at
