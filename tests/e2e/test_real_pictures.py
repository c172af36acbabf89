"""Real pictures the whole way: folder cameras, detector, both evidence stores, a verified push.

The pictures are ones that the detector is sure of: this is about the way that an event takes, not about
how often the detector is right (`brimwatch evaluate` and the model card say that).
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest_servers import S3Server
from standardwebhooks import Webhook

from api.county import create_county_app
from api.serving import listening, serving
from pipeline.clocks import system_clock
from pipeline.config import LoadedConfig, parse_config
from pipeline.delivery.signature import new_secret
from pipeline.domain import EventState, MessageState, MessageType
from pipeline.store import EventQuery
from pipeline.wiring import build

START = datetime(2026, 6, 1, 1, tzinfo=UTC)
SEQUENCES = {
    "one": ("000335.jpg", "000016.jpg", "000694.jpg"),
    "two": ("000791.jpg", "000048.jpg", "000869.jpg"),
    "three": ("001117.jpg", "000061.jpg", "001450.jpg"),
}
"""Closed, overflowing, closed: names in the test split."""
MINUTES = (10, 15, 10)


def lay_out(folder: Path, pictures: Path, names: tuple[str, ...]) -> None:
    """A folder camera: one look every 30 s of recorded time."""
    folder.mkdir(parents=True)
    at = START
    for name, minutes in zip(names, MINUTES, strict=True):
        for _ in range(minutes * 2):
            shutil.copyfile(pictures / name, folder / f"{at:%Y%m%dT%H%M%SZ}.jpg")
            at += timedelta(seconds=30)


@dataclass
class Tap:
    """An ASGI layer that notes what comes in, as it came, and lets it through."""

    app: Callable[..., Awaitable[None]]
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = bytearray()

        async def noting() -> Any:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        await self.app(scope, noting, send)
        if scope["type"] == "http" and scope["method"] == "POST":
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            self.posts.append((headers, bytes(body)))


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_three_sequences_end_in_one_event_each(
    kind: str, shared_data: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    pictures = shared_data / "datasets" / "bin-overflow-cn" / "test" / "images"
    for name, sequence in SEQUENCES.items():
        lay_out(tmp_path / name, pictures, sequence)
    environment = {"COUNTY": new_secret(secrets.token_bytes(32))}
    evidence: dict[str, Any] = {"kind": "folder"}
    if kind == "s3":
        server: S3Server = request.getfixturevalue("s3_server")
        environment["S3"] = server.secret_key
        evidence = {
            "kind": "s3",
            "endpoint": server.endpoint,
            "bucket": "real-pictures",
            "access_key": server.access_key,
            "secret_env": "S3",
            "secure": False,
        }
    county = create_county_app(
        secrets=[environment["COUNTY"]], store_path=tmp_path / "county.sqlite", clock=system_clock
    )
    tap = Tap(county)
    with listening("127.0.0.1", 0) as listener, serving(tap, listener, name="county"):
        config = parse_config(
            {
                "state": str(tmp_path / "state"),
                "evidence": evidence,
                "receivers": [
                    {"name": "county", "url": f"{listener.url}/events", "secret_env": "COUNTY"}
                ],
                "points": [
                    {
                        "point_id": name,
                        "name": name,
                        "cameras": [{"camera_id": f"{name}-cam", "url": name, "look_every_s": 30}],
                    }
                    for name in SEQUENCES
                ],
            }
        )
        loaded = LoadedConfig(config, tmp_path)
        system = build(loaded, environment=environment, public_url="http://127.0.0.1:1")
        system.start()
        until = time.monotonic() + 120
        while not system.engine.finished or system.stores.ledger.counts()[MessageState.WAITING]:
            assert time.monotonic() < until
            time.sleep(0.05)
        records = system.stores.ledger.events(EventQuery())
        contents = {
            row.key: system.stores.evidence.get(row.key)
            for record in records
            for row in record.evidence
        }
        system.stop()

    assert {record.event.point_id for record in records} == set(SEQUENCES)
    assert len(records) == len(SEQUENCES)
    for record in records:
        event = record.event
        assert event.state is EventState.CLEARED
        assert event.confirmed_at is not None
        assert event.cleared_at is not None
        overflowing = START + timedelta(minutes=10)
        emptied = overflowing + timedelta(minutes=15)
        assert overflowing < event.confirmed_at < emptied < event.cleared_at
        assert len(record.evidence) == 6, "before, confirmed and after, raw and annotated"
        for row in record.evidence:
            assert hashlib.sha256(contents[row.key]).hexdigest() == row.sha256
        assert all(one.state is MessageState.DELIVERED for one in record.messages)

    webhook = Webhook(environment["COUNTY"])
    told = []
    for headers, body in tap.posts:
        webhook.verify(body, headers)
        told.append((json.loads(body)["subject"], json.loads(body)["type"]))
    for record in records:
        types = [kind for subject, kind in told if subject == record.event.event_id]
        assert types[0] == f"cn.brimwatch.{MessageType.EVENT_CONFIRMED}.v1"
        assert types[-1] == f"cn.brimwatch.{MessageType.EVENT_CLEARED}.v1"
