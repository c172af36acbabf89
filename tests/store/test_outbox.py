"""What every outbox keeps to: who is due, in which order, and what holds a message back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_words import START, at, message, told

from pipeline.domain import MessageState
from pipeline.store import Outbox
from pipeline.store.memory import MemoryLedger
from pipeline.store.sql import SqlLedger

if TYPE_CHECKING:
    from conftest import AnyLedger

LATER = at(3600)
NEVER = at(10**9)


def due_ids(outbox: Outbox, seconds: float = 3600, **options: Any) -> list[str]:
    return [message.message_id for message in outbox.due(at(seconds), **options)]


def test_a_line_is_told_in_order(ledger: AnyLedger) -> None:
    ledger.record(told(*(message(f"m-{n}", sequence=n) for n in (2, 0, 1))))
    for expected in ("m-0", "m-1", "m-2"):
        assert due_ids(ledger) == [expected]
        ledger.mark_delivered(expected, LATER)
    assert due_ids(ledger) == []
    assert ledger.next_due_at() is None


def test_lines_do_not_wait_for_each_other(ledger: AnyLedger) -> None:
    ledger.record(
        told(
            message("m-1", seconds=3),
            message("m-2", seconds=2, receiver="city"),
            message("m-3", seconds=1, subject="event-2"),
        )
    )
    assert due_ids(ledger) == ["m-3", "m-2", "m-1"]
    assert due_ids(ledger, limit=2) == ["m-3", "m-2"]
    assert due_ids(ledger, besides=["city"]) == ["m-3", "m-1"]
    assert due_ids(ledger, besides={"city", "county"}) == []


def test_a_failed_message_waits_and_holds_back_those_behind_it(ledger: AnyLedger) -> None:
    ledger.record(told(message("m-1"), message("m-2", sequence=1)))
    ledger.mark_failed("m-1", at=at(1), next_attempt_at=at(60), error="503 Service Unavailable")

    assert due_ids(ledger, 59.999999) == []
    assert ledger.next_due_at() == at(60)
    assert due_ids(ledger, 60) == ["m-1"]
    (first,) = ledger.due(at(60))
    assert (first.attempts, first.last_error) == (1, "503 Service Unavailable")
    assert first.state is MessageState.WAITING
    ledger.mark_delivered("m-1", at(61))
    assert due_ids(ledger, 61) == ["m-2"]


def test_a_dead_message_holds_back_those_behind_it_and_nobody_else(ledger: AnyLedger) -> None:
    other = message("m-3", subject="event-2", seconds=5)
    ledger.record(told(message("m-1"), message("m-2", sequence=1), other))
    ledger.mark_failed("m-1", at=at(1), next_attempt_at=None, error="410 Gone")

    assert due_ids(ledger) == ["m-3"]
    assert ledger.next_due_at() == other.created_at
    ledger.mark_delivered("m-3", LATER)
    assert ledger.next_due_at() is None
    assert [m.message_id for m in ledger.messages(state=MessageState.DEAD)] == ["m-1"]


def test_a_revived_message_is_due_at_once_under_its_own_id_with_a_fresh_schedule(
    ledger: AnyLedger,
) -> None:
    ledger.record(told(message("m-1"), message("m-2", sequence=1)))
    ledger.mark_failed("m-1", at=at(1), next_attempt_at=at(2), error="503")
    ledger.mark_failed("m-1", at=at(2), next_attempt_at=None, error="410 Gone")

    assert ledger.revive("m-1", at(50))
    assert due_ids(ledger, 49) == []
    (revived,) = ledger.due(at(50))
    assert (revived.message_id, revived.attempts) == ("m-1", 0)
    assert (revived.state, revived.last_error) == (MessageState.WAITING, "410 Gone")
    ledger.mark_delivered("m-1", at(51))
    assert due_ids(ledger, 51) == ["m-2"]


def test_only_what_is_dead_can_be_revived(ledger: AnyLedger) -> None:
    ledger.record(told(message("m-1"), message("m-2", subject="event-2")))
    ledger.mark_failed("m-1", at=at(1), next_attempt_at=at(60), error="503")
    ledger.mark_delivered("m-2", at(1))
    before = ledger.messages()

    assert not ledger.revive("m-1", at(2))
    assert not ledger.revive("m-2", at(2))
    assert ledger.messages() == before
    with pytest.raises(KeyError, match="m-9"):
        ledger.revive("m-9", at(2))


def test_all_the_dead_can_be_revived_together(ledger: AnyLedger) -> None:
    ledger.record(told(*(message(f"m-{n}", subject=f"event-{n}", seconds=n) for n in range(3))))
    for name in ("m-0", "m-2"):
        ledger.mark_failed(name, at=at(1), next_attempt_at=None, error="410 Gone")

    assert ledger.revive_dead(at(60)) == 2
    assert ledger.revive_dead(at(60)) == 0
    assert due_ids(ledger, 60) == ["m-0", "m-1", "m-2"]


def test_the_queue_says_who_holds_back_whom(ledger: AnyLedger) -> None:
    line = (message(f"m-{n}", sequence=n, seconds=n) for n in range(4))
    ledger.record(told(*line, message("m-9", receiver="city", sequence=1, seconds=9)))
    ledger.mark_delivered("m-0", at(10))
    ledger.mark_failed("m-1", at=at(11), next_attempt_at=None, error="410 Gone")

    said = {
        entry.message.message_id: (entry.held_back_by, entry.holds_back) for entry in ledger.queue()
    }
    assert said == {
        "m-9": (None, 0),
        "m-3": ("m-1", 0),
        "m-2": ("m-1", 1),
        "m-1": (None, 2),
        "m-0": (None, 0),
    }
    (dead,) = ledger.queue(state=MessageState.DEAD)
    assert (dead.message.message_id, dead.holds_back) == ("m-1", 2)


def test_the_queue_is_read_page_by_page(ledger: AnyLedger) -> None:
    ledger.record(told(*(message(f"m-{n}", subject=f"event-{n}") for n in range(5))))
    pages = []
    before = None
    while page := ledger.queue(state=MessageState.WAITING, before=before, limit=2):
        pages.append([entry.message.message_id for entry in page])
        before = (page[-1].message.created_at, page[-1].message.message_id)
    assert pages == [["m-4", "m-3"], ["m-2", "m-1"], ["m-0"]]
    assert ledger.queue(receiver="city") == []


def test_a_message_may_be_put_in_for_later(ledger: AnyLedger) -> None:
    ledger.record(told(message(next_attempt_at=at(30))))
    assert due_ids(ledger, 29) == []
    assert ledger.next_due_at() == at(30)
    assert due_ids(ledger, 30) == ["message-1"]


def test_a_message_without_a_time_is_due_whatever_the_clock_says(ledger: AnyLedger) -> None:
    ledger.record(told(message(seconds=100)))
    assert due_ids(ledger, -86400) == ["message-1"]


def test_a_delivered_message_says_when_and_after_how_many_attempts(ledger: AnyLedger) -> None:
    ledger.record(told(message()))
    ledger.mark_failed("message-1", at=at(1), next_attempt_at=at(2), error="timeout")
    ledger.mark_delivered("message-1", at(3))
    ledger.mark_delivered("message-1", at(4))

    (delivered,) = ledger.messages()
    assert delivered.state is MessageState.DELIVERED
    assert (delivered.attempts, delivered.delivered_at) == (2, at(3))
    assert (delivered.next_attempt_at, delivered.last_error) == (None, "timeout")


def test_a_late_failure_does_not_undo_a_delivery(ledger: AnyLedger) -> None:
    ledger.record(told(message()))
    ledger.mark_delivered("message-1", at(1))
    ledger.mark_failed("message-1", at=at(2), next_attempt_at=at(3), error="slow worker")
    assert due_ids(ledger) == []
    assert ledger.counts()[MessageState.DELIVERED] == 1


def test_a_message_nobody_knows_is_an_error(ledger: AnyLedger) -> None:
    with pytest.raises(KeyError, match="m-9"):
        ledger.mark_delivered("m-9", START)
    with pytest.raises(KeyError, match="m-9"):
        ledger.mark_failed("m-9", at=START, next_attempt_at=None, error="")


def test_what_a_receiver_answers_is_kept_readable(ledger: AnyLedger) -> None:
    ledger.record(told(message()))
    ledger.mark_failed("message-1", at=START, next_attempt_at=LATER, error="坏\x00了 \ud800")
    (kept,) = ledger.messages()
    assert kept.last_error == "坏\ufffd了 ?"


def test_messages_are_listed_newest_first(ledger: AnyLedger) -> None:
    ledger.record(
        told(*(message(f"m-{n}", receiver="ab"[n % 2], sequence=n, seconds=n) for n in range(4)))
    )
    ledger.mark_delivered("m-0", LATER)

    def listed(**wanted: object) -> list[str]:
        return [each.message_id for each in ledger.messages(**wanted)]  # type: ignore[arg-type]

    assert listed() == ["m-3", "m-2", "m-1", "m-0"]
    assert listed(limit=1) == ["m-3"]
    assert listed(receiver="a") == ["m-2", "m-0"]
    assert listed(receiver="a", state=MessageState.WAITING) == ["m-2"]
    assert ledger.counts() == {
        MessageState.WAITING: 3,
        MessageState.DELIVERED: 1,
        MessageState.DEAD: 0,
    }


Step = tuple[str, tuple[str, str] | int]

# The line of a message is (receiver, event); a step does something to one message of one line.
LINES = st.tuples(st.sampled_from(["county", "city"]), st.sampled_from(["e-1", "e-2"]))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("record"), LINES),
        st.tuples(st.sampled_from(["deliver", "fail", "kill"]), st.integers(0, 3)),
        st.tuples(st.just("revive"), st.integers(0, 3)),
    ),
    max_size=25,
)


def play(outbox: AnyLedger, steps: list[Step]) -> list[object]:
    """Do the steps, check after each what must always hold, and return all that was seen."""
    lines: dict[tuple[str, str], list[str]] = {}
    delivered: list[str] = []
    dead: set[str] = set()
    seen: list[object] = []
    for number, (what, which) in enumerate(steps):
        now = at(number)
        if isinstance(which, tuple):
            receiver, subject = which
            line = lines.setdefault((receiver, subject), [])
            name = f"m-{number:03}"
            new = message(
                name, receiver=receiver, subject=subject, sequence=len(line), seconds=number
            )
            line.append(name)
            outbox.record(told(new, event_id=subject))
            outbox.record(told(new, event_id=subject))
        elif what == "revive":
            if dead:
                name = sorted(dead)[which % len(dead)]
                assert outbox.revive(name, now)
                dead.discard(name)
        else:
            heads = outbox.due(NEVER)
            if not heads:
                continue
            name = heads[which % len(heads)].message_id
            if what == "deliver":
                outbox.mark_delivered(name, now)
                delivered.append(name)
            else:
                again = now + timedelta(seconds=3) if what == "fail" else None
                outbox.mark_failed(name, at=now, next_attempt_at=again, error=what)
                dead |= {name} if again is None else set()
        heads = outbox.due(NEVER)
        for head in heads:
            line = lines[head.receiver, head.subject]
            before = line[: line.index(head.message_id)]
            assert set(before) <= set(delivered), "a message came before an undelivered one"
            assert head.message_id not in dead
        for line in lines.values():
            told_of_line = [name for name in delivered if name in line]
            assert told_of_line == line[: len(told_of_line)], "a line was told out of order"
        assert all(each in heads for each in outbox.due(now))
        earliest = outbox.next_due_at()
        assert (earliest is None) == (not heads)
        seen.append(([head.message_id for head in outbox.due(now)], earliest))
    seen.append((sorted(outbox.counts().items()), outbox.queue()))
    return seen


@given(steps=STEPS)
def test_lines_keep_their_order_whatever_happens(steps: list[Step]) -> None:
    play(MemoryLedger(), steps)


@given(steps=STEPS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_sqlite_and_memory_say_the_same(
    new_sqlite_ledger: Callable[[], SqlLedger], steps: list[Step]
) -> None:
    assert play(new_sqlite_ledger(), steps) == play(MemoryLedger(), steps)
