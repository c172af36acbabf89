"""A reference receiver: a stand-in (示例接收方) for a county centre, for tests and integration.

It is no county's system. It does what every receiver has to do, in the order in which it has to be done:
bound the size, verify the signature over the raw bytes, read the CloudEvent, keep it durably under
``(source, id)``, and only then answer. See docs/county.md.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import structlog
from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from api.county_page import page
from api.county_store import CountyStore, Received
from pipeline.delivery import cloud_events, signature
from pipeline.delivery.cloud_events import BODY_LIMIT, MEDIA_TYPE, CloudEventInvalid
from pipeline.delivery.signature import SignatureInvalid
from pipeline.domain import rfc3339
from pipeline.errors import BrimwatchError, ConfigError, StoreError

_SHOWN = 500
_MOST_LISTED = 10_000
_log = structlog.get_logger(__name__)

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src http: https: data:"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class _Refused(BrimwatchError):
    """A request that gets a problem document instead of being kept."""

    def __init__(self, status: int, title: str, detail: str, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.status = status
        self.title = title
        self.detail = detail


def create_county_app(
    *, secrets: Sequence[str], store_path: Path | None, clock: Callable[[], datetime]
) -> FastAPI:
    """The receiver as an app. A message signed with any of ``secrets`` is taken.

    ``store_path``: the SQLite file it keeps messages in, None for memory only. ``clock`` tells the time
    in UTC. Routes: ``POST /events``, ``GET /`` (a page), ``/received.json``, ``/counts.json``.

    Raises ConfigError for an unusable secret or none, StoreUnavailable for an unusable file.
    """
    if not secrets:
        raise ConfigError("the county stand-in needs at least one secret to verify signatures with")
    for secret in secrets:
        signature.check_secret(secret)
    store = CountyStore(store_path)
    app = FastAPI(
        title="Brimwatch county stand-in (示例接收方)",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_closing(store),
    )
    desk = _Desk(tuple(secrets), store, clock)
    app.add_api_route("/events", desk.take, methods=["POST"])
    app.add_api_route("/", desk.show, methods=["GET"], response_class=HTMLResponse)
    app.add_api_route("/received.json", desk.received, methods=["GET"])
    app.add_api_route("/counts.json", desk.counts, methods=["GET"])
    return app


class _Desk:
    """The handlers and what they share.

    Refusals are counted since the start only: whoever has no secret must not make us write to disk.
    """

    def __init__(
        self, secrets: tuple[str, ...], store: CountyStore, clock: Callable[[], datetime]
    ) -> None:
        self._secrets = secrets
        self._store = store
        self._clock = clock
        self._refused = 0

    async def take(self, request: Request) -> Response:
        try:
            is_new = await self._keep(request)
        except _Refused as refusal:
            self._refused += 1
            _log.warning("message_refused", status=refusal.status, reason=refusal.detail)
            return _problem(refusal)
        except StoreError as error:
            # 503: the message was not kept, so the sender has to keep it and come again.
            _log.error("message_not_kept", error=str(error))
            return _problem(_Refused(503, "The message could not be kept", str(error.args[0])))
        if is_new:
            return JSONResponse({"accepted": True, "disposal": "accepted"}, status_code=201)
        return JSONResponse({"accepted": True, "duplicate": True, "disposal": "accepted"})

    async def show(self) -> HTMLResponse:
        received = await run_in_threadpool(self._store.received, limit=_SHOWN)
        counts = await self.counts()
        return HTMLResponse(page(received, counts, now=self._clock()), headers=_HEADERS)

    async def received(
        self, limit: Annotated[int, Query(ge=1, le=_MOST_LISTED)] = 1000
    ) -> list[dict[str, Any]]:
        return [_listed(one) for one in await run_in_threadpool(self._store.received, limit=limit)]

    async def counts(self) -> dict[str, int]:
        received, duplicates = await run_in_threadpool(self._store.counts)
        return {"received": received, "duplicates": duplicates, "refused": self._refused}

    async def _keep(self, request: Request) -> bool:
        body = await _bounded_body(request)
        now = self._clock()
        try:
            signed = signature.verify(self._secrets, request.headers, body, now=now)
        except SignatureInvalid as error:
            raise _Refused(
                401, "The signature is not valid", str(error.args[0]), error.hint
            ) from error
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != MEDIA_TYPE:
            raise _Refused(
                415, "The body is of another type", f"expected {MEDIA_TYPE}, got {media_type!r}"
            )
        try:
            event = cloud_events.parse(body)
        except CloudEventInvalid as error:
            raise _Refused(400, "The body is not a CloudEvent", str(error.args[0])) from error
        if event.id != signed.message_id:
            raise _Refused(
                400,
                "The ids differ",
                f"the CloudEvent's id is {event.id!r}, webhook-id is {signed.message_id!r}",
            )
        is_new = await run_in_threadpool(self._store.keep, event, now)
        _log.info("message_kept" if is_new else "message_repeated", message_id=event.id)
        return is_new


async def _bounded_body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise _Refused(
                413, "The body is too large", f"at most {BODY_LIMIT} bytes are taken, got more"
            )
    return body


def _listed(received: Received) -> dict[str, Any]:
    times = {"time": rfc3339(received.time), "received_at": rfc3339(received.received_at)}
    return {**asdict(received), **times}


def _problem(refusal: _Refused) -> JSONResponse:
    """A problem document (RFC 9457)."""
    content = {
        "type": "about:blank",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
    }
    if refusal.hint:
        content["hint"] = refusal.hint
    return JSONResponse(content, refusal.status, media_type="application/problem+json")


def _closing(store: CountyStore) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        yield
        store.close()

    return lifespan
