"""The reference receiver on a socket: in a thread (demo, tests) or as a process of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from api.county import create_county_app
from pipeline.errors import ConfigError

STORE_NAME = "county.sqlite"
"""The file's name in the folder that the receiver keeps things in."""

_STOP_S = 10.0


def system_clock() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


def run_county(
    host: str,
    port: int,
    secrets: Sequence[str],
    keep: Path | None,
    *,
    on_listening: Callable[[str], None] | None = None,
) -> None:
    """Serve until interrupted. ``port`` 0 takes a free one; ``keep`` None: in memory only.

    ``on_listening`` is told the address of the page once it is bound. Raises ConfigError for a port
    that cannot be had or an unusable secret, StoreUnavailable for an unusable folder.
    """
    app = _app(secrets, keep, system_clock)
    with _listening(host, port) as (listener, url):
        if on_listening is not None:
            on_listening(url)
        _server(app).run(sockets=[listener])


@contextmanager
def county_running(
    secrets: Sequence[str],
    keep: Path | None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Callable[[], datetime] = system_clock,
) -> Iterator[str]:
    """The receiver in a thread of this process; gives its address, ``http://host:port``.

    Raises as `run_county`. On leaving, it answers what it has begun and stops.
    """
    app = _app(secrets, keep, clock)
    with _listening(host, port) as (listener, url):
        server = _server(app)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="county", daemon=True
        )
        thread.start()
        try:
            # The socket listens already: who comes before the server is up waits in its queue.
            yield url
        finally:
            server.should_exit = True
            thread.join(_STOP_S)


def _app(secrets: Sequence[str], keep: Path | None, clock: Callable[[], datetime]) -> FastAPI:
    path = None if keep is None else keep / STORE_NAME
    return create_county_app(secrets=secrets, store_path=path, clock=clock)


def _server(app: FastAPI) -> uvicorn.Server:
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


@contextmanager
def _listening(host: str, port: int) -> Iterator[tuple[socket.socket, str]]:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        raise ConfigError(
            f"cannot listen on {host} port {port}: {error}",
            hint="choose another port with --port, or 0 for any free one",
        ) from error
    with listener:
        bound = listener.getsockname()[1]
        shown = f"[{host}]" if family == socket.AF_INET6 else host
        yield listener, f"http://{shown}:{bound}"
