"""The life of an event as pure functions: (what is believed, what happened, when) → what to tell.

    watching ──≥ 0.5──▶ suspected ──≥ 0.95, 3 min seen──▶ confirmed ──≤ 0.05, 2 min seen──▶ cleared
                           │                                │  ▲
                           └──< 0.2──▶ dismissed     24 h away  returns
                                                            ▼  │
                                                          expired

    an operator's reject: suspected | confirmed | expired ──▶ rejected; the zone is muted until it is
    once seen clear; a cleared event may be rejected too.

Decisions are made only at a look that *saw* the zone and *supports* them (its likelihood ratio points
that way). Time counts towards a dwell only while the zone is seen: a look vouches for the time since
the look before it, at most for ``vouch_for``. So silence neither confirms nor clears.

Ids come in as an argument. The same observations give the same events, ids apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pipeline.belief import TAU, Likelihood, Rates, look, prior
from pipeline.domain import (
    Belief,
    Event,
    EventKind,
    EventState,
    MessageType,
    Observation,
    Verdict,
)
from pipeline.severity import SeverityRules, graver, severity

_NO_TIME = timedelta(0)


@dataclass(frozen=True, slots=True)
class EventRules:
    """When an event is suspected, confirmed, dismissed, cleared, expired.

    ``confirm_after``: too short tells the county of every bag that waits for its owner, too long tells
    it late. ``clear_after``: too short flaps when a bag is lifted and set down again.
    ``vouch_for``: the longest time one look can answer for; keep it at least at the time between
    looks, or a dwell grows slower than the clock.
    """

    suspect_at: float = 0.5
    confirm_at: float = 0.95
    confirm_after: timedelta = timedelta(minutes=3)
    dismiss_under: float = 0.2
    clear_at: float = 0.05
    clear_after: timedelta = timedelta(minutes=2)
    expire_after: timedelta = timedelta(hours=24)
    vouch_for: timedelta = timedelta(seconds=60)
    tau: timedelta = TAU

    def __post_init__(self) -> None:
        levels = (self.clear_at, self.dismiss_under, self.suspect_at, self.confirm_at)
        if not (0 < levels[0] < levels[1] < levels[2] < levels[3] < 1):
            raise ValueError(
                "0 < clear_at < dismiss_under < suspect_at < confirm_at < 1 is needed, "
                f"got {levels}"
            )


class Phase(StrEnum):
    """What a zone's life is at. ``muted``: rejected by an operator, until it is once seen clear."""

    WATCHING = "watching"
    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    MUTED = "muted"


@dataclass(frozen=True, slots=True)
class Place:
    """Whose life it is: the zone, where it belongs, and what kind of event it makes."""

    point_id: str
    camera_id: str
    zone_id: str
    kind: EventKind


@dataclass(frozen=True, slots=True)
class ZoneLife:
    """All that is remembered of one zone between looks.

    ``dwell``: seen time since the suspicion (suspected) or since the belief fell under the clear line
    (confirmed); None where nothing is being timed.
    ``looked_at`` and ``was_seen``: the last look, seen or not. ``told``: messages sent of ``event``.
    """

    belief: Belief
    phase: Phase = Phase.WATCHING
    event: Event | None = None
    dwell: timedelta | None = None
    looked_at: datetime | None = None
    was_seen: bool = False
    told: int = 0


@dataclass(frozen=True, slots=True)
class Transition:
    """An event has changed: its new form, and what receivers are told, if anything.

    ``sequence`` numbers what is told of one event, from 1.
    """

    event: Event
    message: MessageType | None
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Laws:
    """The parameters of a zone's life, together."""

    rates: Rates
    likelihood: Likelihood
    rules: EventRules = EventRules()
    severity: SeverityRules = SeverityRules()


Outcome = tuple[ZoneLife, tuple[Transition, ...]]


def begin(at: datetime, rates: Rates) -> ZoneLife:
    """A zone that nobody has looked at yet."""
    return ZoneLife(prior(at, rates))


def advance(  # noqa: C901, PLR0912 - one branch an arrow of the drawing above
    life: ZoneLife,
    observation: Observation,
    place: Place,
    laws: Laws,
    *,
    new_id: Callable[[datetime], str],
    model_hash: str = "",
) -> Outcome:
    """One look at the zone: the new life, and the transitions it brings (none, mostly).

    A look that is not newer than the last one changes nothing.
    """
    at = observation.at
    if life.looked_at is not None and at <= life.looked_at:
        return life, ()
    rules = laws.rules
    belief = look(life.belief, observation, laws.rates, laws.likelihood, rules.tau)
    seen_time = _NO_TIME
    if observation.seen and life.was_seen and life.looked_at is not None:
        seen_time = min(at - life.looked_at, rules.vouch_for)
    life = replace(life, belief=belief, looked_at=at, was_seen=observation.seen)
    if not observation.seen:
        return life, ()

    ratio = laws.likelihood.log_ratio(observation.score)
    speaks_for, speaks_against = ratio > 0, ratio < 0
    p = belief.overflowing

    match life.phase:
        case Phase.WATCHING:
            if speaks_for and p >= rules.suspect_at:
                event = Event(
                    event_id=new_id(at),
                    kind=place.kind,
                    point_id=place.point_id,
                    camera_id=place.camera_id,
                    zone_id=place.zone_id,
                    state=EventState.SUSPECTED,
                    severity=severity(observation.spill, _NO_TIME, laws.severity),
                    suspected_at=at,
                    peak_belief=p,
                    confidence=observation.score,
                    model_hash=model_hash,
                )
                life = replace(life, phase=Phase.SUSPECTED, event=event, dwell=_NO_TIME, told=0)
                return life, (Transition(event, None),)
        case Phase.SUSPECTED:
            if speaks_against and p < rules.dismiss_under:
                return _end(life, EventState.DISMISSED, at, Phase.WATCHING, None)
            dwell = (life.dwell or _NO_TIME) + seen_time
            life = replace(_grown(life, observation, laws), dwell=dwell)
            if speaks_for and p >= rules.confirm_at and dwell >= rules.confirm_after:
                event = replace(_event(life), state=EventState.CONFIRMED, confirmed_at=at)
                life = replace(life, event=event)
                return _tell(
                    replace(life, phase=Phase.CONFIRMED, dwell=None), MessageType.EVENT_CONFIRMED
                )
        case Phase.CONFIRMED:
            if p <= rules.clear_at:
                # The time before the belief first fell under the line is not clear time.
                dwell = _NO_TIME if life.dwell is None else life.dwell + seen_time
                if speaks_against and dwell >= rules.clear_after:
                    return _end(
                        life, EventState.CLEARED, at, Phase.WATCHING, MessageType.EVENT_CLEARED
                    )
                return replace(life, dwell=dwell), ()
            before = _event(life).severity
            life = replace(_grown(life, observation, laws), dwell=None)
            if _event(life).severity is not before:
                return _tell(life, MessageType.EVENT_UPDATED)
        case Phase.EXPIRED:
            if speaks_for and p >= rules.confirm_at:
                event = _event(_grown(life, observation, laws))
                event = replace(event, state=EventState.CONFIRMED, ended_at=None)
                life = replace(life, event=event)
                return _tell(
                    replace(life, phase=Phase.CONFIRMED, dwell=None), MessageType.EVENT_UPDATED
                )
            if speaks_against and p <= rules.clear_at:
                return replace(life, phase=Phase.WATCHING, event=None), ()
        case Phase.MUTED:
            if speaks_against and p <= rules.clear_at:
                return replace(life, phase=Phase.WATCHING, event=None), ()
    return life, ()


def pass_time(life: ZoneLife, now: datetime, rules: EventRules) -> Outcome:
    """Time passes without a look: the event of a camera that is away too long expires."""
    if life.looked_at is None or now - life.looked_at < rules.expire_after:
        return life, ()
    if life.phase is Phase.CONFIRMED:
        return _end(life, EventState.EXPIRED, now, Phase.EXPIRED, MessageType.EVENT_UPDATED)
    if life.phase is Phase.SUSPECTED:
        return _end(life, EventState.DISMISSED, now, Phase.WATCHING, None)
    return life, ()


def review(life: ZoneLife, verdict: Verdict, at: datetime) -> Outcome:
    """An operator's verdict on the zone's open event. Only a reject changes its life."""
    if verdict is not Verdict.REJECT or life.event is None or life.phase is Phase.MUTED:
        return life, ()
    told = MessageType.EVENT_RETRACTED if life.event.confirmed_at is not None else None
    return _end(life, EventState.REJECTED, at, Phase.MUTED, told)


def _event(life: ZoneLife) -> Event:
    assert life.event is not None, f"a life in phase {life.phase} has an event"
    return life.event


def _grown(life: ZoneLife, observation: Observation, laws: Laws) -> ZoneLife:
    """The open event after one more look: its peaks, and a severity that only rises."""
    event = _event(life)
    lasting = observation.at - event.suspected_at
    return replace(
        life,
        event=replace(
            event,
            peak_belief=max(event.peak_belief, life.belief.overflowing),
            confidence=max(event.confidence, observation.score),
            severity=graver(event.severity, severity(observation.spill, lasting, laws.severity)),
        ),
    )


def _tell(life: ZoneLife, message: MessageType) -> Outcome:
    life = replace(life, told=life.told + 1)
    return life, (Transition(_event(life), message, life.told),)


def _end(
    life: ZoneLife, state: EventState, at: datetime, phase: Phase, message: MessageType | None
) -> Outcome:
    """End the open event. Only an expired one is kept, since its camera may come back."""
    cleared_at = at if state is EventState.CLEARED else _event(life).cleared_at
    event = replace(_event(life), state=state, ended_at=at, cleared_at=cleared_at)
    told = life.told + (message is not None)
    kept = event if phase is Phase.EXPIRED else None
    transition = Transition(event, message, told if message is not None else 0)
    return replace(life, phase=phase, event=kept, dwell=None, told=told), (transition,)
