from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # so that tests find the two modules below
from delivery_desk import Desk
from faulty_receiver import Behaviour, FaultyReceiver


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def faulty() -> Iterator[Callable[..., FaultyReceiver]]:
    """Start a receiver that behaves as told; it ends with the test."""
    with ExitStack() as stack:

        def start(*behaviours: Behaviour) -> FaultyReceiver:
            return stack.enter_context(FaultyReceiver(behaviours))

        yield start
