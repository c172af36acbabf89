"""A receiver on a real socket that misbehaves as told: one behaviour a request, the last stays."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

Behaviour = Callable[["Exchange"], None]


@dataclass(frozen=True)
class Request:
    """What came: header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Exchange:
    """One request under way; ``closing`` is set when the receiver is shut down."""

    handler: BaseHTTPRequestHandler
    closing: threading.Event


def reply(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Behaviour:
    """Answer at once."""

    def behave(exchange: Exchange) -> None:
        exchange.handler.send_response(status)
        for name, value in (headers or {}).items():
            exchange.handler.send_header(name, value)
        exchange.handler.send_header("content-length", str(len(body)))
        exchange.handler.end_headers()
        exchange.handler.wfile.write(body)

    return behave


def hang() -> Behaviour:
    """Take the request and never answer."""

    def behave(exchange: Exchange) -> None:
        exchange.closing.wait(60)
        exchange.handler.close_connection = True

    return behave


def slow(seconds: float, then: Behaviour) -> Behaviour:
    """Take a while, then do that."""

    def behave(exchange: Exchange) -> None:
        exchange.closing.wait(seconds)
        then(exchange)

    return behave


def close_without_answer() -> Behaviour:
    """Take the request and close the connection."""

    def behave(exchange: Exchange) -> None:
        exchange.handler.close_connection = True

    return behave


def ok_then_close() -> Behaviour:
    """Say 200 and promise a body, then close before it is complete."""

    def behave(exchange: Exchange) -> None:
        exchange.handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        exchange.handler.close_connection = True

    return behave


def drip_headers(every_s: float) -> Behaviour:
    """Send one byte of an endless header now and then."""

    def behave(exchange: Exchange) -> None:
        exchange.handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
        while not exchange.closing.wait(every_s):
            exchange.handler.wfile.write(b"a")

    return behave


class FaultyReceiver:
    """Serves on 127.0.0.1 while used as a context; ``requests`` are in order of arrival."""

    def __init__(self, behaviours: Sequence[Behaviour]) -> None:
        self.requests: list[Request] = []
        self._behaviours = list(behaviours)
        self._closing = threading.Event()
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                behaviour = receiver._take(Request(self.path, headers, body))
                try:
                    behaviour(Exchange(self, receiver._closing))
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/events"

    def release(self) -> None:
        """End whatever hangs or is slow."""
        self._closing.set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()

    def _take(self, request: Request) -> Behaviour:
        with self._lock:
            self.requests.append(request)
            return self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]
