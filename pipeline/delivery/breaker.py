"""A breaker per receiver: when a receiver is down, pause instead of hurrying through its messages.

Without it a receiver that is away for an hour would use up the early attempts of every waiting
message, and a hanging one would cost a time-out for each of them. Pure: a value and how it changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.delivery.schedule import Outcome, Result

TOLERATED = 3
"""Failures in a row that may be bad luck. Fewer pauses sooner; more loses attempts in an outage."""
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(seconds=60)
"""After an outage the first message leaves at most this long after the receiver is back."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """Failures in a row that were the receiver's fault, and until when it is left alone (UTC)."""

    failures: int = 0
    open_until: datetime | None = None

    def allows(self, now: datetime) -> bool:
        """Whether a message may be tried now."""
        return self.open_until is None or now >= self.open_until

    def after(self, outcome: Outcome, now: datetime) -> Breaker:
        """The breaker after one more attempt.

        A success closes it. From the third failure in a row on it opens, for 5 s, then twice as
        long each time, up to a minute; after each pause one message is tried. A failure that was
        the message's fault changes nothing.
        """
        if outcome.result is Result.DELIVERED:
            return Breaker()
        if not outcome.receiver_at_fault:
            return self
        failures = self.failures + 1
        until = outcome.hold_until
        if failures >= TOLERATED:
            doublings = min(failures - TOLERATED, 10)
            pause = now + min(FIRST_PAUSE * 2**doublings, LONGEST_PAUSE)
            until = pause if until is None else max(until, pause)
        return Breaker(failures, until)

    def held(self, until: datetime) -> Breaker:
        """The breaker, open at least until then for a reason of our own."""
        return Breaker(
            self.failures, until if self.open_until is None else max(until, self.open_until)
        )
