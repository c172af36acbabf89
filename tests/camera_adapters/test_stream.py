from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from camera_adapters.stream import StreamCamera
from camera_adapters.testing import number_of, numbered_picture, write_video
from pipeline.domain import Camera, Frame
from pipeline.errors import BrimwatchError, SourceError, SourceMissing, SourceUnreadable
from pipeline.pictures import encode_jpeg

SECRET = "hunter2"


def stream(
    url: str,
    *,
    look_every_s: float = 1.0,
    timeout_s: float = 5.0,
    key_timeout_s: float = 20.0,
    faults: list[BrimwatchError] | None = None,
) -> StreamCamera:
    return StreamCamera(
        Camera("gate", url, look_every_s=look_every_s),
        clock=lambda: datetime.now(UTC),
        on_fault=(faults if faults is not None else []).append,
        open_timeout_s=timeout_s,
        read_timeout_s=timeout_s,
        key_timeout_s=key_timeout_s,
    )


def first(source: StreamCamera, count: int) -> list[Frame]:
    frames = source.frames()
    taken = [next(frames) for _ in range(count)]
    source.close()
    assert list(frames) == []
    return taken


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Six seconds at 25 a second, a key frame each second: numbers 0, 25, 50, ... 125."""
    return write_video(tmp_path / "clip.mp4", map(numbered_picture, range(150)))


@pytest.fixture
def serve_files(tmp_path: Path) -> Iterator[str]:
    """An HTTP server for tmp_path; gives its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base's word
            """Says nothing: the test's output is for the test."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def peer() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """A TCP peer that does to each connection what it is told; gives its port."""
    with contextlib.ExitStack() as stack:

        def start(behave: Callable[[socket.socket], None]) -> int:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            connections: list[socket.socket] = []

            def accept() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        connection, _ = listener.accept()
                        connections.append(connection)
                        behave(connection)

            thread = threading.Thread(target=accept)
            thread.start()
            stack.callback(lambda: [connection.close() for connection in connections])
            stack.callback(thread.join, 5)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            return int(listener.getsockname()[1])

        yield start


@pytest.mark.parametrize(("codec", "encoder"), [("H264", "libx264"), ("H265", "libx265")])
def test_an_rtsp_camera_gives_its_key_frames(
    tmp_path: Path, start_rtsp: Any, codec: str, encoder: str
) -> None:
    clip = write_video(tmp_path / "clip.mp4", map(numbered_picture, range(150)), codec=encoder)
    server = start_rtsp({"/gate": clip}, codec=codec)
    before = datetime.now(UTC)
    frames = first(stream(server.url("/gate")), 4)
    assert all(number_of(frame.image) % 25 == 0 for frame in frames)
    assert [frame.sequence for frame in frames] == [1, 2, 3, 4]
    times = [before, *(frame.captured_at for frame in frames), datetime.now(UTC)]
    assert times == sorted(times)


def test_a_key_frame_in_many_slices_is_put_together(tmp_path: Path, start_rtsp: Any) -> None:
    clip = write_video(
        tmp_path / "clip.mp4",
        (numbered_picture(number, width=320, height=240) for number in range(150)),
        slices=4,
    )
    faults: list[BrimwatchError] = []
    server = start_rtsp({"/gate": clip})
    frames = first(stream(server.url("/gate"), faults=faults), 3)
    assert all(number_of(frame.image) % 25 == 0 for frame in frames)
    assert faults == []


def test_looks_thin_the_key_frames(start_rtsp: Any, clip: Path) -> None:
    server = start_rtsp({"/gate": clip})
    frames = first(stream(server.url("/gate"), look_every_s=3.0), 3)
    gaps = [
        (later.captured_at - earlier.captured_at).total_seconds()
        for earlier, later in pairwise(frames)
    ]
    assert all(1.5 < gap < 4.5 for gap in gaps), gaps


def test_after_a_slow_look_the_newest_key_frame_comes_next(start_rtsp: Any, clip: Path) -> None:
    server = start_rtsp({"/gate": clip})
    frames = stream(server.url("/gate"), look_every_s=0.5).frames()
    next(frames)
    time.sleep(3.5)
    age = datetime.now(UTC) - next(frames).captured_at
    assert age.total_seconds() < 1.5, (
        "what waited meanwhile is gone, the newest is at most a second old"
    )


def test_credentials_open_the_door_and_never_show(start_rtsp: Any, clip: Path) -> None:
    server = start_rtsp({"/gate": clip}, user="admin", password=SECRET)
    right = server.url("/gate", credentials=f"admin:{SECRET}")
    assert len(first(stream(right), 1)) == 1
    for wrong in (server.url("/gate", credentials=f"root:{SECRET}"), right.replace("/gate", "/no")):
        with pytest.raises(SourceError) as failure:
            next(stream(wrong).frames())
        told: BaseException | None = failure.value
        while told is not None:
            assert SECRET not in f"{told!r} {told}"
            told = told.__cause__ or told.__context__


def test_a_wrong_password_is_said_to_be_one(start_rtsp: Any, clip: Path) -> None:
    server = start_rtsp({"/gate": clip}, user="admin", password=SECRET)
    with pytest.raises(SourceError, match="refuses us") as failure:
        next(stream(server.url("/gate", credentials="admin:wrong")).frames())
    assert "password" in failure.value.hint


def test_a_wrong_path_is_missing(start_rtsp: Any, clip: Path) -> None:
    server = start_rtsp({"/gate": clip})
    started = time.monotonic()
    with pytest.raises(SourceMissing, match="404"):
        next(stream(server.url("/yard")).frames())
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_where_nothing_listens_it_is_missing_at_once(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    started = time.monotonic()
    with pytest.raises(SourceMissing, match="nothing listens"):
        next(stream(f"{scheme}://admin:{SECRET}@127.0.0.1:{port}/gate").frames())
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_peer_that_accepts_and_hangs_fails_in_time(peer: Any, scheme: str) -> None:
    port = peer(lambda _: None)
    started = time.monotonic()
    with pytest.raises(SourceError, match="no answer within 1 s while opening"):
        next(stream(f"{scheme}://127.0.0.1:{port}/gate", timeout_s=1.0).frames())
    assert time.monotonic() - started < 4


def test_a_camera_that_falls_silent_fails_in_time(start_rtsp: Any, clip: Path) -> None:
    server = start_rtsp({"/gate": clip})
    frames = stream(server.url("/gate"), timeout_s=2.0).frames()
    next(frames)
    os.kill(server.pid, signal.SIGSTOP)
    started = time.monotonic()
    try:
        with pytest.raises(SourceError, match="while reading"):
            list(frames)
        assert time.monotonic() - started < 6
    finally:
        os.kill(server.pid, signal.SIGCONT)


def test_a_camera_that_goes_away_fails(start_rtsp: Any, clip: Path) -> None:
    server = start_rtsp({"/gate": clip})
    frames = stream(server.url("/gate")).frames()
    next(frames)
    os.kill(server.pid, signal.SIGKILL)
    with pytest.raises(SourceError, match="camera gate"):
        list(frames)


def test_a_stream_without_key_frames_fails_in_time(tmp_path: Path, start_rtsp: Any) -> None:
    clip = write_video(tmp_path / "clip.mp4", map(numbered_picture, range(500)), key_every=500)
    server = start_rtsp({"/gate": clip})
    frames = stream(server.url("/gate"), key_timeout_s=2.0).frames()
    next(frames)
    with pytest.raises(SourceError, match="no key frame for 2 s") as failure:
        next(frames)
    assert "I-frame interval" in failure.value.hint


def test_what_is_not_video_is_unreadable(tmp_path: Path, serve_files: str) -> None:
    (tmp_path / "page.html").write_text("<html>log in</html>" * 200)
    with pytest.raises(SourceUnreadable, match="not video"):
        next(stream(f"{serve_files}/page.html").frames())


@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".mkv"])
def test_video_over_http_gives_its_newest_key_frame_and_then_has_ended(
    tmp_path: Path, serve_files: str, suffix: str
) -> None:
    write_video(tmp_path / f"gate{suffix}", map(numbered_picture, range(150)))
    numbers: list[int] = []
    with pytest.raises(SourceError, match="the stream ended"):
        numbers.extend(
            number_of(frame.image) for frame in stream(f"{serve_files}/gate{suffix}").frames()
        )
    assert numbers[-1] == 125


def test_an_mjpeg_camera_gives_one_picture_a_look(peer: Any) -> None:
    def send_pictures(connection: socket.socket) -> None:
        connection.recv(4096)
        head = "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
        connection.sendall(head.encode())
        with contextlib.suppress(OSError):
            for number in range(100):
                jpeg = encode_jpeg(numbered_picture(number))
                part = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                connection.sendall(part.encode() + jpeg + b"\r\n")
                time.sleep(0.05)

    frames = first(stream(f"http://127.0.0.1:{peer(send_pictures)}/video", look_every_s=0.5), 3)
    numbers = [number_of(frame.image) for frame in frames]
    assert numbers == sorted(set(numbers))
    assert numbers[2] - numbers[1] >= 5, "ten pictures come between two looks"


def test_a_missing_http_stream_is_missing(serve_files: str) -> None:
    with pytest.raises(SourceMissing, match="404"):
        next(stream(f"{serve_files}/gate.ts").frames())


@pytest.mark.parametrize("state", ["opening", "waiting for a look"])
def test_close_from_another_thread_ends_the_frames_at_once(
    peer: Any, start_rtsp: Any, clip: Path, state: str
) -> None:
    if state == "opening":
        source = stream(f"rtsp://127.0.0.1:{peer(lambda _: None)}/gate")
        frames = source.frames()
    else:
        source = stream(start_rtsp({"/gate": clip}).url("/gate"), look_every_s=60.0)
        frames = source.frames()
        next(frames)
    closer = threading.Timer(0.3, source.close)
    closer.start()
    started = time.monotonic()
    assert list(frames) == []
    assert time.monotonic() - started < 1.5
    closer.join()


def test_leaving_the_loop_lets_go_of_the_camera(start_rtsp: Any, clip: Path) -> None:
    server = start_rtsp({"/gate": clip})
    for _ in stream(server.url("/gate")).frames():
        break
    until = time.monotonic() + 5
    while any(thread.name == "reader of gate" for thread in threading.enumerate()):
        assert time.monotonic() < until, "the reader thread goes on"
        time.sleep(0.05)
