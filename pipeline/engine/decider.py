"""Runs frames of all cameras through the decision path, and has what they come to recorded.

Synchronous and without threads: the live engine and `replay` both stand on it, so a recorded day goes
the very same way as a live one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from time import perf_counter

import structlog

from pipeline.domain import (
    Detections,
    Detector,
    EventState,
    EvidenceRole,
    Frame,
    Quality,
    Zone,
)
from pipeline.engine.annotate import annotated, blurred
from pipeline.engine.decision import Picture
from pipeline.engine.memory import from_checkpoint, to_checkpoint
from pipeline.engine.promotion import Model
from pipeline.engine.recorder import Recorder
from pipeline.engine.status import CameraStatus
from pipeline.engine.watch import CameraState, Look, Watch, conclude, glance, wait
from pipeline.events import Phase, Transition
from pipeline.metrics import Metrics
from pipeline.pictures import encode_jpeg
from pipeline.store import Ledger

log = structlog.get_logger(__name__)

CHECKPOINT_EVERY = timedelta(seconds=60)
KEEP_BEFORE_EVERY = timedelta(seconds=60)

_ROLES = {
    EventState.CONFIRMED: EvidenceRole.CONFIRMED,
    EventState.CLEARED: EvidenceRole.AFTER,
}


@dataclass(slots=True)
class _Desk:
    """What the decider keeps of one camera."""

    watch: Watch
    state: CameraState
    status: CameraStatus
    before: dict[str, Picture]
    saved_at: datetime | None = None
    warned_stale: bool = False


class Decider:
    """Decides for a set of cameras. One thread at a time may call `decide`."""

    def __init__(
        self,
        watches: Iterable[Watch],
        detector: Detector,
        recorder: Recorder,
        ledger: Ledger,
        *,
        metrics: Metrics | None = None,
    ) -> None:
        self._detector = detector
        self._adopted: SimpleQueue[Model] = SimpleQueue()
        self._recorder = recorder
        self._metrics = metrics
        self._desks: dict[str, _Desk] = {}
        for watch in watches:
            camera_id = watch.camera.camera_id
            kept = recorder.waiting_checkpoint(camera_id) or ledger.load_checkpoint(camera_id)
            state = from_checkpoint(kept) if kept is not None else CameraState()
            self._desks[camera_id] = _Desk(
                watch, state, CameraStatus(camera_id, belief=_beliefs(state)), {}
            )

    def resume_after(self, camera_id: str) -> datetime | None:
        """The last frame of a camera that is decided on, None for a new camera."""
        return self._desks[camera_id].state.as_of

    def statuses(self) -> Mapping[str, CameraStatus]:
        """What is known of each camera, by camera id."""
        return {camera_id: desk.status for camera_id, desk in self._desks.items()}

    def set_fault(self, camera_id: str, fault: str) -> None:
        """Say what is wrong with a camera's source; an empty text says that nothing is."""
        desk = self._desks[camera_id]
        desk.status = replace(desk.status, fault=fault)

    def adopt(self, model: Model) -> None:
        """Judge by this model from the next call of `decide` on. Any thread may call this.

        Beliefs and open events go on; new events bear the new model's hash, open ones keep theirs.
        """
        self._adopted.put(model)

    def decide(self, frames: Sequence[Frame]) -> list[Look]:
        """Take frames (at most one a camera) through the whole path. One detector call for all."""
        self._take_up_adopted()
        glances = [
            (desk := self._desks[frame.camera_id], glance(desk.watch, desk.state, frame))
            for frame in frames
        ]
        wanted = [seen.frame for _, seen in glances if seen.wants_detector]
        found = self._detect(wanted)
        looks = []
        for desk, seen in glances:
            detections = found.get(seen.frame.camera_id)
            look = conclude(desk.watch, desk.state, seen, detections)
            if seen.stale:
                self._warn_stale(desk, look)
            else:
                self._keep(desk, look)
            looks.append(look)
        return looks

    def catch_up(self) -> None:
        """Try again to write what could not be written."""
        if self._recorder.waiting:
            self._recorder.flush()

    def pass_time(self, now: datetime, camera_ids: Iterable[str]) -> None:
        """Let time pass for these cameras: events of those that are away too long expire."""
        for camera_id in camera_ids:
            desk = self._desks[camera_id]
            desk.state, transitions = wait(desk.watch, desk.state, now)
            for transition in transitions:
                self._recorder.record(transition, (), to_checkpoint(camera_id, desk.state))

    def _take_up_adopted(self) -> None:
        """Change over to the model that was adopted last, detector and rules together."""
        model = None
        with suppress(Empty):
            while True:
                model = self._adopted.get_nowait()
        if model is None:
            return
        self._detector = model.detector
        for desk in self._desks.values():
            desk.watch = desk.watch.judged_by(
                model.likelihood, model.seen_confidence, model.detector.model_hash
            )
            desk.state = desk.state.without_detections()

    def _detect(self, frames: Sequence[Frame]) -> dict[str, Detections]:
        if not frames:
            return {}
        started = perf_counter()
        found = self._detector.detect([frame.image for frame in frames])
        if self._metrics is not None:
            self._metrics.detect(perf_counter() - started, len(frames))
        return {frame.camera_id: one for frame, one in zip(frames, found, strict=True)}

    def _warn_stale(self, desk: _Desk, look: Look) -> None:
        if desk.warned_stale:
            return
        desk.warned_stale = True
        log.warning(
            "frame_ignored",
            camera_id=look.frame.camera_id,
            captured_at=look.frame.captured_at.isoformat(),
            newest=str(desk.state.as_of),
            hint="the camera's clock has jumped back: set it by NTP",
        )

    def _keep(self, desk: _Desk, look: Look) -> None:
        camera_id, at = look.frame.camera_id, look.frame.captured_at
        desk.state = look.state
        desk.warned_stale = False
        # A fault stays until a newer frame has come in: this one may be from before it.
        desk.status = replace(
            desk.status, last_frame_at=at, quality=look.quality, belief=_beliefs(look.state)
        )
        for transition in look.transitions:
            pictures = self._pictures(desk, look, transition)
            self._recorder.record(transition, pictures, to_checkpoint(camera_id, look.state))
        self._remember_before(desk, look)
        if desk.saved_at is None or at - desk.saved_at >= CHECKPOINT_EVERY or look.transitions:
            if not look.transitions:
                self._recorder.checkpoint(to_checkpoint(camera_id, look.state))
            desk.saved_at = at
        if self._metrics is not None:
            self._metrics.look(camera_id, look.quality)
            for zone_id, life in look.state.lives.items():
                self._metrics.belief(camera_id, zone_id, life.belief.overflowing)

    def _pictures(
        self, desk: _Desk, look: Look, transition: Transition
    ) -> list[tuple[EvidenceRole, Picture]]:
        event = transition.event
        if event.state is EventState.SUSPECTED:
            before = desk.before.get(event.zone_id)
            return [(EvidenceRole.BEFORE, before)] if before is not None else []
        role = _ROLES.get(event.state)
        # An update of a confirmed event is no new moment: it keeps the pictures that it has.
        updated = event.confirmed_at != look.frame.captured_at
        if role is None or (role is EvidenceRole.CONFIRMED and updated):
            return []
        return [(role, _picture(desk.watch, look, event.zone_id))]

    def _remember_before(self, desk: _Desk, look: Look) -> None:
        """Keep the last picture of each zone at rest, for the event that may come."""
        at = look.frame.captured_at
        for observation in look.observations:
            life = look.state.lives[observation.zone_id]
            if (
                look.quality is not Quality.OK
                or not observation.seen
                or life.phase is not Phase.WATCHING
                or life.belief.overflowing > desk.watch.rules.events.dismiss_under
                or desk.watch.rules.likelihood.log_ratio(observation.score) >= 0
            ):
                continue
            kept = desk.before.get(observation.zone_id)
            if kept is None or at - kept.captured_at >= KEEP_BEFORE_EVERY:
                desk.before[observation.zone_id] = _picture(desk.watch, look, observation.zone_id)


def _picture(watch: Watch, look: Look, zone_id: str) -> Picture:
    zones: tuple[Zone, ...] = watch.camera.zones
    image = blurred(look.frame.image, zones)
    zone = next((zone for zone in zones if zone.zone_id == zone_id), None)
    return Picture(
        look.frame.captured_at,
        encode_jpeg(image),
        encode_jpeg(annotated(image, zone, look.detections)),
    )


def _beliefs(state: CameraState) -> dict[str, float]:
    return {zone_id: life.belief.overflowing for zone_id, life in state.lives.items()}
