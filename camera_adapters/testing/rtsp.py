"""A real RTSP server in a process of its own, on 127.0.0.1."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

_PYTHON = "/usr/bin/python3"
_SCRIPT = Path(__file__).with_name("gst_rtsp_server.py")
_NEEDS = (
    "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0'); "
    "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
    "assert all(map(Gst.ElementFactory.find, ('parsebin', 'qtdemux', 'rtph264pay', 'h264parse')))"
)
INSTALL = (
    "apt-get install gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base "
    "gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
)


class RtspServer:
    """Serves H.264 or H.265 video files in a loop, each at its path, like cameras that never end.

    A context manager. Needs Debian's GStreamer bindings for the system's python3: `missing` says
    whether they are there. ``mounts``: path → video file.
    """

    def __init__(
        self,
        mounts: Mapping[str, Path],
        *,
        codec: str = "H264",
        user: str = "",
        password: str = "",
    ) -> None:
        self._wanted = {
            "mounts": {path: str(file) for path, file in mounts.items()},
            "codec": codec,
            "user": user,
            "password": password,
        }
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    @staticmethod
    @cache
    def missing() -> str:
        """Why the server can't run here, with the line that mends it; empty when it can."""
        try:
            probe = subprocess.run(  # noqa: S603 - a fixed command
                [_PYTHON, "-c", _NEEDS], check=False, capture_output=True, timeout=60, text=True
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"no system python3 for the RTSP server ({error}): {INSTALL}"
        if probe.returncode:
            return f"no GStreamer RTSP server here: {INSTALL}"
        return ""

    def url(self, path: str, *, credentials: str = "") -> str:
        """The address of a mount; ``credentials`` as ``user:password``."""
        return f"rtsp://{credentials + '@' if credentials else ''}127.0.0.1:{self.port}{path}"

    @property
    def pid(self) -> int:
        """The server's process, for tests that stop and continue it."""
        if self._process is None:
            raise ValueError("the RTSP server is not running")
        return self._process.pid

    def __enter__(self) -> Self:
        process = subprocess.Popen(  # noqa: S603 - a fixed command
            [_PYTHON, str(_SCRIPT), json.dumps(self._wanted)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._process = process
        line = process.stdout.readline() if process.stdout else ""
        if not line.strip():
            self.__exit__(None, None, None)
            raise RuntimeError(f"the RTSP server did not start (exit {process.returncode})")
        self.port = int(line)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()
