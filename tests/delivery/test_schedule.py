from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.delivery.breaker import LONGEST_PAUSE, TOLERATED, Breaker
from pipeline.delivery.schedule import (
    JITTER,
    LONGEST_RETRY_AFTER,
    SCHEDULE,
    Answer,
    Outcome,
    Result,
    judge,
    retry_after,
    wait_before,
)

NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
RANDOM = st.floats(0, 1, exclude_max=True)
FAILURES = st.one_of(st.none(), st.integers(300, 599).filter(lambda status: status != 410))


def outcome(status: int | None, *, attempt: int = 1, after: str | None = None) -> Outcome:
    return judge(Answer(status, after, "because"), attempt=attempt, now=NOW, random=0.0)


@pytest.mark.parametrize(
    ("status", "result", "says"),
    [
        (200, Result.DELIVERED, ""),
        (204, Result.DELIVERED, ""),
        (302, Result.FAILED, "a redirect: not followed"),
        (400, Result.FAILED, "answered 400"),
        (401, Result.FAILED, "answered 401"),
        (404, Result.FAILED, "answered 404"),
        (410, Result.DEAD, "the receiver disabled it"),
        (429, Result.FAILED, "answered 429"),
        (500, Result.FAILED, "answered 500"),
        (None, Result.FAILED, "because"),
    ],
)
def test_what_an_answer_means(status: int | None, result: Result, says: str) -> None:
    found = outcome(status)
    assert found.result is result
    assert says in found.error
    assert (found.next_attempt_at is None) == (result is not Result.FAILED)


def test_ten_attempts_over_about_three_days() -> None:
    assert len(SCHEDULE) == 10
    assert timedelta(days=3) < sum(SCHEDULE, timedelta()) < timedelta(days=3.3)
    assert outcome(500, attempt=9).result is Result.FAILED
    last = outcome(500, attempt=10)
    assert last.result is Result.DEAD
    assert "attempt 10 of 10" in last.error


@given(attempt=st.integers(2, 10), random=RANDOM)
def test_a_wait_is_never_shortened_and_bounded(attempt: int, random: float) -> None:
    wait = wait_before(attempt, random)
    assert wait is not None
    assert SCHEDULE[attempt - 1] <= wait <= SCHEDULE[attempt - 1] * (1 + JITTER)


@given(attempt=st.integers(1, 9), early=RANDOM, late=RANDOM)
def test_waits_grow_whatever_the_jitter(attempt: int, early: float, late: float) -> None:
    before, after = wait_before(attempt, early), wait_before(attempt + 1, late)
    assert before is not None
    assert after is not None
    assert before <= after


@given(status=FAILURES, attempt=st.integers(1, 9), random=RANDOM, asked=st.integers(0, 10**12))
def test_never_earlier_than_the_receiver_asked_nor_than_the_schedule(
    status: int | None, attempt: int, random: float, asked: int
) -> None:
    found = judge(Answer(status, str(asked)), attempt=attempt, now=NOW, random=random)
    bounded = min(timedelta(seconds=min(asked, 10**7)), LONGEST_RETRY_AFTER)
    assert found.next_attempt_at is not None
    assert found.next_attempt_at - NOW >= max(bounded, SCHEDULE[attempt])
    assert found.next_attempt_at - NOW <= max(bounded, SCHEDULE[attempt] * (1 + JITTER))


@given(st.integers(-800_000_000, 800_000_000))
def test_retry_after_as_a_date(seconds: int) -> None:
    moment = NOW + timedelta(seconds=seconds)
    expected = min(max(moment - NOW, timedelta(0)), LONGEST_RETRY_AFTER)
    assert retry_after(format_datetime(moment, usegmt=True), NOW) == expected


@given(st.text())
def test_any_retry_after_is_understood_or_ignored(text: str) -> None:
    found = retry_after(text, NOW)
    assert found is None or timedelta(0) <= found <= LONGEST_RETRY_AFTER


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "²", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_a_retry_after_that_is_neither_seconds_nor_a_date_is_ignored(text: str) -> None:
    assert retry_after(text, NOW) is None


def test_a_receiver_that_fails_thrice_is_left_alone_for_a_while() -> None:
    breaker, now = Breaker(), NOW
    for _ in range(TOLERATED - 1):
        breaker = breaker.after(outcome(503), now)
        assert breaker.allows(now)
    breaker = breaker.after(outcome(None), now)
    assert not breaker.allows(now)
    assert breaker.allows(now + timedelta(seconds=5))
    assert breaker.after(outcome(200), now) == Breaker()


def test_pauses_grow_to_a_minute() -> None:
    breaker = Breaker()
    for _ in range(50):
        breaker = breaker.after(outcome(500), NOW)
    assert breaker.open_until == NOW + LONGEST_PAUSE


def test_a_message_that_is_refused_does_not_stop_the_others() -> None:
    breaker = Breaker()
    for status in (400, 413, 422, 409):
        breaker = breaker.after(outcome(status), NOW)
    assert breaker == Breaker()


def test_a_receiver_that_asks_for_a_pause_gets_it_from_the_first_time() -> None:
    breaker = Breaker().after(outcome(429, after="120"), NOW)
    assert not breaker.allows(NOW + timedelta(seconds=119))
    assert breaker.allows(NOW + timedelta(seconds=120))
