"""Fixtures that are cameras: real streams on 127.0.0.1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from camera_adapters.testing import RtspServer


class StartRtsp(Protocol):
    """Starts an RTSP server for these mounts (path → video file); it ends with the test."""

    def __call__(
        self, mounts: dict[str, Path], *, codec: str = ..., user: str = ..., password: str = ...
    ) -> RtspServer: ...


@pytest.fixture
def start_rtsp() -> Iterator[StartRtsp]:
    """Real RTSP servers, or a skip with the line that installs what they need."""
    if reason := RtspServer.missing():
        pytest.skip(reason)
    with ExitStack() as stack:

        def start(
            mounts: dict[str, Path], *, codec: str = "H264", user: str = "", password: str = ""
        ) -> RtspServer:
            server = RtspServer(mounts, codec=codec, user=user, password=password)
            return stack.enter_context(server)

        yield start
