"""Decisions that wait on disk: none lost, none twice, in order, whatever happens meanwhile."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from painted_street import START, footage, make_post

from pipeline.domain import Event, EventKind, EventState, EvidenceRole, MessageType, Severity
from pipeline.engine.decision import Decision, Picture, from_bytes, to_bytes
from pipeline.engine.spool import Spool
from pipeline.errors import StoreFull, StoreUnavailable
from pipeline.events import Transition
from pipeline.store import Checkpoint, EventQuery, Recording, StoredEvidence
from pipeline.store.memory import MemoryEvidence, MemoryLedger

AT = datetime(2026, 6, 1, 8, tzinfo=UTC)
FULL_DAY = (("clear", 5), ("full", 10), ("clear", 6))

moments = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def decision(
    number: int = 1,
    *,
    raw: bytes = b"raw",
    annotated: bytes | None = b"drawn",
    at: datetime = AT,
    message: MessageType | None = MessageType.EVENT_CONFIRMED,
) -> Decision:
    event = Event(
        event_id=f"event-{number}",
        kind=EventKind.OVERFLOW,
        point_id="点位",
        camera_id="cam",
        zone_id="zone",
        state=EventState.CONFIRMED,
        severity=Severity.MINOR,
        suspected_at=at,
        confirmed_at=at,
        peak_belief=0.97,
    )
    return Decision(
        Transition(event, message, number),
        ((EvidenceRole.CONFIRMED, Picture(at, raw, annotated)),),
        {"county": f"message-{number}"},
        at,
        Checkpoint("cam", at + timedelta(seconds=number), {"lives": {}}),
    )


def waiting(spool: Spool) -> Iterator[str]:
    while (one := spool.oldest()) is not None:
        yield one.transition.event.event_id
        spool.remove_oldest()


@given(
    raw=st.binary(max_size=300),
    annotated=st.none() | st.binary(max_size=300),
    at=moments,
    message=st.none() | st.sampled_from(MessageType),
)
def test_a_record_reads_back_as_it_was_written(
    raw: bytes, annotated: bytes | None, at: datetime, message: MessageType | None
) -> None:
    one = decision(raw=raw, annotated=annotated, at=at, message=message)
    assert from_bytes(to_bytes(one)) == one


@given(data=st.data())
def test_a_record_cut_off_or_altered_anywhere_is_refused(data: st.DataObject) -> None:
    whole = to_bytes(decision())
    index = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ValueError, match=r"cut off or altered|expected"):
        from_bytes(whole[:index])
    altered = bytearray(whole)
    altered[index] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match=r"cut off or altered|expected"):
        from_bytes(bytes(altered))


def test_order_is_kept_over_restarts(tmp_path: Path) -> None:
    for number in range(12):
        Spool(tmp_path).add(decision(number))  # a new process each time
    spool = Spool(tmp_path)
    assert len(spool) == 12
    assert spool.checkpoints["cam"].as_of == AT + timedelta(seconds=11), "the newest"
    assert list(waiting(spool)) == [f"event-{number}" for number in range(12)]
    assert len(Spool(tmp_path)) == 0


def test_an_unfinished_write_is_forgotten_and_a_damaged_record_is_set_aside(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in range(3):
        spool.add(decision(number))
    (tmp_path / ".put-abc").write_bytes(b"half")
    middle = sorted(tmp_path.glob("*.decision"))[1]
    middle.write_bytes(middle.read_bytes()[:-2])
    again = Spool(tmp_path)
    assert list(waiting(again)) == ["event-0", "event-2"]
    assert [path.name for path in tmp_path.iterdir()] == [middle.with_suffix(".damaged").name]


def test_over_the_limit_pictures_go_first_and_events_never(tmp_path: Path) -> None:
    spool = Spool(tmp_path, limit_bytes=2500)
    for number in range(4):
        spool.add(decision(number, raw=b"r" * 500, annotated=b"a" * 500))
    kept = [from_bytes(path.read_bytes()) for path in sorted(tmp_path.glob("*.decision"))]
    assert [one.raw_bytes + one.drawn_bytes for one in kept] == [500, 500, 500, 1000], (
        "the oldest give first"
    )
    assert all(picture.raw for one in kept for _, picture in one.pictures)
    for number in range(4, 12):
        spool.add(decision(number, raw=b"r" * 500, annotated=b"a" * 500))
    assert list(waiting(Spool(tmp_path))) == [f"event-{number}" for number in range(12)]


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Make the system refuse larger files, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_disk_that_takes_nothing_more_is_said_and_what_waits_stays(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add(decision(1))
    with files_no_larger_than(100), pytest.raises((StoreFull, StoreUnavailable)):
        spool.add(decision(2))
    spool.add(decision(3))
    assert list(waiting(Spool(tmp_path))) == ["event-1", "event-3"]


class AwayEvidence(MemoryEvidence):
    """An evidence store that can be away."""

    away = False

    def put(self, key: str, content: bytes) -> StoredEvidence:
        if self.away:
            raise StoreUnavailable("no answer")
        return super().put(key, content)


def test_a_crash_while_the_store_is_away_neither_loses_nor_repeats_an_event(tmp_path: Path) -> None:
    ledger, store = MemoryLedger(), AwayEvidence()
    frames = list(footage(*FULL_DAY))
    post = make_post(ledger=ledger, evidence=store, spool=Spool(tmp_path))
    decider = post.decider()
    for frame in frames:
        since = frame.captured_at - START
        store.away = timedelta(minutes=5) < since < timedelta(minutes=20)
        if since == timedelta(minutes=12):  # the process dies and comes back; the store does not
            assert post.recorder.waiting > 0
            post = make_post(ledger=ledger, evidence=store, spool=Spool(tmp_path))
            decider = post.decider()
            resumed = decider.resume_after("cam")
            assert resumed is not None
            for again in frames:  # the camera's footage is read again from where it stood
                if resumed < again.captured_at < frame.captured_at:
                    decider.decide([again])
        decider.decide([frame])
        decider.catch_up()
    (record,) = ledger.events(EventQuery())
    assert record.event.state is EventState.CLEARED
    assert [one.sequence for one in record.messages] == [1, 2]
    assert len({one.message_id for one in record.messages}) == 2
    assert {one.role for one in record.evidence} == set(EvidenceRole)
    assert post.recorder.waiting == 0


class ForgetfulLedger(MemoryLedger):
    """Writes, and then dies before it can say so."""

    dies = False

    def record(self, recording: Recording) -> None:
        super().record(recording)
        if self.dies:
            raise StoreUnavailable("connection lost")


def test_a_write_whose_answer_was_lost_is_not_written_twice(tmp_path: Path) -> None:
    ledger = ForgetfulLedger()
    post = make_post(ledger=ledger, spool=Spool(tmp_path))
    decider = post.decider()
    for frame in footage(*FULL_DAY):
        ledger.dies = frame.captured_at - START < timedelta(minutes=12)
        decider.decide([frame])
        decider.catch_up()
    (record,) = ledger.events(EventQuery())
    assert record.event.state is EventState.CLEARED
    assert [one.sequence for one in record.messages] == [1, 2]


def test_evidence_given_up_for_want_of_space_leaves_the_event_whole(tmp_path: Path) -> None:
    store = AwayEvidence()
    post = make_post(evidence=store, spool=Spool(tmp_path, limit_bytes=0))
    decider = post.decider()
    for frame in footage(*FULL_DAY):
        store.away = timedelta(minutes=5) < frame.captured_at - START < timedelta(minutes=18)
        decider.decide([frame])
        decider.catch_up()
    (record,) = post.ledger.events(EventQuery())
    assert record.event.state is EventState.CLEARED
    assert len(record.messages) == 2
