from itertools import pairwise

import pytest

from models.twin.demo_points import demo_points
from models.twin.story import LENGTH_S, SECONDS_PER_FRAME, START, DemoPoint, scene_at, story_truth

POINTS = {point.point_id: point for point in demo_points()}
SECONDS = range(0, LENGTH_S, SECONDS_PER_FRAME)
overflowing_points = pytest.mark.parametrize("point_id", [f"twin-0{n}" for n in range(1, 7)])
every_point = pytest.mark.parametrize("point_id", sorted(POINTS))


def heaped(point: DemoPoint, second: int) -> bool:
    return any(bin_.overflowing for bin_ in scene_at(point, second).bins)


@every_point
def test_the_truth_says_exactly_when_waste_is_above_the_rim(point_id: str) -> None:
    point = POINTS[point_id]
    true = {
        second
        for second in SECONDS
        for episode in story_truth(point)
        if episode.begins.timestamp() <= START.timestamp() + second < episode.ends.timestamp()
    }
    assert {second for second in SECONDS if heaped(point, second)} == true


@overflowing_points
def test_an_overflow_lasts_and_leaves_time_before_and_after(point_id: str) -> None:
    (episode,) = story_truth(POINTS[point_id])
    begins = (episode.begins - START).total_seconds()
    ends = (episode.ends - START).total_seconds()
    assert begins >= 4 * 60
    assert 12 * 60 <= ends - begins <= 20 * 60
    assert LENGTH_S - ends >= 6 * 60


@overflowing_points
def test_a_heap_only_grows_until_it_is_taken_away(point_id: str) -> None:
    point = POINTS[point_id]
    scenes = [scene_at(point, second) for second in SECONDS if heaped(point, second)]
    for before, after in pairwise(scenes):
        for old, new in zip(before.bins, after.bins, strict=True):
            assert new.heap[: len(old.heap)] == old.heap
    assert scenes[-1].bins != scenes[0].bins


@pytest.mark.parametrize("point_id", ["twin-07", "twin-08"])
def test_two_points_stay_clean_while_people_and_cars_stand_in_front(point_id: str) -> None:
    point = POINTS[point_id]
    assert story_truth(point) == []
    scenes = [scene_at(point, second) for second in SECONDS]
    assert not any(bin_.overflowing for scene in scenes for bin_ in scene.bins)
    assert any(scene.people for scene in scenes)
    assert any(scene.cars for scene in scenes)


def test_somebody_stands_in_front_of_an_overflow() -> None:
    point = POINTS["twin-01"]
    assert any(scene_at(point, s).people for s in SECONDS if heaped(point, s) and s < 1_000)


@every_point
def test_a_story_needs_few_distinct_pictures(point_id: str) -> None:
    point = POINTS[point_id]
    assert len({scene_at(point, second) for second in SECONDS}) <= 22
