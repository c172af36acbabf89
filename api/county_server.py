"""The reference receiver on a socket: in a thread (demo, tests) or as a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI

from api.county import create_county_app
from api.serving import listening, serve, serving
from pipeline.clocks import system_clock

STORE_NAME = "county.sqlite"
"""The file's name in the folder that the receiver keeps things in."""


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
    with listening(host, port) as listener:
        if on_listening is not None:
            on_listening(listener.url)
        serve(app, listener)


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
    with listening(host, port) as listener, serving(app, listener, name="county"):
        yield listener.url


def _app(secrets: Sequence[str], keep: Path | None, clock: Callable[[], datetime]) -> FastAPI:
    path = None if keep is None else keep / STORE_NAME
    return create_county_app(secrets=secrets, store_path=path, clock=clock)
