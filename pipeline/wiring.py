"""The one place that knows which adapter is used: from a configuration to a running system."""

from __future__ import annotations

import os
import random
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import structlog
from prometheus_client import CollectorRegistry

from camera_adapters import open_camera
from camera_adapters.source import CameraSource, OnFault
from models.calibration import Calibration
from models.loading import find_calibration, load_calibration, load_detector
from models.registry import Registry, check_weights
from pipeline.belief import DEFAULT_RATES, Likelihood
from pipeline.clocks import SteadyClock, system_clock
from pipeline.config import Config, DetectorConfig, LoadedConfig, S3Config, seconds
from pipeline.delivery.messages import DEFAULT_CODES, event_data
from pipeline.delivery.schedule import Result
from pipeline.delivery.sender import Delivery
from pipeline.domain import Camera, Detector, Event, Evidence, Point, Receiver
from pipeline.engine.decider import Decider
from pipeline.engine.local import LocalEngine, Pace
from pipeline.engine.promotion import Model, PromotionFollower
from pipeline.engine.recorder import Recorder
from pipeline.engine.spool import Spool
from pipeline.engine.watch import Watch, WatchRules
from pipeline.errors import ModelError, StoreError
from pipeline.events import EventRules, Transition
from pipeline.ids import uuid7
from pipeline.metrics import Metrics
from pipeline.quality import QualityRules
from pipeline.store import EvidenceStore, Ledger, Outbox
from pipeline.store.files import FolderEvidence
from pipeline.store.sql import SqlLedger

log = structlog.get_logger(__name__)

_LINK_KEY = "evidence-link.key"
Clock = Callable[[], datetime]


def new_id(at: datetime) -> str:
    """A UUIDv7 of that moment."""
    return uuid7(at, secrets.token_bytes)


class _Made(EvidenceStore, Protocol):
    """An evidence store that can also set itself up."""

    def init(self) -> None:
        """Create folder or bucket; one that is there stays as it is."""
        ...


@dataclass(slots=True)
class Stores:
    """The stores that a configuration names, opened."""

    ledger: SqlLedger
    evidence: EvidenceStore
    folder: FolderEvidence | None
    picture_origin: str | None


def open_stores(loaded: LoadedConfig, environment: Mapping[str, str], public_url: str) -> Stores:
    """Open ledger and evidence store. Raises ConfigError, StoreUnavailable.

    An evidence store that is away now is said and waited for; a ledger is needed to begin.
    """
    config = loaded.config
    state = loaded.base / config.state
    state.mkdir(parents=True, exist_ok=True)
    ledger = SqlLedger.open(config.ledger or f"sqlite:///{state / 'ledger.sqlite'}")
    store: _Made
    if isinstance(config.evidence, S3Config):
        from pipeline.store.s3 import S3Evidence  # the SDK costs start-up time: only who uses it

        s3 = config.evidence
        secret = s3.read(environment, loaded.base)
        store = S3Evidence(
            s3.endpoint, s3.bucket, s3.access_key, secret, secure=s3.secure, region=s3.region
        )
        stores = Stores(ledger, store, None, f"{'https' if s3.secure else 'http'}://{s3.endpoint}")
    else:
        folder = FolderEvidence(
            state / config.evidence.path,
            base_url=f"{public_url.rstrip('/')}/evidence",
            link_key=_link_key(state / _LINK_KEY),
        )
        store, stores = folder, Stores(ledger, folder, folder, None)
    try:
        store.init()
    except StoreError as error:
        log.error("evidence_store_away", error=str(error))
    return stores


def _link_key(path: Path) -> bytes:
    """The key that signs evidence links, made at the first start, readable by its owner only."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return bytes.fromhex(path.read_text("ascii").strip())
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    return bytes.fromhex(path.read_text("ascii").strip())


def receivers_of(loaded: LoadedConfig, environment: Mapping[str, str]) -> dict[str, Receiver]:
    """The receivers with their secrets. Raises ConfigError for a secret that is not there."""
    return {
        one.name: Receiver(one.name, one.url, one.read(environment, loaded.base), one.timeout_s)
        for one in loaded.config.receivers
    }


def watch_rules(config: Config, likelihood: Likelihood, seen_confidence: float) -> WatchRules:
    """The decision path's parameters."""
    rules = config.rules
    return WatchRules(
        rates=DEFAULT_RATES,
        likelihood=likelihood,
        events=EventRules(
            confirm_after=seconds(rules.confirm_after_s),
            clear_after=seconds(rules.clear_after_s),
            expire_after=seconds(rules.expire_after_s),
            tau=seconds(rules.tau_s),
        ),
        quality=QualityRules(frozen_after=seconds(rules.frozen_after_s)),
        seen_confidence=seen_confidence,
    )


def load_rules(loaded: LoadedConfig) -> WatchRules:
    """The rules with the likelihoods that were measured on the configured weights.

    Raises ModelError when there are none: a detector nobody has calibrated cannot be believed.
    """
    detector = loaded.config.detector
    weights = loaded.base / detector.weights if detector.weights is not None else None
    if detector.calibration is not None:
        calibration = load_calibration(loaded.base / detector.calibration)
    else:
        found = find_calibration(weights)
        if found is None:
            raise ModelError(
                f"{weights}: these weights have no calibration",
                hint="brimwatch calibrate --weights … --out FILE, then detector.calibration: FILE",
            )
        calibration = found
    return watch_rules(loaded.config, _likelihood(calibration), calibration.seen_confidence)


def _likelihood(calibration: Calibration) -> Likelihood:
    try:
        return Likelihood(calibration.edges, calibration.overflowing, calibration.clear)
    except ValueError as error:
        raise ModelError(
            f"the calibration measured on {calibration.source or 'unknown data'}: {error}",
            hint="measure again: brimwatch calibrate --weights FOLDER --out FOLDER/calibration.json",
        ) from error


def configured_detector(loaded: LoadedConfig) -> Detector:
    """The detector that the configuration names."""
    detector = loaded.config.detector
    weights = loaded.base / detector.weights if detector.weights is not None else None
    return load_detector(weights, threads=detector.threads)


def promoted_model(registry: Registry, name: str, *, threads: int | None) -> Model:
    """A model of the registry, checked, loaded, and tried on a black picture. Raises ModelError."""
    folder = registry.path_of(name)
    check_weights(folder)
    calibration = load_calibration(folder)
    detector = load_detector(folder, threads=threads)
    detector.detect([np.zeros((1080, 1920, 3), np.uint8)])
    return Model(detector, _likelihood(calibration), calibration.seen_confidence)


def watches_of(points: Sequence[Point], rules: WatchRules, model_hash: str) -> tuple[Watch, ...]:
    """One watch a camera."""
    return tuple(
        Watch(point.point_id, camera, rules, new_id, model_hash)
        for point in points
        for camera in point.cameras
    )


def opener(base: Path, clock: Clock) -> Callable[[Camera, datetime | None, OnFault], CameraSource]:
    """Opens cameras whose relative paths start at ``base``."""

    def open_source(camera: Camera, after: datetime | None, on_fault: OnFault) -> CameraSource:
        return open_camera(camera, base=base, after=after, clock=clock, on_fault=on_fault)

    return open_source


def describer(
    points: Sequence[Point], *, simulated: bool
) -> Callable[[Event, Sequence[Evidence]], Mapping[str, Any]]:
    """Makes the data of messages, knowing the points."""
    by_id = {point.point_id: point for point in points}

    def describe(event: Event, evidence: Sequence[Evidence]) -> Mapping[str, Any]:
        return event_data(
            event,
            evidence,
            by_id[event.point_id],
            code=DEFAULT_CODES.get(event.kind),
            simulated=simulated,
        )

    return describe


@dataclass(slots=True)
class System:
    """A whole Brimwatch in one process, ready to be started."""

    points: tuple[Point, ...]
    stores: Stores
    decider: Decider
    recorder: Recorder
    engine: LocalEngine
    delivery: Delivery
    registry: CollectorRegistry
    clock: Clock
    follow_promotions: Callable[[threading.Event], None] | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _delivering: threading.Thread | None = None
    _deciding: bool = False

    def start(self, *, engine: bool = True, delivery: bool = True) -> None:
        """Start reading, deciding and delivering, each in threads of its own."""
        if delivery:
            self._delivering = threading.Thread(
                target=self.delivery.run, args=(self._stop,), name="deliver", daemon=True
            )
            self._delivering.start()
        if engine:
            self._deciding = True
            self.engine.start()
            if self.follow_promotions is not None:
                threading.Thread(
                    target=self.follow_promotions,
                    args=(self._stop,),
                    name="promotions",
                    daemon=True,
                ).start()

    def stop(self) -> None:
        """Stop all of it; what is decided is written, what is not delivered stays in the outbox."""
        self._stop.set()
        self.delivery.wake()
        if self._deciding:
            self.engine.stop()
            self.recorder.flush()
        if self._delivering is not None:
            self._delivering.join(10.0)
        self.stores.ledger.close()


def build(
    loaded: LoadedConfig,
    *,
    environment: Mapping[str, str],
    public_url: str,
    detector: Detector | None = None,
    rules: WatchRules | None = None,
    receivers: Mapping[str, Receiver] | None = None,
    clock: Clock | None = None,
    pace: Pace | None = None,
    on_recorded: Callable[[Transition], None] = lambda _transition: None,
) -> System:
    """Wire a system. What is given replaces what the configuration says.

    ``clock`` stamps live frames and lets events expire; deliveries always use the machine's time,
    since receivers check it. A promoted model is followed unless ``detector`` or ``rules`` is given.
    """
    config = loaded.config
    points = config.domain_points()
    clock = clock or SteadyClock()
    models: Registry | None = None
    promoted: str | None = None
    if config.detector.registry is not None and detector is None and rules is None:
        models = Registry(loaded.base / config.detector.registry)
        promoted = models.promoted()
        if promoted is not None:
            model = promoted_model(models, promoted, threads=config.detector.threads)
            detector = model.detector
            rules = watch_rules(config, model.likelihood, model.seen_confidence)
    detector = detector or configured_detector(loaded)
    rules = rules or load_rules(loaded)
    if models is not None:
        log.info(
            "model_in_use", model=promoted or "the configured one", model_hash=detector.model_hash
        )
    known = dict(receivers) if receivers is not None else receivers_of(loaded, environment)
    stores = open_stores(loaded, environment, public_url)
    ledger: Ledger = stores.ledger
    outbox: Outbox = stores.ledger
    registry = CollectorRegistry()
    metrics = Metrics(registry, message_counts=outbox.counts)
    delivery = Delivery(
        outbox,
        stores.evidence,
        known,
        source=f"urn:brimwatch:{config.site}",
        clock=system_clock,
        random=random.SystemRandom().random,
        on_attempt=lambda message, outcome: metrics.attempt(
            message.receiver, outcome.result is Result.DELIVERED
        ),
    )

    def recorded(transition: Transition) -> None:
        metrics.transition(transition.event.kind, transition.event.state)
        delivery.wake()
        on_recorded(transition)

    recorder = Recorder(
        ledger,
        stores.evidence,
        receivers=tuple(known),
        describe=describer(points, simulated=config.simulated),
        new_id=new_id,
        # Messages are due by the machine's time, whatever time the footage shows.
        clock=system_clock,
        on_recorded=recorded,
        spool=Spool(loaded.base / config.state / "spool", limit_bytes=config.spool_mb * 2**20),
    )
    watches = watches_of(points, rules, detector.model_hash)
    decider = Decider(watches, detector, recorder, ledger, metrics=metrics)
    engine = LocalEngine(
        [watch.camera for watch in watches],
        decider,
        opener(loaded.base, clock),
        clock=clock,
        pace=pace,
        metrics=metrics,
    )
    follow = None
    if models is not None:
        follow = _following(models, decider, config.detector, current=promoted)
    return System(
        points,
        stores,
        decider,
        recorder,
        engine,
        delivery,
        registry,
        clock,
        follow_promotions=follow,
    )


def _following(
    models: Registry, decider: Decider, config: DetectorConfig, *, current: str | None
) -> Callable[[threading.Event], None]:
    follower = PromotionFollower(
        models.promoted,
        lambda name: promoted_model(models, name, threads=config.threads),
        decider.adopt,
        current=current,
    )
    return lambda stop: follower.run(stop, config.registry_check_s)
