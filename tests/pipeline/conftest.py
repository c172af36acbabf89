"""Values that the tests of the middle share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

import pytest

from pipeline.belief import Likelihood, Rates
from pipeline.domain import EventKind
from pipeline.events import Laws, Place

START = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def laws() -> Laws:
    """A detector with hit rates 0.9 (overflowing) and 0.05 (clear), and the default rules."""
    likelihood = Likelihood((0.0, 0.5, 1.0), (0.1, 0.9), (0.95, 0.05))
    return Laws(Rates.constant(0.25, 0.7), likelihood)


@pytest.fixture
def place() -> Place:
    return Place("p1", "p1-cam", "p1-bin", EventKind.OVERFLOW)


@pytest.fixture
def new_id() -> Callable[[datetime], str]:
    numbers = count(1)
    return lambda _at: f"id-{next(numbers)}"
