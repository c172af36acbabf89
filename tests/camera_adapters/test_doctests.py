from __future__ import annotations

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("name", ["failures", "source", "stream"])
def test_the_examples_in_the_docstrings_hold(name: str) -> None:
    result = doctest.testmod(import_module(f"camera_adapters.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
