"""How the events of replayed footage are judged, and how sure the figures are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain import Event, EventKind, EventState, Severity
from pipeline.engine.replay_figures import Episode, Judged, figures, intervals, judge, judge_replay

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY_S = 86_400.0


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def event(
    confirmed: float | None,
    cleared: float | None = None,
    *,
    zone: str = "a",
    dismissed: bool = False,
) -> Event:
    return Event(
        event_id=f"{zone}-{confirmed}",
        kind=EventKind.OVERFLOW,
        point_id="p",
        camera_id="p-cam",
        zone_id=zone,
        state=EventState.DISMISSED if dismissed else EventState.CLEARED,
        severity=Severity.MINOR,
        suspected_at=at((confirmed or 0) - 1),
        confirmed_at=None if confirmed is None else at(confirmed),
        cleared_at=None if cleared is None else at(cleared),
    )


TRUTH = [Episode("a", at(10), at(40)), Episode("a", at(100), at(140))]


def test_a_found_episode_gives_its_delays() -> None:
    got = judge([event(13, 45)], TRUTH, DAY_S)
    assert (got.found, got.events, got.episodes) == (1, 1, 2)
    assert got.to_confirm == (3.0,)
    assert got.to_clear == (5.0,)


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(event(20), id="told twice"),
        pytest.param(event(60), id="while clear"),
        pytest.param(event(110, zone="b"), id="another zone"),
    ],
)
def test_an_event_that_finds_nothing_new_is_false(second: Event) -> None:
    got = judge_replay([event(13), second], TRUTH, DAY_S / 2)
    assert got["precision"] == 0.5
    assert got["recall"] == 0.5
    assert got["false_events_per_camera_day"] == 2.0


def test_dismissed_and_unconfirmed_events_told_nobody() -> None:
    assert judge([event(None), event(20, dismissed=True)], TRUTH, DAY_S).events == 0


def test_an_episode_without_a_zone_is_found_by_any() -> None:
    assert judge([event(20, zone="b")], [Episode(None, at(10), at(40))], DAY_S).found == 1


def test_nothing_to_divide_by_is_none_and_not_zero() -> None:
    got = judge_replay([], [], 0.0)
    assert got["events"] == got["episodes"] == 0
    assert {value for name, value in got.items() if name not in ("events", "episodes")} == {None}


def test_pooled_figures_weigh_episodes_and_not_cameras() -> None:
    got = figures(
        [
            Judged(DAY_S, 9, 9, 9, (1.0,) * 9, ()),
            Judged(DAY_S, 1, 1, 0, (), ()),
        ]
    )
    assert got["recall"] == pytest.approx(0.9)
    assert got["false_events_per_camera_day"] == pytest.approx(0.5)


def test_p90_is_the_late_end() -> None:
    delays = tuple(float(minute) for minute in range(11))
    got = figures([Judged(DAY_S, 11, 11, 11, delays, delays)])
    assert (got["minutes_to_confirm"], got["minutes_to_confirm_p90"]) == (5.0, 9.0)
    assert (got["minutes_to_clear"], got["minutes_to_clear_p90"]) == (5.0, 9.0)


def test_one_scene_has_no_interval() -> None:
    one = Judged(DAY_S, 5, 5, 4, (1.0,) * 4, ())
    assert set(intervals({"s": [one, one]}, Random(1)).values()) == {None}


def test_days_of_one_scene_are_drawn_together() -> None:
    """Two scenes, all right or all wrong: only whole scenes give a recall of 0, 1/2 or 1."""
    good = [Judged(DAY_S, 5, 5, 5, (1.0,) * 5, ())] * 20
    bad = [Judged(DAY_S, 5, 0, 0, (), ())] * 20
    assert intervals({"good": good, "bad": bad}, Random(1))["recall"] == (0.0, 1.0)


scene_days = st.lists(
    st.integers(0, 5).map(lambda found: Judged(DAY_S, 5, found + 1, found, (2.0,) * found, ())),
    min_size=1,
    max_size=3,
)


@given(days=st.dictionaries(st.text(max_size=3), scene_days, min_size=2, max_size=6))
def test_intervals_are_ordered_bounded_and_repeatable(days: dict[str, list[Judged]]) -> None:
    got = intervals(days, Random(7), rounds=40)
    assert got == intervals(dict(reversed(days.items())), Random(7), rounds=40)
    recall = got["recall"]
    assert recall is not None
    assert 0.0 <= recall[0] <= recall[1] <= 1.0
    assert got["minutes_to_clear"] is None
