"""When to try again: what an answer means, and how long to wait. Pure.

The schedule is that of Standard Webhooks 1.0.0: at once, then after 5 s, 5 min, 30 min, 2 h, 5 h,
10 h, 14 h, 20 h and 24 h: ten attempts over about three days, so that a county centre may be down
for a weekend. Waits count from the attempt that failed.
"""

from __future__ import annotations

import email.utils
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

SCHEDULE: tuple[timedelta, ...] = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The wait before each attempt, the first included."""

JITTER = 0.2
"""A wait is stretched by up to this share at random, never shortened, so that many messages that
failed together do not come back together. More spreads better and delivers later."""

LONGEST_RETRY_AFTER = timedelta(hours=24)
"""A receiver cannot send us away for longer than the schedule's own longest wait."""

_GONE = 410
_SUCCESS = range(200, 300)
_REDIRECT = range(300, 400)
_NOT_THE_MESSAGE = frozenset({401, 403, 404, 408, 410, 429})
"""Client errors that speak of the receiver (its address, secret or load), not of a message."""
_SERVER_ERROR = 500


class Result(StrEnum):
    """How an attempt ended: taken, to be tried again, or given up (a person must look)."""

    DELIVERED = "delivered"
    FAILED = "failed"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one attempt met: an HTTP status, or none and why there was none.

    ``retry_after``: the header's text as it came. ``detail``: a short text from the body, or the
    reason.
    """

    status: int | None
    retry_after: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt comes to. ``attempt`` counts from 1.

    ``next_attempt_at`` is None when there is no next one. ``receiver_at_fault``: other messages
    would meet the same, so it is better to pause than to hurry through them. ``hold_until``: the
    receiver itself asked for a pause until then.
    """

    result: Result
    attempt: int
    status: int | None = None
    error: str = ""
    next_attempt_at: datetime | None = None
    receiver_at_fault: bool = False
    hold_until: datetime | None = None


def judge(answer: Answer, *, attempt: int, now: datetime, random: float) -> Outcome:
    """What the answer to attempt number ``attempt`` (from 1) means, at ``now``.

    Only 2xx is success; a redirect is a failure, for following it would send evidence where nobody
    configured it. 410 ends the message: the receiver has switched this address off. Other client
    errors are tried again, since a person may mend the receiver. ``random`` in [0, 1).
    """
    status = answer.status
    if status in _SUCCESS:
        return Outcome(Result.DELIVERED, attempt, status)
    error = _reason(answer)
    at_fault = status is None or status >= _SERVER_ERROR or status in _NOT_THE_MESSAGE
    at_fault = at_fault or status in _REDIRECT
    asked = None if answer.retry_after is None else retry_after(answer.retry_after, now)
    hold_until = None if asked is None else now + asked
    if status == _GONE:
        return Outcome(Result.DEAD, attempt, status, error, None, at_fault, hold_until)
    wait = wait_before(attempt + 1, random)
    if wait is None:
        error = f"{error} (attempt {attempt} of {len(SCHEDULE)}, the last)"
        return Outcome(Result.DEAD, attempt, status, error, None, at_fault, hold_until)
    next_attempt_at = now + max(wait, asked or timedelta(0))
    return Outcome(Result.FAILED, attempt, status, error, next_attempt_at, at_fault, hold_until)


def wait_before(attempt: int, random: float) -> timedelta | None:
    """How long to wait before attempt number ``attempt`` (from 1); None if there is none such.

    >>> wait_before(2, random=0.0)
    datetime.timedelta(seconds=5)
    >>> wait_before(11, random=0.0) is None
    True
    """
    if attempt > len(SCHEDULE):
        return None
    return SCHEDULE[attempt - 1] * (1 + JITTER * random)


def retry_after(text: str, now: datetime) -> timedelta | None:
    """What a ``Retry-After`` asks for, seconds or an HTTP date, at most `LONGEST_RETRY_AFTER`.

    None when the text is neither: then the schedule alone decides. A date in the past asks for
    nothing.

    >>> retry_after("120", datetime(2026, 6, 1, tzinfo=UTC))
    datetime.timedelta(seconds=120)
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        digits = text.lstrip("0")[:10] or "0"
        return min(timedelta(seconds=int(digits)), LONGEST_RETRY_AFTER)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta(0)), LONGEST_RETRY_AFTER)


def _reason(answer: Answer) -> str:
    status = answer.status
    if status is None:
        return answer.detail or "no answer"
    if status == _GONE:
        reason = "the receiver disabled it (410 Gone)"
    elif status in _REDIRECT:
        reason = f"answered {status}, a redirect: not followed, configure the final address"
    else:
        reason = f"answered {status}"
    return f"{reason}: {answer.detail}" if answer.detail else reason
