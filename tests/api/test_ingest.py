from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from structlog.testing import capture_logs

import api.ingest
from api.errors import Busy, UnknownCamera
from pipeline.domain import Frame
from pipeline.pictures import encode_jpeg

FRAMES = "/api/v1/cameras/p1-c1/frames"
HEADERS = {
    "Authorization": "Bearer gw-3f9c1b7e5d2a4c68a0e1f2d3c4b5a697",
    "X-Captured-At": "2026-06-01T01:00:00Z",
    "X-Sequence": "1",
}


def _http(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    return encode_jpeg(np.full((90, 160, 3), 120, np.uint8))


def test_a_frame_is_handed_to_its_camera(site: Any, jpeg: bytes) -> None:
    answer = site.client().push(jpeg)
    assert answer.status_code == 202
    assert answer.json() == {
        "camera_id": "p1-c1",
        "sequence": 41,
        "captured_at": "2026-06-01T01:00:00Z",
        "late": False,
    }
    (frame,) = site.offered
    assert (frame.camera_id, frame.sequence) == ("p1-c1", 41)
    assert frame.captured_at == datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
    assert frame.image.shape == (90, 160, 3)


def test_a_frame_older_than_the_newest_is_taken_and_marked_late(site: Any, jpeg: bytes) -> None:
    client = site.client()
    assert client.push(jpeg, captured_at="2026-06-01T01:00:00Z").json()["late"] is False
    assert client.push(jpeg, captured_at="2026-06-01T00:59:00Z").json()["late"] is True
    assert client.push(jpeg, captured_at="2026-06-01T01:01:00Z").json()["late"] is False
    assert len(site.offered) == 3


@pytest.mark.parametrize("key", [None, "wrong", "schlüssel"])
def test_no_key_or_a_wrong_one_is_refused(
    site: Any, problem: Any, jpeg: bytes, key: str | None
) -> None:
    answer = site.client().push(jpeg, key=key, captured_at=None)
    problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert not site.offered


@pytest.mark.parametrize("camera_id", ["p2-c1", "no-such-camera"])
def test_a_key_pushes_only_its_own_cameras(
    site: Any, problem: Any, jpeg: bytes, camera_id: str
) -> None:
    problem(site.client().push(jpeg, camera_id=camera_id), 403, "forbidden")
    assert not site.offered


def test_a_camera_that_nobody_watches_is_not_found(site: Any, problem: Any, jpeg: bytes) -> None:
    def offer(frame: Frame) -> None:
        raise UnknownCamera(f"no camera {frame.camera_id}", hint="add it to the configuration")

    document = problem(site.client(offer_frame=offer).push(jpeg), 404, "not-found")
    assert document["hint"] == "add it to the configuration"


def test_a_full_queue_says_when_to_come_back(site: Any, problem: Any, jpeg: bytes) -> None:
    def offer(frame: Frame) -> None:
        raise Busy(f"{frame.camera_id} has 8 frames waiting", retry_after_s=7)

    answer = site.client(offer_frame=offer).push(jpeg)
    problem(answer, 429, "busy")
    assert answer.headers["retry-after"] == "7"


def test_a_process_without_cameras_takes_no_frames(site: Any, problem: Any, jpeg: bytes) -> None:
    problem(site.client(offer_frame=None).push(jpeg), 503, "no-ingest")


@pytest.mark.parametrize(
    ("headers", "where"),
    [
        ({"captured_at": None}, "X-Captured-At"),
        ({"sequence": None}, "X-Sequence"),
        ({"sequence": "-1"}, "X-Sequence"),
        ({"sequence": "9223372036854775808"}, "X-Sequence"),
        ({"sequence": "many"}, "X-Sequence"),
        ({"captured_at": "yesterday"}, "X-Captured-At"),
        ({"captured_at": "2026-06-01T01:00:00"}, "X-Captured-At"),
    ],
)
def test_a_missing_or_wrong_header_is_named(
    site: Any, problem: Any, jpeg: bytes, headers: dict[str, str | None], where: str
) -> None:
    document = problem(site.client().push(jpeg, **headers), 422, "invalid")
    assert where in document["detail"]
    assert not site.offered


def test_a_clock_that_runs_ahead_is_refused_after_ten_minutes(
    site: Any, problem: Any, jpeg: bytes
) -> None:
    def at(minutes: float) -> str:
        return str((site.now + timedelta(minutes=minutes)).isoformat())

    assert site.client().push(jpeg, captured_at=at(10)).status_code == 202
    answer = site.client().push(jpeg, captured_at=at(10.1))
    assert "NTP" in problem(answer, 422, "captured-in-future")["hint"]


def test_a_time_at_the_end_of_all_times_is_an_answer_not_a_crash(
    site: Any, problem: Any, jpeg: bytes
) -> None:
    answer = site.client().push(jpeg, captured_at="9999-12-31T23:59:59-01:00")
    problem(answer, 422, "invalid")


def test_other_types_are_refused_by_their_content(site: Any, problem: Any) -> None:
    png = b"\x89PNG\r\n\x1a\n" + bytes(100)
    problem(site.client().push(png), 415, "wrong-type")
    problem(site.client().push(b""), 415, "wrong-type")


def test_a_truncated_jpeg_is_refused(site: Any, problem: Any, jpeg: bytes) -> None:
    document = problem(site.client().push(jpeg[: len(jpeg) // 2]), 422, "unusable-picture")
    assert "truncated" in document["detail"]
    assert not site.offered


def test_an_image_bomb_is_refused_before_it_is_decoded(
    site: Any, problem: Any, jpeg: bytes
) -> None:
    at = jpeg.index(b"\xff\xc0")
    bomb = jpeg[: at + 5] + struct.pack(">HH", 60000, 60000) + jpeg[at + 9 :]
    document = problem(site.client().push(bomb), 422, "unusable-picture")
    assert "60000×60000" in document["detail"]


def test_a_frame_that_says_it_is_too_large_is_refused_unread(site: Any, problem: Any) -> None:
    problem(site.client().push(bytes(api.ingest.MAX_FRAME_BYTES + 1)), 413, "too-large")


def test_a_frame_that_does_not_say_its_size_is_cut_off(site: Any, problem: Any) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield bytes(1024 * 1024)
            await asyncio.sleep(0)

    problem(site.client().push(endless()), 413, "too-large")
    assert sent < 12


def test_a_trickling_upload_is_given_up(
    site: Any, problem: Any, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.ingest, "UPLOAD_TIMEOUT_S", 0.1)

    async def trickle() -> AsyncIterator[bytes]:
        yield jpeg[:10]
        await asyncio.sleep(5)

    problem(site.client().push(trickle()), 408, "upload-timeout")


def test_too_many_uploads_at_once_are_sent_away(site: Any, jpeg: bytes) -> None:
    app = site.client().app

    async def uploads() -> list[int]:
        go = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield jpeg[:10]
            await go.wait()
            yield jpeg[10:]

        async with _http(app) as http:
            first = [
                asyncio.create_task(http.post(FRAMES, content=slow(), headers=HEADERS))
                for _ in range(api.ingest.MAX_UPLOADS)
            ]
            await asyncio.sleep(0.2)
            refused = await http.post(FRAMES, content=jpeg, headers=HEADERS)
            assert refused.json()["type"].endswith(":overloaded")
            assert refused.headers["retry-after"] == "1"
            go.set()
            taken = [(await each).status_code for each in first]
            again = await http.post(FRAMES, content=jpeg, headers=HEADERS)
            return [refused.status_code, *taken, again.status_code]

    assert asyncio.run(uploads()) == [503, *[202] * (api.ingest.MAX_UPLOADS + 1)]


def test_a_sender_that_hangs_up_half_way_leaves_no_frame_and_no_trace_in_the_log(
    site: Any, jpeg: bytes
) -> None:
    app = site.client().app
    messages = [
        {"type": "http.request", "body": jpeg[:50], "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def hang_up() -> None:
        async def receive() -> dict[str, Any]:
            return messages.pop(0)

        async def send(_message: Any) -> None:
            return

        scope = {
            "type": "http",
            "method": "POST",
            "path": FRAMES,
            "query_string": b"",
            "headers": [(k.lower().encode(), v.encode()) for k, v in HEADERS.items()],
            "server": ("test", 80),
            "client": ("127.0.0.1", 1),
            "scheme": "http",
        }
        await app(scope, receive, send)

    with capture_logs() as logs:
        asyncio.run(hang_up())
    assert [(one["event"], one["status"]) for one in logs] == [("request", 400)]
    assert not site.offered


def test_decoding_does_not_hold_up_other_requests(site: Any, jpeg: bytes) -> None:
    held = threading.Event()

    def offer(_frame: Frame) -> None:
        held.wait(10)

    app = site.client(offer_frame=offer).app

    async def both() -> tuple[int, int]:
        async with _http(app) as http:
            push = asyncio.create_task(http.post(FRAMES, content=jpeg, headers=HEADERS))
            await asyncio.sleep(0.05)
            alive = await http.get("/livez")
            assert not push.done()
            held.set()
            return alive.status_code, (await push).status_code

    assert asyncio.run(both()) == (200, 202)
