import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from flat_studio import FlatStudio
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from models.twin import render_command
from models.twin.commands import twin_app
from models.twin.day import day_scene, day_truth
from models.twin.demo_points import demo_point, demo_points
from models.twin.scene import CLEAR, LightKind, Scene
from models.twin.seeds import TRAINING_SEEDS_FROM
from models.twin.story import START
from models.twin.timelapse import Timelapse, run_lengths, visible_form, write_timelapse
from pipeline.domain import Image, rfc3339
from pipeline.errors import ConfigError

DAY = timedelta(days=1)
POINT_IDS = [point.point_id for point in demo_points()]


def nobody_renders() -> FlatStudio:
    pytest.fail("everything is there: no studio may be opened")


def wanted(hours: float = 1.0, every_s: int = 600, **other: Any) -> Timelapse:
    whole = Timelapse(
        point=demo_point("twin-01"),
        seed=7,
        begins=START,
        ends=START + timedelta(hours=hours),
        every_s=every_s,
        width=160,
        height=90,
        samples=1,
    )
    return replace(whole, **other)


def runs_to_mask(runs: dict[str, list[int]]) -> Any:
    values = [i % 2 == 1 for i, count in enumerate(runs["counts"]) for _ in range(count)]
    return np.array(values).reshape(runs["size"], order="F")


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(POINT_IDS), st.integers(0, 999), st.integers(0, 30 * 86_400))
def test_waste_shows_above_a_rim_exactly_when_the_truth_says_so(
    point_id: str, seed: int, second: int
) -> None:
    point, moment = demo_point(point_id), START + timedelta(seconds=second)
    scene = day_scene(point, moment, seed)
    true = day_truth(point, moment - DAY, moment + DAY, seed)
    assert any(bin_.overflowing for bin_ in scene.bins) == any(
        episode.begins <= moment < episode.ends for episode in true
    )
    assert all(0 <= bin_.fill <= 1 for bin_ in scene.bins)
    assert scene == day_scene(point, moment, seed)


def test_thirty_days_have_a_hundred_and_fifty_overflows_and_few_distinct_pictures() -> None:
    point = demo_point("twin-02")
    episodes = day_truth(point, START, START + 30 * DAY, 7)
    assert 120 <= len(episodes) <= 180
    assert all(a.ends < b.begins for a, b in pairwise(episodes))
    forms = {
        visible_form(day_scene(point, START + timedelta(seconds=second), 7))
        for second in range(0, 86_400, 30)
    }
    assert len(forms) < 110


def test_a_week_has_all_light_and_all_weather() -> None:
    point = demo_point("twin-01")
    scenes = [day_scene(point, START + timedelta(minutes=20 * i), 7) for i in range(504)]
    kinds = {scene.light.kind for scene in scenes}
    assert kinds == {LightKind.SUN, LightKind.OVERCAST, LightKind.DUSK, LightKind.INFRARED}
    assert any(scene.weather.rain for scene in scenes)
    assert any(scene.weather.fog for scene in scenes)
    assert any(scene.weather == CLEAR for scene in scenes)
    assert any(scene.people for scene in scenes)


def test_seeds_and_points_have_days_of_their_own() -> None:
    first, second = demo_point("twin-01"), demo_point("twin-03")
    truths = [day_truth(p, START, START + DAY, s) for p, s in ((first, 1), (first, 2), (second, 1))]
    begins = [[episode.begins for episode in truth] for truth in truths]
    assert begins[0] != begins[1]
    assert begins[0] != begins[2]


def test_truth_is_cut_at_both_ends() -> None:
    point = demo_point("twin-01")
    whole = day_truth(point, START, START + DAY, 7)[1]
    middle = whole.begins + (whole.ends - whole.begins) / 2
    (late,) = day_truth(point, middle, whole.ends + timedelta(minutes=1), 7)
    (early,) = day_truth(point, whole.begins - timedelta(minutes=1), middle, 7)
    assert (late.begins, late.ends) == (middle, whole.ends)
    assert (early.begins, early.ends) == (whole.begins, middle)


def test_a_folder_of_timed_pictures_with_the_truth_of_each(tmp_path: Path) -> None:
    studio = FlatStudio()
    seen: list[tuple[int, int]] = []
    made = write_timelapse(
        wanted(), tmp_path, lambda: studio, progress=lambda done, of: seen.append((done, of))
    )
    assert (made.pictures, made.written, made.rendered) == (6, 6, studio.renders)
    assert seen == [(i, 6) for i in range(1, 7)]
    pictures = sorted(tmp_path.glob("*.jpg"))
    assert [picture.stem for picture in pictures][:2] == ["20260601T000000Z", "20260601T001000Z"]
    truth = json.loads((tmp_path / "truth" / "20260601T001000Z.json").read_text())
    assert truth["captured_at"] == "2026-06-01T00:10:00Z"
    assert truth["simulated"] is True
    assert len(truth["bins"]) == 3
    for bin_ in truth["bins"]:
        assert 0 <= bin_["occlusion"] <= 1
        assert sum(bin_["mask"]["counts"]) == 90 * 160
    for box in truth["boxes"]:
        if box["class"] == "garbage_bin":
            x1, y1, x2, y2 = (int(v) for v in box["box"])
            masks = [runs_to_mask(bin_["mask"]) for bin_ in truth["bins"]]
            assert any(m[y1:y2, x1:x2].any() and m[y1:y2, x1:x2].sum() == m.sum() for m in masks)
    (point,) = yaml.safe_load((tmp_path / "points.yaml").read_text())["points"]
    assert point["cameras"][0]["url"] == "."
    episodes = json.loads((tmp_path / "truth.json").read_text())
    assert all(set(episode) == {"zone_id", "from", "to"} for episode in episodes)


def test_a_broken_run_goes_on_without_rendering_anything_again(tmp_path: Path) -> None:
    write_timelapse(wanted(), tmp_path, FlatStudio)
    lost = tmp_path / "20260601T002000Z.jpg"
    before = lost.read_bytes()
    lost.unlink()
    made = write_timelapse(wanted(), tmp_path, nobody_renders)
    assert (made.pictures, made.written, made.rendered) == (6, 1, 0)
    assert lost.read_bytes() == before


def test_two_time_lapses_share_a_cache(tmp_path: Path) -> None:
    cache = tmp_path / "renders"
    write_timelapse(wanted(), tmp_path / "a", FlatStudio, cache=cache)
    made = write_timelapse(wanted(), tmp_path / "b", nobody_renders, cache=cache)
    assert (made.written, made.rendered) == (6, 0)


def test_a_time_lapse_may_be_extended_but_not_mixed(tmp_path: Path) -> None:
    write_timelapse(wanted(hours=0.5), tmp_path, FlatStudio)
    later = wanted(begins=START + timedelta(hours=8), ends=START + timedelta(hours=9))
    write_timelapse(later, tmp_path, FlatStudio)
    known = json.loads((tmp_path / "timelapse.json").read_text())
    assert (known["from"], known["to"]) == ("2026-06-01T00:00:00Z", "2026-06-01T09:00:00Z")
    with pytest.raises(ConfigError, match="seed was 7, now 8"):
        write_timelapse(wanted(seed=8), tmp_path, FlatStudio)


def test_what_a_lid_hides_needs_no_other_picture() -> None:
    point = demo_point("twin-01")
    early, late = (day_scene(point, START + timedelta(minutes=m), 7) for m in (60 * 17, 60 * 18))
    assert early != late
    assert visible_form(early) == visible_form(late)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: wanted(hours=0), "ends at"),
        (lambda: wanted(every_s=0), "every 0 s"),
        (lambda: wanted(seed=TRAINING_SEEDS_FROM), "not for time-lapses"),
        (lambda: wanted(begins=datetime(2026, 5, 31, 0, 0, 0, 5, UTC)), "whole second"),
    ],
)
def test_what_cannot_be_is_refused(
    wrong: Callable[[], Timelapse], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        write_timelapse(wrong(), tmp_path, nobody_renders)
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=30)
@given(st.integers(0, 2**12 - 1))
def test_run_lengths_say_what_the_mask_is(bits: int) -> None:
    mask = np.array([bits >> i & 1 for i in range(12)], bool).reshape(3, 4)
    runs = run_lengths(mask)
    assert (runs_to_mask(runs) == mask).all()
    assert all(count > 0 for count in runs["counts"][1:])


def test_the_command_makes_a_time_lapse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def grey(width: int, height: int, _samples: int) -> Any:
        class Grey:
            def render(self, _scene: Scene) -> Image:
                return np.full((height, width, 3), 90, np.uint8)

        return Grey()

    monkeypatch.setattr(render_command, "open_studio", grey)
    times = ["--from", "2026-06-01T08:00:00+08:00", "--to", rfc3339(START + timedelta(minutes=2))]
    arguments = ["render", "--point", "twin-07", "--out", str(tmp_path), *times, "--every", "60"]
    result = CliRunner().invoke(twin_app, arguments)
    assert result.exit_code == 0, result.output
    assert "2 pictures" in result.output
    picture = cv2.imread(str(tmp_path / "20260601T000100Z.jpg"))
    assert picture is not None
    assert picture.shape == (360, 640, 3)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--from", "2026-06-01T08:00:00Z"],
        ["--every", "60"],
        ["--from", "2026-06-01T08:00:00", "--to", "2026-06-01T09:00:00Z", "--every", "60"],
        ["--from", "now", "--to", "2026-06-01T09:00:00Z", "--every", "60"],
    ],
)
def test_half_a_time_lapse_is_bad_usage(arguments: list[str], tmp_path: Path) -> None:
    common = ["render", "--point", "twin-01", "--out", str(tmp_path)]
    result = CliRunner().invoke(twin_app, [*common, *arguments])
    assert result.exit_code == 2
    assert list(tmp_path.iterdir()) == []
