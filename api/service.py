"""What the routes need from the rest of Brimwatch, handed in by the wiring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry

from pipeline.domain import Frame, Point
from pipeline.engine.status import CameraStatus
from pipeline.store import EvidenceStore, Ledger, Outbox


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why the service is not ready: which part, what is wrong, what to do next."""

    name: str
    what: str
    hint: str = ""


def _nothing_wrong() -> Sequence[Problem]:
    return ()


def _no_status() -> Mapping[str, CameraStatus]:
    return {}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Everything that `create_app` serves. The callables are called from worker threads.

    - ``offer_frame`` hands a pushed frame to its camera; it raises `api.errors.UnknownCamera` or
      `api.errors.Busy`. None: this process takes no frames (the role runs elsewhere).
    - ``gateway_keys``: SHA-256 (hex) of an API key to the camera ids it may push. The keys
      themselves are never kept.
    - ``readiness``: what keeps the service from working now; empty means ready.
    - ``camera_status``: by camera id, as the engine last knew it.
    - ``clock``: UTC and aware, the same clock that frames are stamped with (the demo's runs fast):
      "how long ago" on the page and "in the future" at the ingest are measured by it.
    - ``site_zone``: the zone in which the page shows times.
    - ``simulated``: the footage is simulated, and the page says so.
    - ``link_check(key, expires, signature)``: whether a link to the evidence folder is valid. None:
      evidence is not served here (it is in S3).
    - ``picture_origin``: scheme and host of the S3 server that evidence links lead to
      (``https://s3.example.org``): the page's policy lets pictures from there in.
    - ``stale_after``: a camera whose newest frame is older counts as giving no picture. Too short
      greys out slow cameras, too long hides a dead one; several looks' worth is right.
    - ``registry``: what /metrics shows.
    """

    ledger: Ledger
    outbox: Outbox
    evidence: EvidenceStore
    points: tuple[Point, ...] = ()
    offer_frame: Callable[[Frame], None] | None = None
    gateway_keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    readiness: Callable[[], Sequence[Problem]] = _nothing_wrong
    camera_status: Callable[[], Mapping[str, CameraStatus]] = _no_status
    clock: Callable[[], datetime] = _now
    site_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    simulated: bool = False
    link_check: Callable[[str, int, str], bool] | None = None
    picture_origin: str | None = None
    stale_after: timedelta = timedelta(minutes=5)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
