"""Telling how far a long job is, now and then."""

from __future__ import annotations

from collections.abc import Callable

TOLD_EVERY_S = 5.0
"""Shorter floods a log, longer looks like a job that hangs."""


def teller(
    say: Callable[[str], None], seconds: Callable[[], float], *, every_s: float = TOLD_EVERY_S
) -> Callable[[object], None]:
    """A function to be called with the progress at every step: it says it at most every ``every_s``.

    ``seconds`` is a clock that only goes forward (`time.monotonic`).

    >>> now = iter([0.0, 1.0, 5.0, 6.0])
    >>> tell = teller(print, lambda: next(now))
    >>> for count in (1, 2, 3):
    ...     tell(f"{count} done")
    2 done
    """
    told_at = seconds()

    def tell(progress: object) -> None:
        nonlocal told_at
        now = seconds()
        if now - told_at >= every_s:
            told_at = now
            say(str(progress))

    return tell
