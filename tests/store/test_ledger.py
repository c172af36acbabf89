"""What every ledger keeps to: memory, SQLite, PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from store_words import START, at, event, message, picture

from pipeline.domain import EventState, EvidenceForm, EvidenceRole, MessageState
from pipeline.store import Checkpoint, EventQuery, EventRecord, Recording

if TYPE_CHECKING:
    from conftest import AnyLedger

LATER = at(3600)
STATE = {"belief": 0.1, "zones": {"z-1": [1, 2.5, None, True]}, "point": "满溢"}


def test_a_decision_is_there_whole(ledger: AnyLedger) -> None:
    confirmed = event(
        confirmed_at=at(180),
        cleared_at=at(900),
        ended_at=at(900.000001),
        peak_belief=0.998,
        confidence=0.87,
        model_hash="abc",
    )
    before = picture(b"before", role=EvidenceRole.BEFORE)
    raw = picture(b"raw", seconds=180)
    drawn = picture(b"drawn", form=EvidenceForm.ANNOTATED, seconds=180)
    tell = message(data={"point": "人民路", "nested": {"list": [1, 2.5, None]}}, seconds=180)
    where = Checkpoint("c-1", at(180), STATE)

    ledger.record(Recording(confirmed, [drawn, raw, before], [tell], where))

    assert ledger.event("event-1") == EventRecord(confirmed, (before, drawn, raw), (tell,))
    assert ledger.load_checkpoint("c-1") == where


def test_what_was_never_recorded_is_none(ledger: AnyLedger) -> None:
    assert ledger.event("event-1") is None
    assert ledger.load_checkpoint("c-1") is None
    assert ledger.events(EventQuery()) == []


def test_recording_twice_changes_nothing(ledger: AnyLedger) -> None:
    recording = Recording(event(), [picture()], [message()], Checkpoint("c-1", START, STATE))
    ledger.record(recording)
    once = ledger.event("event-1")
    ledger.record(recording)
    assert ledger.event("event-1") == once


def test_a_repeated_recording_never_sends_again(ledger: AnyLedger) -> None:
    recording = Recording(event(), messages=[message("delivered"), message("dead", receiver="b")])
    ledger.record(recording)
    ledger.mark_delivered("delivered", LATER)
    ledger.mark_failed("dead", at=LATER, next_attempt_at=None, error="410 Gone")
    ledger.record(recording)

    assert ledger.due(LATER) == []
    assert ledger.counts()[MessageState.WAITING] == 0


def test_the_latest_recording_of_an_event_stands(ledger: AnyLedger) -> None:
    ledger.record(Recording(event(), [picture(b"first")], [message("m-1")]))
    cleared = event(state=EventState.CLEARED, cleared_at=LATER)
    after = picture(b"after", role=EvidenceRole.AFTER, seconds=3600)
    ledger.record(Recording(cleared, [after], [message("m-2", sequence=1, seconds=3600)]))

    record = ledger.event("event-1")
    assert record is not None
    assert record.event == cleared
    assert [row.role for row in record.evidence] == [EvidenceRole.CONFIRMED, EvidenceRole.AFTER]
    assert [row.message_id for row in record.messages] == ["m-1", "m-2"]


def test_evidence_that_is_there_stays_as_it_is(ledger: AnyLedger) -> None:
    first = picture()
    ledger.record(Recording(event(), [first]))
    ledger.record(Recording(event(), [replace(first, size=1, media_type="image/png")]))
    record = ledger.event("event-1")
    assert record is not None
    assert record.evidence == (first,)


def test_one_picture_may_be_evidence_of_two_events_and_in_two_roles(ledger: AnyLedger) -> None:
    before, confirmed = picture(role=EvidenceRole.BEFORE), picture(role=EvidenceRole.CONFIRMED)
    ledger.record(Recording(event("event-1"), [before, confirmed]))
    ledger.record(Recording(event("event-2"), [confirmed]))
    found = {each.event.event_id: len(each.evidence) for each in ledger.events(EventQuery())}
    assert found == {"event-1": 2, "event-2": 1}


def test_a_cameras_checkpoint_is_replaced(ledger: AnyLedger) -> None:
    ledger.save_checkpoint(Checkpoint("c-1", START, {"n": 1}))
    ledger.save_checkpoint(Checkpoint("c-2", START, {"n": 2}))
    ledger.save_checkpoint(Checkpoint("c-1", LATER, {"n": 3}))
    assert ledger.load_checkpoint("c-1") == Checkpoint("c-1", LATER, {"n": 3})
    assert ledger.load_checkpoint("c-2") == Checkpoint("c-2", START, {"n": 2})


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 6, 1, tzinfo=UTC),
        datetime(2026, 6, 1, 0, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 6, 1, 8, tzinfo=timezone(timedelta(hours=8))),
    ],
)
def test_times_come_back_to_the_microsecond_in_utc(ledger: AnyLedger, moment: datetime) -> None:
    ledger.record(Recording(replace(event(), suspected_at=moment)))
    record = ledger.event("event-1")
    assert record is not None
    assert record.event.suspected_at == moment
    assert ledger.events(EventQuery(since=moment, until=moment + timedelta(microseconds=1)))


def ids(ledger: AnyLedger, query: EventQuery) -> list[str]:
    return [record.event.event_id for record in ledger.events(query)]


def test_events_are_listed_newest_first_without_passing_suspicions(ledger: AnyLedger) -> None:
    for number, state in enumerate(EventState):
        ledger.record(Recording(event(state.value, state=state, seconds=number)))

    assert ids(ledger, EventQuery()) == ["expired", "rejected", "cleared", "confirmed"]
    open_ones = frozenset({EventState.SUSPECTED, EventState.CONFIRMED})
    assert ids(ledger, EventQuery(states=open_ones)) == ["confirmed", "suspected"]
    only = EventQuery(states=frozenset({EventState.DISMISSED}))
    assert ids(ledger, only) == ["dismissed"]


def test_events_are_found_by_point_and_by_time(ledger: AnyLedger) -> None:
    for number in range(4):
        ledger.record(Recording(event(f"e-{number}", seconds=number, point_id=f"p-{number % 2}")))

    assert ids(ledger, EventQuery(point_id="p-1")) == ["e-3", "e-1"]
    assert ids(ledger, EventQuery(since=at(1), until=at(3))) == ["e-2", "e-1"]
    assert ids(ledger, EventQuery(point_id="p-1", until=at(3))) == ["e-1"]
    assert ids(ledger, EventQuery(point_id="nowhere")) == []


def test_pages_follow_each_other_also_among_equal_times(ledger: AnyLedger) -> None:
    for name in "badcfe":
        ledger.record(Recording(event(name, seconds=0 if name < "d" else 1e-6)))

    pages: list[list[str]] = []
    query = EventQuery(limit=2)
    while page := ledger.events(query):
        pages.append([record.event.event_id for record in page])
        last = page[-1].event
        query = replace(query, before=(last.suspected_at, last.event_id))
    assert pages == [["f", "e"], ["d", "c"], ["b", "a"]]


def test_a_recording_that_is_refused_leaves_nothing(ledger: AnyLedger) -> None:
    not_json = Checkpoint("c-1", START, {"belief": float("nan")})
    with pytest.raises(Exception, match=r"not JSON compliant|Out of range"):
        ledger.record(Recording(event(), [picture()], [message()], not_json))
    assert ledger.event("event-1") is None
    assert ledger.due(LATER) == []


def test_several_threads_write_and_read_at_once(ledger: AnyLedger) -> None:
    def one(number: int) -> None:
        name = f"event-{number}"
        told = message(f"m-{number}", subject=name)
        ledger.record(Recording(event(name), [picture()], [told], Checkpoint("c", START, {})))
        assert ledger.event(name) is not None
        ledger.mark_delivered(told.message_id, LATER)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(one, range(60)))
    assert len(ledger.events(EventQuery(limit=100))) == 60
    assert ledger.counts()[MessageState.DELIVERED] == 60


def test_a_ledger_that_works_passes_its_check(ledger: AnyLedger) -> None:
    try:
        ledger.check()
    except Exception as error:
        if "MiB left" in str(error):
            pytest.skip(f"this machine's disk is nearly full: {error}")
        raise
