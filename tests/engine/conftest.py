"""Fixtures of the engine's tests; the street that they watch is in painted_street.py."""

from __future__ import annotations

import pytest
from painted_street import Post, make_post


@pytest.fixture
def post() -> Post:
    return make_post()
