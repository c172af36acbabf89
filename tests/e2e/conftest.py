"""What the whole-path tests share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def brimwatch() -> str:
    """The installed command."""
    command = Path(sys.executable).parent / "brimwatch"
    if not command.is_file():
        pytest.skip("the brimwatch command is not installed beside this Python")
    return str(command)
