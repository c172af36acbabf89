"""What wraps every request: a request id, one access-log line, safe headers, and the last catch."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any
from urllib.parse import quote

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem_response

log = structlog.get_logger("api")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked every few seconds by machines: logged at debug level unless they fail."""

_SERVER_ERROR = 500


def content_security_policy(picture_origin: str | None) -> str:
    """What a page may load: only what is ours, and pictures from the S3 server if there is one."""
    pictures = f"'self' {picture_origin}" if picture_origin else "'self'"
    return (
        f"default-src 'none'; img-src {pictures}; style-src 'self'; script-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


class Guard:
    """ASGI middleware, the outermost. Logs the path without its query, which may hold a signature."""

    def __init__(self, app: ASGIApp, picture_origin: str | None = None) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": content_security_policy(picture_origin),
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
            "Cross-Origin-Opener-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        started = time.perf_counter()
        status = 0

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                headers["X-Request-Id"] = request_id
                headers.setdefault("Cache-Control", _cache_control(scope["path"]))
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_guarded)
            except Exception:
                # The last catch: logged with its trace here, told in general words outside.
                log.exception("request failed", method=scope["method"], path=quote(scope["path"]))
                if status:
                    raise  # an answer is under way: the server cuts it off
                answer = problem_response(
                    Request(scope),
                    "internal",
                    "an unexpected error; the log has it under this request id",
                    hint=f"tell the operator of this service the request id {request_id}",
                )
                await answer(scope, receive, send_guarded)
            finally:
                _log_access(scope, status, time.perf_counter() - started)


def _log_access(scope: Scope, status: int, seconds: float) -> None:
    fields: dict[str, Any] = {
        "method": scope["method"],
        "path": quote(scope["path"]),
        "status": status,
        "ms": round(seconds * 1000, 1),
        "client": scope["client"][0] if scope.get("client") else None,
    }
    if scope["path"] in _QUIET and status < _SERVER_ERROR:
        log.debug("request", **fields)
    else:
        log.info("request", **fields)


def _cache_control(path: str) -> str:
    """For an answer that says nothing of it. The page's own files are named with their hash."""
    return "public, max-age=86400" if path.startswith("/static/") else "no-store"
