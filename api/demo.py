"""The demonstration: eight simulated points, watched, decided, stored, pushed and shown.

Everything is the real thing (decoder, detector, stores, delivery, page) but the footage, which the
twin rendered, and the county centre, which is the reference receiver of `brimwatch county`.

The demo lives in a folder of its own. One that was interrupted is taken up where it was; one that came
to its end starts anew.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from api.app import create_app
from api.county_server import county_running
from api.hosting import service_of
from api.serving import listening, serving
from models.twin import footage_dir
from pipeline.clocks import FootageClock
from pipeline.config import Config, LoadedConfig, parse_config
from pipeline.delivery.signature import new_secret
from pipeline.domain import Detector, MessageState, MessageType, utc
from pipeline.engine.replay import summary
from pipeline.errors import ConfigError
from pipeline.events import Transition
from pipeline.store import EventQuery
from pipeline.wiring import System, build

MARK = ".brimwatch-demo"
_ENDED = "ended"
_COUNTY = "county"
_SECRET = "county.secret"  # noqa: S105 - the name of a file, not a secret
_DRAIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Running:
    """A demo that plays: its page, the county stand-in's page, and the system behind."""

    page: str
    county: str
    resumed: bool
    system: System
    state: Path

    @property
    def finished(self) -> bool:
        """Whether all footage is played and decided."""
        return self.system.engine.finished and not self.system.recorder.waiting

    def drain(self) -> bool:
        """Wait until every message is delivered; False if that takes over a minute."""
        until = time.monotonic() + _DRAIN_S
        while self.system.stores.ledger.counts()[MessageState.WAITING]:
            if time.monotonic() > until:
                return False
            self.system.delivery.wake()
            time.sleep(0.05)
        return True

    def mark_ended(self) -> None:
        """The next demo in this folder starts anew."""
        (self.state / MARK).write_text(_ENDED, "ascii")


def prepare(state: Path, *, fresh: bool) -> bool:
    """Make the demo's folder ready. True: an interrupted demo lies there and is taken up.

    Only a folder that a demo made is ever emptied. Raises ConfigError for another that is not empty.
    """
    mark = state / MARK
    resumed = False
    if state.exists() and any(state.iterdir()):
        if not mark.is_file():
            raise ConfigError(
                f"{state} is not empty and no demo made it",
                hint="give an empty folder: --state DIR",
            )
        if fresh or mark.read_text("ascii").strip() == _ENDED:
            shutil.rmtree(state)
        else:
            resumed = True
    state.mkdir(parents=True, exist_ok=True)
    mark.write_text("running", "ascii")
    return resumed


@contextmanager
def demo_running(
    state: Path,
    *,
    speed: float,
    host: str,
    port: int,
    fresh: bool = False,
    detector: Detector | None = None,
    on_event: Callable[[Transition], None] = lambda _transition: None,
) -> Iterator[Running]:
    """Play the demo until the context is left. ``speed``: times real time, 0 as fast as it goes."""
    resumed = prepare(state, fresh=fresh)
    secret = _secret(state / _SECRET)
    with ExitStack() as stack:
        county = stack.enter_context(county_running([secret], state / _COUNTY))
        listener = stack.enter_context(listening(host, port))
        loaded = demo_config(state, county)
        clock = FootageClock(_start(loaded.config), speed)
        system = build(
            loaded,
            environment=os.environ,
            public_url=listener.url,
            detector=detector,
            clock=clock,
            pace=clock,
            on_recorded=on_event,
        )
        stack.callback(system.stop)
        played = [
            system.decider.resume_after(camera.camera_id)
            for point in system.points
            for camera in point.cameras
        ]
        if resumed and None not in played:
            clock.skip_to(min(one for one in played if one is not None))
        app = create_app(service_of(system, loaded, os.environ))
        stack.enter_context(serving(app, listener, name="page"))
        system.start()
        yield Running(listener.url, county, resumed, system, state)


def demo_config(state: Path, county: str) -> LoadedConfig:
    """The configuration of the eight simulated points, pushing to the stand-in at ``county``."""
    footage = footage_dir()
    listed = yaml.safe_load((footage / "points.yaml").read_text("utf-8"))
    config = parse_config(
        {
            "site": "demo",
            "simulated": True,
            "state": str(state.resolve()),
            "points": listed["points"],
            "receivers": [
                {
                    "name": _COUNTY,
                    "url": f"{county}/events",
                    "secret_file": str((state / _SECRET).resolve()),
                }
            ],
        },
        "demo",
    )
    return LoadedConfig(config, footage)


def outcome(running: Running) -> dict[str, Any]:
    """What the demo came to, asked of the ledger and, over HTTP, of the county stand-in."""
    received = httpx.get(f"{running.county}/received.json", timeout=30).json()
    confirmed: dict[str, int] = {}
    for one in received:
        if one["type"] == f"cn.brimwatch.{MessageType.EVENT_CONFIRMED}.v1":
            confirmed[one["subject"]] = confirmed.get(one["subject"], 0) + 1
    points: dict[str, list[Mapping[str, Any]]] = {
        point.point_id: [] for point in running.system.points
    }
    records = running.system.stores.ledger.events(EventQuery(limit=200))
    for event in sorted((one.event for one in records), key=lambda one: one.suspected_at):
        points[event.point_id].append(
            {**summary(event), "delivered": confirmed.get(event.event_id, 0)}
        )
    return {
        "points": points,
        "messages_sent": running.system.stores.ledger.counts()[MessageState.DELIVERED],
        "messages_received": len(received),
        "duplicates": sum(one["duplicates"] for one in received),
    }


def _secret(path: Path) -> str:
    """The secret that signs the demo's messages: made once, readable by its owner only."""
    if not path.is_file():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(new_secret(secrets.token_bytes(32)))
    return path.read_text("ascii").strip()


def _start(config: Config) -> datetime:
    """When the footage begins: the earliest start that its side files name."""
    sides = [
        footage_dir() / Path(camera.url).with_suffix(".json")
        for point in config.points
        for camera in point.cameras
    ]
    return min(utc(yaml.safe_load(side.read_text("utf-8"))["start"]) for side in sides)
