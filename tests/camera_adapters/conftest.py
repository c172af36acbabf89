"""A camera at any URL, opened as the engine opens it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from camera_adapters import CameraSource, open_camera
from pipeline.domain import Camera
from pipeline.errors import BrimwatchError


class OpenAt(Protocol):
    def __call__(
        self, url: str, *, look_every_s: float = ..., after: datetime | None = ...
    ) -> CameraSource: ...


@pytest.fixture
def faults() -> list[BrimwatchError]:
    """What the sources of this test told on_fault."""
    return []


@pytest.fixture
def open_at(tmp_path: Path, faults: list[BrimwatchError]) -> OpenAt:
    """Opens camera ``gate`` at a URL that is relative to tmp_path."""

    def open_it(
        url: str, *, look_every_s: float = 5.0, after: datetime | None = None
    ) -> CameraSource:
        return open_camera(
            Camera("gate", url, look_every_s=look_every_s),
            base=tmp_path,
            after=after,
            clock=lambda: datetime.now(UTC),
            on_fault=faults.append,
        )

    return open_it


@pytest.fixture
def at() -> Callable[[float], datetime]:
    """The instant so many seconds after the start of the recordings in these tests."""

    def instant(seconds: float) -> datetime:
        return datetime.fromtimestamp(
            datetime(2026, 6, 1, 8, tzinfo=UTC).timestamp() + seconds, UTC
        )

    return instant
