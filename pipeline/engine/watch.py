"""How one camera is watched: frame by frame, as two pure steps with the detector between them.

`glance` judges the frame and says whether the detector is wanted; `conclude` takes what it found (or
the last detections, when nothing changed) through zones, belief and event. The detector stands
between the two, so that the engine can batch it across cameras.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pipeline.belief import Likelihood, Rates
from pipeline.change import ChangeRules, Reference, changed, covered, grid, zone_mask
from pipeline.domain import (
    Camera,
    Detections,
    Frame,
    Observation,
    Quality,
    Zone,
    ZoneKind,
)
from pipeline.events import (
    EventRules,
    Laws,
    Place,
    Transition,
    ZoneLife,
    advance,
    begin,
    pass_time,
)
from pipeline.quality import QualityRules, Sameness, judge, sameness, small_grey
from pipeline.severity import SeverityRules
from pipeline.zones import (
    KIND_OF_ZONE,
    SEEN_CONFIDENCE,
    observe,
    unseen,
    watched_zones,
    without_ignored,
)


@dataclass(frozen=True, slots=True)
class WatchRules:
    """Every parameter of the decision path, together."""

    rates: Rates
    likelihood: Likelihood
    events: EventRules = EventRules()
    severity: SeverityRules = SeverityRules()
    quality: QualityRules = QualityRules()
    change: ChangeRules = ChangeRules()
    seen_confidence: float = SEEN_CONFIDENCE

    @property
    def laws(self) -> Laws:
        """Those that rule a zone's life."""
        return Laws(self.rates, self.likelihood, self.events, self.severity)


@dataclass(frozen=True, slots=True)
class Watch:
    """Which camera of which point is watched, and by what rules."""

    point_id: str
    camera: Camera
    rules: WatchRules
    new_id: Callable[[datetime], str]
    model_hash: str = ""

    def judged_by(self, likelihood: Likelihood, seen_confidence: float, model_hash: str) -> Watch:
        """The same watch with another model: what was measured on it, and its SHA-256."""
        rules = replace(self.rules, likelihood=likelihood, seen_confidence=seen_confidence)
        return replace(self, rules=rules, model_hash=model_hash)

    @property
    def zones(self) -> tuple[Zone, ...]:
        """The zones that make events."""
        return watched_zones(self.camera)


@dataclass(frozen=True, slots=True, eq=False)
class CameraState:
    """What is remembered of a camera between frames.

    ``lives``: by zone id. ``detections``: the last ones, for frames of ``size`` (width, height).
    ``reference``: the view at that detection; ``backgrounds``: ground zones as last seen uncovered.
    """

    lives: Mapping[str, ZoneLife] = field(default_factory=lambda: MappingProxyType({}))
    as_of: datetime | None = None
    same: Sameness | None = None
    reference: Reference | None = None
    detections: Detections | None = None
    size: tuple[int, int] | None = None
    backgrounds: Mapping[str, Reference] = field(default_factory=lambda: MappingProxyType({}))

    def without_detections(self) -> CameraState:
        """The same with nothing detected yet: another model's scores mean something else."""
        return replace(self, detections=None, reference=None, size=None)


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """A frame judged. ``stale``: not newer than the last one, it must move nothing."""

    frame: Frame
    quality: Quality
    same: Sameness
    grid: NDArray[np.float32]
    stale: bool
    wants_detector: bool


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What one frame came to: the new state, what each zone was seen as, and what has changed."""

    state: CameraState
    frame: Frame
    quality: Quality
    detections: Detections
    observations: tuple[Observation, ...] = ()
    transitions: tuple[Transition, ...] = ()


def glance(watch: Watch, state: CameraState, frame: Frame) -> Glance:
    """Judge a frame, and say whether the detector should look at it."""
    grey = small_grey(frame.image)
    at = frame.captured_at
    same = sameness(grey, state.same, at)
    quality = judge(grey, same, at, watch.rules.quality)
    cells = grid(grey)
    stale = state.as_of is not None and at <= state.as_of
    wants = False
    if not stale and quality is Quality.OK:
        mask = zone_mask(watch.zones, cells.shape)
        wants = state.size != _size(frame) or changed(
            cells, at, state.reference, mask, watch.rules.change
        )
    return Glance(frame, quality, same, cells, stale, wants)


def conclude(
    watch: Watch, state: CameraState, glance: Glance, detections: Detections | None
) -> Look:
    """Take a judged frame through zones, belief and event.

    ``detections``: what the detector found on it, None when it was not asked.
    """
    frame, at = glance.frame, glance.frame.captured_at
    if glance.stale:
        return Look(state, frame, glance.quality, Detections.empty())
    if detections is not None:
        state = replace(
            state,
            detections=detections,
            reference=Reference(glance.grid, at),
            size=_size(frame),
        )
    judged = glance.quality is Quality.OK and state.detections is not None
    if judged:
        observations, state = _observe(watch, state, glance, reused=detections is None)
    else:
        observations = tuple(unseen(zone, at, glance.quality) for zone in watch.zones)
    state, transitions = _live(watch, state, observations)
    found = state.detections if judged and state.detections is not None else Detections.empty()
    state = replace(state, as_of=at, same=glance.same)
    return Look(state, frame, glance.quality, found, observations, transitions)


def wait(
    watch: Watch, state: CameraState, now: datetime
) -> tuple[CameraState, tuple[Transition, ...]]:
    """Time passes without a frame: events of a camera that is away too long expire."""
    lives = dict(state.lives)
    transitions: list[Transition] = []
    for zone_id, life in state.lives.items():
        lives[zone_id], told = pass_time(life, now, watch.rules.events)
        transitions += told
    return replace(state, lives=MappingProxyType(lives)), tuple(transitions)


def _size(frame: Frame) -> tuple[int, int]:
    return frame.image.shape[1], frame.image.shape[0]


def _observe(
    watch: Watch, state: CameraState, glance: Glance, *, reused: bool
) -> tuple[tuple[Observation, ...], CameraState]:
    frame, rules = glance.frame, watch.rules
    at = frame.captured_at
    width, height = _size(frame)
    assert state.detections is not None, "a judged frame has detections, its own or the last ones"
    detections = without_ignored(state.detections, watch.camera.zones, width, height)
    backgrounds = dict(state.backgrounds)
    observations = []
    for zone in watch.zones:
        hidden = False
        if zone.kind is ZoneKind.GROUND:
            mask = zone_mask((zone,), glance.grid.shape)
            hidden = covered(glance.grid, at, backgrounds.get(zone.zone_id), mask, rules.change)
            if not hidden:
                backgrounds[zone.zone_id] = Reference(glance.grid, at)
        observation = observe(
            zone,
            detections,
            width=width,
            height=height,
            at=at,
            covered=hidden,
            seen_confidence=rules.seen_confidence,
        )
        observations.append(replace(observation, reused=reused))
    return tuple(observations), replace(state, backgrounds=MappingProxyType(backgrounds))


def _live(
    watch: Watch, state: CameraState, observations: tuple[Observation, ...]
) -> tuple[CameraState, tuple[Transition, ...]]:
    kinds = {zone.zone_id: KIND_OF_ZONE[zone.kind] for zone in watch.zones}
    lives = dict(state.lives)
    transitions: list[Transition] = []
    for observation in observations:
        zone_id = observation.zone_id
        life = lives.get(zone_id) or begin(observation.at, watch.rules.rates)
        place = Place(watch.point_id, watch.camera.camera_id, zone_id, kinds[zone_id])
        lives[zone_id], told = advance(
            life,
            observation,
            place,
            watch.rules.laws,
            new_id=watch.new_id,
            model_hash=watch.model_hash,
        )
        transitions += told
    return replace(state, lives=MappingProxyType(lives)), tuple(transitions)
