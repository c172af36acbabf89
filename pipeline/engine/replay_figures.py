"""Event-level figures of replayed footage: which episodes were found, how late, how many false events.

`judge` counts for one piece of footage, `figures` pools such counts, and `intervals` gives their 95 %
intervals by a bootstrap over scenes: days of one scene resemble each other, so that they are drawn
together (Cameron, Gelbach and Miller 2008, the pairs cluster bootstrap).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

import numpy as np

from pipeline.domain import Event, EventState

_DAY_S = 86_400.0

Figures = Mapping[str, float | int | None]


@dataclass(frozen=True, slots=True)
class Episode:
    """A time in which a zone truly overflowed. ``zone_id`` None: any zone of the camera."""

    zone_id: str | None
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Judged:
    """What one camera's footage of ``watched_s`` seconds gave; delays in minutes, of found episodes."""

    watched_s: float
    episodes: int
    events: int
    found: int
    to_confirm: tuple[float, ...]
    to_clear: tuple[float, ...]


def judge(events: Iterable[Event], truth: Sequence[Episode], watched_s: float) -> Judged:
    """Hold one camera's events against its true episodes.

    An event is true when it was confirmed during an episode of its zone; an episode is found when at
    least one event is. A second event for the same episode is false: it told the receivers twice.
    """
    confirmed = sorted(
        (
            event
            for event in events
            if event.confirmed_at is not None and event.state is not EventState.DISMISSED
        ),
        key=lambda event: event.suspected_at,
    )
    found: dict[int, Event] = {}
    for event in confirmed:
        index = _episode_of(event, truth)
        if index is not None:
            found.setdefault(index, event)
    return Judged(
        watched_s=watched_s,
        episodes=len(truth),
        events=len(confirmed),
        found=len(found),
        to_confirm=tuple(
            (event.confirmed_at - truth[index].since).total_seconds() / 60
            for index, event in found.items()
            if event.confirmed_at is not None
        ),
        to_clear=tuple(
            (event.cleared_at - truth[index].until).total_seconds() / 60
            for index, event in found.items()
            if event.cleared_at is not None
        ),
    )


def figures(judged: Sequence[Judged]) -> Figures:
    """The pooled figures; None where there is nothing to divide by."""
    watched_s = sum(one.watched_s for one in judged)
    episodes = sum(one.episodes for one in judged)
    events = sum(one.events for one in judged)
    found = sum(one.found for one in judged)
    to_confirm = [minutes for one in judged for minutes in one.to_confirm]
    to_clear = [minutes for one in judged for minutes in one.to_clear]
    return {
        "events": events,
        "episodes": episodes,
        "precision": found / events if events else None,
        "recall": found / episodes if episodes else None,
        "false_events_per_camera_day": (
            (events - found) / (watched_s / _DAY_S) if watched_s > 0 else None
        ),
        "minutes_to_confirm": _quantile(to_confirm, 0.5),
        "minutes_to_confirm_p90": _quantile(to_confirm, 0.9),
        "minutes_to_clear": _quantile(to_clear, 0.5),
        "minutes_to_clear_p90": _quantile(to_clear, 0.9),
    }


def judge_replay(events: Iterable[Event], truth: Sequence[Episode], watched_s: float) -> Figures:
    """The figures of one camera's footage, ``watched_s`` seconds long."""
    return figures([judge(events, truth, watched_s)])


def intervals(
    by_scene: Mapping[str, Sequence[Judged]], random: Random, rounds: int = 1000
) -> Mapping[str, tuple[float, float] | None]:
    """95 % percentile intervals of every figure but the two counts, whole scenes drawn with replacement.

    None where no round has the figure, and everywhere with fewer than two scenes: one scene says
    nothing about how scenes differ. An interval of zero width (no false event in any scene, say) is no
    proof of zero: the bootstrap cannot draw what never happened.
    """
    names = [name for name in figures([]) if name not in ("events", "episodes")]
    scenes = [by_scene[scene] for scene in sorted(by_scene)]
    if len(scenes) < 2:
        return dict.fromkeys(names)
    drawn: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        pooled = figures([one for scene in random.choices(scenes, k=len(scenes)) for one in scene])
        for name in names:
            value = pooled[name]
            if value is not None:
                drawn[name].append(value)
    return {name: _middle_95(values) for name, values in drawn.items()}


def _middle_95(values: Sequence[float]) -> tuple[float, float] | None:
    low, high = _quantile(values, 0.025), _quantile(values, 0.975)
    return (low, high) if low is not None and high is not None else None


def _quantile(values: Sequence[float], part: float) -> float | None:
    return float(np.quantile(values, part)) if values else None


def _episode_of(event: Event, truth: Sequence[Episode]) -> int | None:
    for index, episode in enumerate(truth):
        same_zone = episode.zone_id in (None, event.zone_id)
        if (
            same_zone
            and event.confirmed_at is not None
            and episode.since <= event.confirmed_at <= episode.until
        ):
            return index
    return None
