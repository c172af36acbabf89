"""Every error as a problem document (RFC 9457), never with a stack trace or a secret in it.

``instance`` is the path alone: the query may hold a signature. A browser that asks for a page gets the
same as a plain page (`wants_page`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from api.errors import Busy, RequestRefused, UnknownCamera
from pipeline.errors import (
    BrimwatchError,
    EvidenceDamaged,
    PictureError,
    StoreError,
    StoreFull,
)

log = structlog.get_logger("api")

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:brimwatch:problem:"

KINDS: Mapping[str, tuple[int, str]] = {
    "bad-request": (400, "The request cannot be read"),
    "unauthorized": (401, "An API key is needed"),
    "forbidden": (403, "Not allowed"),
    "not-found": (404, "Nothing is there"),
    "method-not-allowed": (405, "The method is not for this address"),
    "upload-timeout": (408, "The upload took too long"),
    "too-large": (413, "The frame is too large"),
    "wrong-type": (415, "Not a JPEG"),
    "invalid": (422, "A parameter is missing or wrong"),
    "unusable-picture": (422, "The picture cannot be used"),
    "captured-in-future": (422, "The frame is from the future"),
    "busy": (429, "The camera's queue is full"),
    "internal": (500, "Something went wrong here"),
    "evidence-damaged": (500, "Stored evidence is gone or damaged"),
    "not-ready": (503, "The service is not ready"),
    "no-ingest": (503, "No frames are taken here"),
    "overloaded": (503, "Too many uploads at once"),
    "store-unavailable": (503, "The store does not answer"),
    "store-full": (507, "The store is full"),
}
"""Status and title by the last part of ``type``. Listed in docs/api.md."""

_BY_STATUS: Mapping[int, str] = {404: "not-found", 405: "method-not-allowed"}
"""The statuses that the framework itself answers with; anything else is a bad request."""

_STORE_DETAIL: Mapping[str, str] = {
    "evidence-damaged": "the stored picture is gone, or is no longer what was stored",
    "store-full": "no space is left where events and evidence are kept",
    "store-unavailable": "events or evidence cannot be read now",
}

PageOfProblem = Callable[[Request, int, str, str], Response]
"""Renders (request, status, detail, hint) as a page for people."""


class ProblemDocument(BaseModel):
    """RFC 9457, with ``hint``: what to do next, and ``errors``: one entry a wrong parameter."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "type": "urn:brimwatch:problem:captured-in-future",
                "title": "The frame is from the future",
                "status": 422,
                "detail": "X-Captured-At is 2026-06-01T01:00:00Z, 42 min after this server's clock",
                "instance": "/api/v1/cameras/p1-c1/frames",
                "hint": "set the camera's clock (NTP)",
            }
        },
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    hint: str | None = None
    errors: list[dict[str, str]] | None = Field(default=None)


def problem_response(
    request: Request,
    kind: str,
    detail: str,
    *,
    hint: str = "",
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    extension: Mapping[str, object] | None = None,
) -> Response:
    """A problem document of ``kind`` (a key of `KINDS`) with its ``extension`` members."""
    usual_status, title = KINDS[kind]
    document = {
        "type": TYPE_PREFIX + kind,
        "title": title,
        "status": status or usual_status,
        "detail": detail,
        "instance": request.url.path,
        **({"hint": hint} if hint else {}),
        **(extension or {}),
    }
    return JSONResponse(
        document, status or usual_status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries for the problems that a route answers with."""
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {
        status: {
            "description": " / ".join(title for code, title in KINDS.values() if code == status),
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks (it names text/html) for something that is not the API."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(
        ("/api/", "/evidence/", "/static/")
    )


def _kind_of(error: BrimwatchError) -> str:
    """The kind of problem that an error of the tree is to the outside."""
    for cause, kind in (
        (PictureError, "unusable-picture"),
        (UnknownCamera, "not-found"),
        (Busy, "busy"),
        (EvidenceDamaged, "evidence-damaged"),
        (StoreFull, "store-full"),
        (StoreError, "store-unavailable"),
    ):
        if isinstance(error, cause):
            return kind
    return "internal"


class _Answers:
    """The exception handlers of one app; ``page`` renders a problem for a browser."""

    def __init__(self, page: PageOfProblem) -> None:
        self._page = page

    def on_brimwatch(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, BrimwatchError)
        if isinstance(error, StoreError):
            # Its text names folders and hosts: for the log, not for whoever asked.
            log.error("store failed", error=str(error))
            kind = _kind_of(error)
            return self._answer(
                request, kind, _STORE_DETAIL[kind], hint="look at /readyz and the log"
            )
        headers: Mapping[str, str] = {}
        if isinstance(error, RequestRefused):
            kind, headers = error.kind, error.headers
        else:
            kind = _kind_of(error)
            if isinstance(error, Busy):
                headers = {"Retry-After": str(error.retry_after_s)}
        if kind == "internal":
            raise error  # an error that no route expects: logged whole, told in general words
        return self._answer(request, kind, str(error.args[0]), hint=error.hint, headers=headers)

    def on_invalid(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        # Only where and why: what was given may be a secret in the wrong place.
        errors = [
            {"where": ".".join(str(part) for part in one["loc"]), "what": str(one["msg"])}
            for one in error.errors()
        ]
        detail = "; ".join(f"{one['where']}: {one['what']}" for one in errors)
        return self._answer(request, "invalid", detail, extension={"errors": errors})

    def on_http(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        kind = _BY_STATUS.get(error.status_code, "bad-request")
        details = {
            "not-found": "nothing is at this address",
            "method-not-allowed": f"{request.method} is not for this address",
        }
        return self._answer(
            request,
            kind,
            details.get(kind, str(error.detail)),
            status=error.status_code,
            headers=error.headers,
        )

    def on_disconnect(self, request: Request, _error: Exception) -> Response:
        return self._answer(request, "bad-request", "the sender hung up before the end")

    def _answer(
        self,
        request: Request,
        kind: str,
        detail: str,
        *,
        hint: str = "",
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        extension: Mapping[str, object] | None = None,
    ) -> Response:
        if wants_page(request):
            return self._page(request, status or KINDS[kind][0], detail, hint)
        return problem_response(
            request,
            kind,
            detail,
            hint=hint,
            status=status,
            headers=headers,
            extension=extension,
        )


def install_problems(app: FastAPI, page: PageOfProblem) -> None:
    """Make ``app`` answer every error with a problem document, or with ``page`` to a browser."""
    answers = _Answers(page)
    app.add_exception_handler(BrimwatchError, answers.on_brimwatch)
    app.add_exception_handler(RequestValidationError, answers.on_invalid)
    app.add_exception_handler(HTTPException, answers.on_http)
    app.add_exception_handler(ClientDisconnect, answers.on_disconnect)
