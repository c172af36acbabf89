"""What all tests share. Fixtures for servers, cameras and the browser live beside this file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Time limits belong in benchmarks: a busy machine must not fail a property.
settings.register_profile("brimwatch", deadline=None)
settings.load_profile("brimwatch")

_ROOT = Path(__file__).resolve().parent.parent

pytest_plugins = [
    name
    for name in ("conftest_servers", "conftest_cameras", "conftest_browser")
    if (_ROOT / "tests" / f"{name}.py").is_file()
]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the real pictures (BRIMWATCH_DATA), or a skip that says what is missing."""
    named = os.environ.get("BRIMWATCH_DATA")
    folder = Path(named) if named else _ROOT.parent / "shared"
    if not (folder / "datasets" / "bin-overflow-cn").is_dir():
        pytest.skip("no real pictures here: set BRIMWATCH_DATA to the folder that has datasets/")
    return folder
