"""Whole days at a simulated point: the scene of any moment, as a function of point, seed and time.

Where `story` tells one episode in fifty minutes, a day has several, each with other waste, and its
own light, weather and passers-by. Everything lasts for minutes or hours, so a day at any pace needs
only some dozens of renders. All chance comes from
(seed, the point's seed, local day).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from models.twin.caption import SITE_TIME
from models.twin.layout import WET, Dice
from models.twin.scene import Bin, Lens, Light, LightKind, Scene, Weather
from models.twin.story import DemoPoint, Episode, Overflow, Visit, scene_at

OPENS_H, CLOSES_H = 5.0, 23.0
"""Overflows begin and end between these hours of the site's time."""
DAWN_H, SUNRISE_H, SUNSET_H, NIGHT_H = 5.75, 6.75, 19.25, 20.25
"""Chongqing in June: night, dusk, day, dusk, night."""
SUN_STEP_H = 2.0
"""The sun stands still for so long: each step is another picture to render."""
WEATHER_STEP_H = 3
WAKE_FILL = 0.15
"""How full a bin is at midnight and just after it was emptied."""
_HEAP_SEEDS_FROM = 2**30  # far above any training seed: heaps of a day are never trained on


@dataclass(frozen=True, slots=True)
class Outline:
    """What will happen on one day: overflows and visits, in seconds of the site's day."""

    overflows: tuple[Overflow, ...]
    heap_seeds: tuple[int, ...]
    visits: tuple[Visit, ...]


def outline(point: DemoPoint, ordinal: int, seed: int) -> Outline:
    """The day with this proleptic Gregorian ordinal: four to six overflows, none overlapping."""
    dice = Dice(seed, point.seed, ordinal, 1)
    count = 4 + dice.below(3)
    slot_s = (CLOSES_H - OPENS_H) * 3600 / count
    overflows: list[Overflow] = []
    for i in range(count):
        lasts = dice.between(25, 75) * 60
        begins = OPENS_H * 3600 + i * slot_s + dice.between(20 * 60, slot_s - lasts - 20 * 60)
        first = dice.below(len(point.bins))
        bins = (first, (first + 1) % len(point.bins)) if dice.chance(0.5) else (first,)
        wide = point.bins[first].size.top[0] > 1
        pieces = int(dice.between(34, 56) if wide else dice.between(14, 28))
        x = point.bins[first].x + dice.between(-0.3, 0.3)
        spill = (x, -0.9, 0.5, 0.2, 8 + dice.below(12)) if dice.chance(0.5) else None
        lid = dice.between(85, 112) if dice.chance(0.6) else dice.between(195, 235)
        overflows.append(Overflow(int(begins), int(begins + lasts), bins, pieces, spill, lid))
    heaps = np.random.SeedSequence((seed, point.seed, ordinal, 2)).generate_state(count)
    visits: list[Visit] = []
    for _ in range(4 + dice.below(4)):
        at = int(dice.between(5.5, 22.5) * 3600)
        kind = ("person", "person", "person", "sedan", "van")[dice.below(5)]
        lasts = 60 + dice.below(60) if kind == "person" else 120 + dice.below(360)
        y = -dice.between(0.95, 1.4) if kind == "person" else -2.35
        visits.append(Visit(at, at + int(lasts), kind, dice.between(-1.2, 1.2), y, dice.below(8)))
    seeds = tuple(_HEAP_SEEDS_FROM + int(heap) % _HEAP_SEEDS_FROM for heap in heaps)
    return Outline(tuple(overflows), seeds, tuple(visits))


def _weather(point: DemoPoint, ordinal: int, hour: float, seed: int) -> tuple[Weather, bool]:
    """The weather, and whether the sky is grey, for three hours at a time."""
    dice = Dice(seed, point.seed, ordinal, 3, int(hour) // WEATHER_STEP_H)
    draw = dice.between(0, 1)
    if draw < 0.14:
        return Weather(rain=round(dice.between(0.2, 0.9), 2)), True
    if draw < 0.26 and hour < 9:
        return Weather(fog=round(dice.between(0.04, 0.12), 3)), True
    return Weather(), draw > 0.7


def _light(point: DemoPoint, hour: float, *, grey: bool) -> Light:
    own = point.light
    if hour < DAWN_H or hour >= NIGHT_H:
        night = LightKind.INFRARED if point.seed % 2 else LightKind.LAMP
        return replace(own, kind=night, elevation=20, azimuth=0)
    if own.kind is LightKind.DUSK or hour < SUNRISE_H or hour >= SUNSET_H:
        return replace(own, kind=LightKind.DUSK, elevation=20, azimuth=0)
    if grey:
        return replace(own, kind=LightKind.OVERCAST, elevation=55, azimuth=10)
    middle = min((hour // SUN_STEP_H + 0.5) * SUN_STEP_H, SUNSET_H)
    share = (middle - DAWN_H) / (NIGHT_H - DAWN_H)
    height = 14 + 52 * math.sin(math.pi * share)
    return replace(own, kind=LightKind.SUN, elevation=round(height, 1),
                   azimuth=round(-70 + 140 * share, 1))  # fmt: skip


def _lens(point: DemoPoint, ordinal: int, second: int, weather: Weather, seed: int) -> Lens:
    dice = Dice(seed, point.seed, ordinal, 4)
    dirt = round(dice.between(0.2, 0.7), 2) if dice.chance(0.15) else 0.0
    drops = 3 + dice.below(8)
    dark = not DAWN_H <= second / 3600 < NIGHT_H
    return Lens(
        dirt=dirt,
        drops=drops if weather.rain else 0,
        gain=1 + 0.025 * math.sin(2 * math.pi * second / 1_500 + point.seed),
        noise=4.5 if dark else 1.6,
        crf=24 + point.seed % 6,
    )


def _filled(bins: tuple[Bin, ...], day: Outline, second: int) -> tuple[Bin, ...]:
    """Closed bins with what they hold: it rises until they overflow, and starts again."""
    filled = list(bins)
    for index, bin_ in enumerate(bins):
        if bin_.overflowing:
            continue
        since, until = 0, 24 * 3600
        for overflow in day.overflows:
            if index in overflow.bins:
                if overflow.ends <= second:
                    since = overflow.ends
                elif overflow.begins > second:
                    until = min(until, overflow.begins)
        share = (second - since) / max(until - since, 1)
        filled[index] = replace(bin_, fill=round(WAKE_FILL + (0.98 - WAKE_FILL) * share, 2))
    return tuple(filled)


def day_scene(point: DemoPoint, moment: datetime, seed: int) -> Scene:
    """The scene at a point at any moment (aware). ``seed`` decides what happens on which day."""
    local = moment.astimezone(SITE_TIME)
    ordinal = local.toordinal()
    second = local.hour * 3600 + local.minute * 60 + local.second
    hour = second / 3600
    day = outline(point, ordinal, seed)
    now = replace(point, overflow=None, visits=day.visits)
    for overflow, heap_seed in zip(day.overflows, day.heap_seeds, strict=True):
        if (
            overflow.begins - 60 <= second < overflow.ends + 60
        ):  # with the worker's coming and going
            now = replace(now, overflow=overflow, seed=heap_seed)
    weather, grey = _weather(point, ordinal, hour, seed)
    scene = scene_at(now, second)
    backdrop = scene.backdrop
    if weather.rain:
        r, g, b = backdrop.ground_colour
        backdrop = replace(backdrop, ground_colour=(r * WET, g * WET, b * WET))
    return replace(
        scene,
        seed=point.seed,
        bins=_filled(scene.bins, day, second),
        backdrop=backdrop,
        light=_light(point, hour, grey=grey),
        weather=weather,
        lens=_lens(point, ordinal, second, weather, seed),
    )


def day_truth(point: DemoPoint, begins: datetime, ends: datetime, seed: int) -> list[Episode]:
    """The overflows from ``begins`` to ``ends`` (both aware), cut at both."""
    first, last = begins.astimezone(SITE_TIME), ends.astimezone(SITE_TIME)
    episodes: list[Episode] = []
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        midnight = datetime.fromordinal(ordinal).replace(tzinfo=SITE_TIME)
        for overflow in outline(point, ordinal, seed).overflows:
            start = max(midnight + timedelta(seconds=overflow.begins), begins)
            end = min(midnight + timedelta(seconds=overflow.ends), ends)
            if start < end:
                episodes.append(Episode(point.zone_id, start, end))
    return episodes
