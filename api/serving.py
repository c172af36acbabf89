"""An HTTP application on a socket: in the foreground, or in a thread of this process."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from pipeline.errors import ConfigError

_STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound socket and the address that people can open."""

    socket: socket.socket
    url: str


@contextmanager
def listening(host: str, port: int) -> Iterator[Listener]:
    """Bind; port 0 takes a free one. Raises ConfigError for a port that cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        bound = socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        raise ConfigError(
            f"cannot listen on {host} port {port}: {error}",
            hint="choose another port, or 0 for any free one",
        ) from error
    with bound:
        shown = f"[{host}]" if family == socket.AF_INET6 else host
        yield Listener(bound, f"http://{shown}:{bound.getsockname()[1]}")


def serve(app: ASGIApp, listener: Listener) -> None:
    """Serve until SIGINT or SIGTERM; then SystemExit(0) is raised, so that callers can tidy up."""
    # uvicorn gives a signal back to whoever handled it before; by default that ends the process.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    _server(app).run(sockets=[listener.socket])


@contextmanager
def serving(app: ASGIApp, listener: Listener, *, name: str) -> Iterator[None]:
    """Serve in a thread; on leaving, answer what has begun and stop.

    The socket listens already: who comes before the server is up waits in its queue.
    """
    server = _server(app)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener.socket]}, name=name, daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(_STOP_S)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _server(app: ASGIApp) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    )
