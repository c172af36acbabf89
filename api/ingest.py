"""Frames pushed by gateways: ``POST /api/v1/cameras/{camera_id}/frames``."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

import anyio
import anyio.to_thread
from fastapi import APIRouter, Depends, Header, Path, Request
from pydantic import BaseModel, ConfigDict

from api.errors import RequestRefused
from api.keys import may_push
from api.problems import problem_responses
from api.service import Service
from pipeline.domain import Frame, rfc3339, utc
from pipeline.pictures import decode_picture

MAX_FRAME_BYTES = 8 * 1024 * 1024
MAX_FRAME_PIXELS = 7680 * 4320
"""8K, 100 MB when decoded: with `DECODERS` at once, what pushed frames can cost in memory."""
MAX_AHEAD = timedelta(minutes=10)
MAX_UPLOADS = 16
"""Bodies being read at once, all cameras together: 128 MiB at worst."""
UPLOAD_TIMEOUT_S = 30.0
DECODERS = 2

_JPEG_MAGIC = b"\xff\xd8\xff"


class FrameTaken(BaseModel):
    """A frame was handed to its camera. ``late``: a newer one was there already, so it is recorded as
    come in, but it cannot change what is believed now.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "camera_id": "p1-c1",
                "sequence": 41,
                "captured_at": "2026-06-01T00:00:00Z",
                "late": False,
            }
        }
    )

    camera_id: str
    sequence: int
    captured_at: str
    late: bool


class NewestFrames:
    """The newest capture time by camera, for telling a sender that a frame came late."""

    def __init__(self) -> None:
        self._newest: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def is_late(self, camera_id: str, captured_at: datetime) -> bool:
        """Whether a newer one is known; remembers this one if not."""
        with self._lock:
            newest = self._newest.get(camera_id)
            if newest is not None and captured_at < newest:
                return True
            self._newest[camera_id] = captured_at
            return False


async def read_bounded(request: Request, limit: int) -> bytes:
    """The body, given up as soon as it is over ``limit`` bytes. Raises RequestRefused (408, 413)."""
    too_large = RequestRefused(
        "too-large", f"a frame may have {limit} bytes", hint="lower the JPEG quality or the size"
    )
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large
    body = bytearray()
    try:
        with anyio.fail_after(UPLOAD_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise too_large
    except TimeoutError as error:
        raise RequestRefused(
            "upload-timeout",
            f"only {len(body)} bytes came in {UPLOAD_TIMEOUT_S:g} s",
            hint="send it again; if it happens often, lower the JPEG quality",
        ) from error
    return bytes(body)


def check_captured_at(text: str, now: datetime) -> datetime:
    """The time in the header, UTC. Raises RequestRefused (422) if unreadable or in the future."""
    try:
        captured_at = utc(text)
    except (ValueError, OverflowError) as error:  # overflow: the last day of the year 9999
        raise RequestRefused(
            "invalid",
            f"X-Captured-At: not a time with an offset: {text[:40]!r}",
            hint="send RFC 3339, such as 2026-06-01T08:00:00+08:00",
        ) from error
    if captured_at - now > MAX_AHEAD:
        minutes = (captured_at - now) / timedelta(minutes=1)
        raise RequestRefused(
            "captured-in-future",
            f"X-Captured-At is {rfc3339(captured_at)}, {minutes:.0f} min after this server's clock",
            hint="set the camera's clock (NTP)",
        )
    return captured_at


def _decode_and_offer(
    body: bytes,
    camera_id: str,
    captured_at: datetime,
    sequence: int,
    offer: Callable[[Frame], None],
) -> None:
    if not body.startswith(_JPEG_MAGIC):
        raise RequestRefused(
            "wrong-type",
            f"the body is no JPEG: it starts with {body[:8].hex(' ') or 'nothing'}",
            hint="send one JPEG as the whole body",
        )
    image = decode_picture(body, max_pixels=MAX_FRAME_PIXELS)
    offer(Frame(camera_id=camera_id, captured_at=captured_at, sequence=sequence, image=image))


def ingest_router() -> APIRouter:
    """The routes; the limits on uploads and decoders are those of one app."""
    router = APIRouter(prefix="/api/v1", tags=["frames"])
    newest = NewestFrames()
    decoders = anyio.CapacityLimiter(DECODERS)
    uploads = anyio.Semaphore(MAX_UPLOADS)

    @router.post(
        "/cameras/{camera_id}/frames",
        status_code=202,
        dependencies=[Depends(may_push)],
        responses=problem_responses(400, 401, 403, 404, 408, 413, 415, 422, 429, 503),
        openapi_extra={
            "requestBody": {
                "required": True,
                "description": "One JPEG, at most 8 MiB and 7680×4320 pixels.",
                "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
            }
        },
    )
    async def push_frame(
        request: Request,
        camera_id: Annotated[str, Path(max_length=100, examples=["p1-c1"])],
        captured: Annotated[
            str,
            Header(
                alias="X-Captured-At",
                description="When it was captured: RFC 3339 with an offset.",
                examples=["2026-06-01T08:00:00+08:00"],
            ),
        ],
        sequence: Annotated[
            int,
            Header(
                alias="X-Sequence",
                ge=0,
                le=2**63 - 1,
                description="Grows by at least one a frame.",
                examples=[41],
            ),
        ],
    ) -> FrameTaken:
        """Push one frame of a camera."""
        service: Service = request.app.state.service
        if service.offer_frame is None:
            raise RequestRefused(
                "no-ingest",
                "this process takes no frames",
                hint="push to the process that watches the cameras",
            )
        captured_at = check_captured_at(captured, service.clock())
        try:
            uploads.acquire_nowait()
        except anyio.WouldBlock as error:
            raise RequestRefused(
                "overloaded",
                f"{MAX_UPLOADS} uploads are under way",
                hint="send it again in a moment",
                headers={"Retry-After": "1"},
            ) from error
        try:
            body = await read_bounded(request, MAX_FRAME_BYTES)
            await anyio.to_thread.run_sync(
                _decode_and_offer,
                body,
                camera_id,
                captured_at,
                sequence,
                service.offer_frame,
                limiter=decoders,
            )
        finally:
            uploads.release()
        return FrameTaken(
            camera_id=camera_id,
            sequence=sequence,
            captured_at=rfc3339(captured_at),
            late=newest.is_late(camera_id, captured_at),
        )

    return router
