"""A small site to serve: two points, stores in memory and a folder, a clock that tests set."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.keys import key_hash
from api.service import Service
from pipeline.domain import (
    Camera,
    Event,
    EventKind,
    EventState,
    Evidence,
    EvidenceForm,
    EvidenceRole,
    Frame,
    Message,
    MessageState,
    MessageType,
    Point,
    Quality,
    Severity,
)
from pipeline.engine.status import CameraStatus
from pipeline.pictures import encode_jpeg
from pipeline.store import Recording, evidence_key
from pipeline.store.files import FolderEvidence
from pipeline.store.memory import MemoryLedger

NOW = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
GATEWAY_KEY = "gw-3f9c1b7e5d2a4c68a0e1f2d3c4b5a697"
EAST = Point(
    "p1",
    "东门垃圾收集点",
    "和平社区",
    "330106001",
    120.13,
    30.27,
    (Camera("p1-c1", "rtsp://u:pw@x"),),
)
WEST = Point("p2", "西门 <b>& 菜场</b>", "石桥社区", "330106002", cameras=(Camera("p2-c1", "x"),))


@dataclass
class Site:
    """What a test changes, and the app that serves it."""

    evidence: FolderEvidence
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    now: datetime = NOW
    offered: list[Frame] = field(default_factory=list)
    statuses: dict[str, CameraStatus] = field(default_factory=dict)

    def service(self, **changed: Any) -> Service:
        return Service(
            **{
                "ledger": self.ledger,
                "outbox": self.ledger,
                "evidence": self.evidence,
                "points": (EAST, WEST),
                "offer_frame": self.offered.append,
                "gateway_keys": {key_hash(GATEWAY_KEY): frozenset({"p1-c1"})},
                "camera_status": lambda: self.statuses,
                "clock": lambda: self.now,
                "link_check": lambda key, expires, signature: self.evidence.link_is_valid(
                    key, expires, signature, self.now
                ),
            }
            | changed
        )

    def client(self, **changed: Any) -> Client:
        return Client(create_app(self.service(**changed)))

    def add_event(
        self,
        number: int = 1,
        *,
        state: EventState = EventState.CONFIRMED,
        minutes_ago: float = 10,
        point_id: str = "p1",
        messages: tuple[MessageState, ...] = (MessageState.DELIVERED,),
        severity: Severity = Severity.MINOR,
        pictures: bool = True,
    ) -> Event:
        suspected = self.now - timedelta(minutes=minutes_ago)
        confirmed = suspected + timedelta(minutes=3)
        cleared = confirmed + timedelta(minutes=4) if state is EventState.CLEARED else None
        event = Event(
            event_id=f"019e80a0-3c00-7000-8000-{number:012d}",
            kind=EventKind.OVERFLOW,
            point_id=point_id,
            camera_id=f"{point_id}-c1",
            zone_id="bins",
            state=state,
            severity=severity,
            suspected_at=suspected,
            confirmed_at=confirmed,
            cleared_at=cleared,
            ended_at=cleared,
            peak_belief=0.997,
            confidence=0.91,
            model_hash="ab" * 32,
        )
        moments = [(EvidenceRole.BEFORE, suspected), (EvidenceRole.CONFIRMED, confirmed)]
        if cleared:
            moments.append((EvidenceRole.AFTER, cleared))
        evidence = [
            self._picture(role, form, at)
            for role, at in moments
            for form in EvidenceForm
            if pictures
        ]
        sent = [
            Message(
                message_id=f"message-{number}-{index}",
                receiver="county",
                type=MessageType.EVENT_CONFIRMED,
                subject=event.event_id,
                sequence=index,
                created_at=confirmed,
                data={},
                state=message_state,
                attempts=1,
                delivered_at=confirmed if message_state is MessageState.DELIVERED else None,
                last_error="" if message_state is MessageState.DELIVERED else "HTTP 500",
            )
            for index, message_state in enumerate(messages)
        ]
        self.ledger.record(Recording(event, evidence, sent))
        return event

    def _picture(self, role: EvidenceRole, form: EvidenceForm, at: datetime) -> Evidence:
        shade = 60 * (1 + list(EvidenceRole).index(role)) + 20 * list(EvidenceForm).index(form)
        image = np.full((180, 320, 3), (shade, 120, 255 - shade), np.uint8)
        content = encode_jpeg(image)
        key = evidence_key(at, content)
        self.evidence.put(key, content)
        return Evidence(key, role, form, hashlib.sha256(content).hexdigest(), len(content), at)

    def camera(self, camera_id: str, **changed: Any) -> None:
        values: dict[str, Any] = {"last_frame_at": self.now, "quality": Quality.OK} | changed
        self.statuses[camera_id] = CameraStatus(camera_id, **values)


class Client:
    """Requests to an app in this process."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self.request("GET", url, **options)

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, url, **options)

        return asyncio.run(ask())

    def push(
        self,
        content: Any,
        *,
        camera_id: str = "p1-c1",
        key: str | None = GATEWAY_KEY,
        captured_at: str | None = "2026-06-01T09:00:00+08:00",
        sequence: str | None = "41",
    ) -> httpx.Response:
        given = {
            "Authorization": f"Bearer {key}".encode() if key else None,
            "X-Captured-At": captured_at,
            "X-Sequence": sequence,
        }
        return self.request(
            "POST",
            f"/api/v1/cameras/{camera_id}/frames",
            content=content,
            headers={name: value for name, value in given.items() if value is not None},
        )


@pytest.fixture
def site(tmp_path: Path) -> Site:
    evidence = FolderEvidence(
        tmp_path / "evidence",
        base_url="http://elsewhere.example/evidence",
        link_key=b"sixteen bytes or more, for tests",
        clock=lambda: made.now,
    )
    evidence.init()
    made = Site(evidence)
    return made


@pytest.fixture
def problem() -> Callable[[httpx.Response, int, str], dict[str, Any]]:
    """Checks that an answer is a problem document of a status and kind, and gives it."""

    def check(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        document: dict[str, Any] = answer.json()
        assert document["type"] == f"urn:brimwatch:problem:{kind}"
        assert document["status"] == status
        assert document["title"]
        assert document["detail"]
        assert document["instance"] == answer.request.url.path
        assert "Traceback" not in answer.text
        assert GATEWAY_KEY not in answer.text
        return document

    return check
