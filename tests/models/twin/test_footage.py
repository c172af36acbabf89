import json
from typing import Any

import av
import numpy as np
import pytest
import yaml

from models.twin import footage_dir
from models.twin.demo_points import demo_points
from models.twin.footage import FRAMES, KEY_FRAME_EVERY, points_config
from models.twin.story import LENGTH_S, START, story_truth
from pipeline.domain import rfc3339, utc

POINTS = {point.point_id: point for point in demo_points()}
every_point = pytest.mark.parametrize("point_id", sorted(POINTS))


def read(name: str) -> Any:
    return json.loads((footage_dir() / name).read_text(encoding="utf-8"))


@every_point
def test_the_sidecar_gives_start_and_pace_and_says_that_it_is_simulated(point_id: str) -> None:
    sidecar = read(f"{point_id}.json")
    assert sidecar == {
        "start": "2026-06-01T00:00:00Z",
        "seconds_per_frame": 10,
        "simulated": True,
        "seed": POINTS[point_id].seed,
    }


@every_point
def test_the_video_has_a_frame_for_each_ten_seconds_and_frequent_key_frames(point_id: str) -> None:
    with av.open(str(footage_dir() / f"{point_id}.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height, stream.pix_fmt) == (640, 360, "yuv420p")
        packets = [packet for packet in container.demux(stream) if packet.size]
    assert len(packets) == FRAMES == LENGTH_S // 10
    keys = [index for index, packet in enumerate(packets) if packet.is_keyframe]
    assert keys[0] == 0
    gaps = [b - a for a, b in zip(keys, [*keys[1:], FRAMES], strict=True)]
    assert max(gaps) <= KEY_FRAME_EVERY


@every_point
def test_the_committed_truth_is_that_of_the_story(point_id: str) -> None:
    truth = read(f"{point_id}.truth.json")
    assert truth == [
        {"zone_id": e.zone_id, "from": rfc3339(e.begins), "to": rfc3339(e.ends)}
        for e in story_truth(POINTS[point_id])
    ]
    for episode in truth:
        begins, ends = utc(episode["from"]), utc(episode["to"])
        assert START <= begins < ends
        assert (ends - START).total_seconds() <= LENGTH_S


def test_six_points_overflow_and_two_do_not() -> None:
    assert [len(read(f"{point_id}.truth.json")) for point_id in sorted(POINTS)] == [1] * 6 + [0] * 2


def test_the_committed_points_are_those_of_the_code() -> None:
    committed = yaml.safe_load((footage_dir() / "points.yaml").read_text(encoding="utf-8"))
    made = points_config(demo_points())
    for theirs, ours in zip(committed["points"], made["points"], strict=True):
        (their_camera,), (our_camera,) = theirs.pop("cameras"), ours.pop("cameras")
        assert theirs == ours
        assert ours["name"].startswith("模拟点位")
        assert (footage_dir() / their_camera["url"]).is_file()
        (their_zone,), (our_zone,) = their_camera.pop("zones"), our_camera.pop("zones")
        assert their_camera == our_camera
        corners = np.array(their_zone.pop("polygon"))
        assert corners == pytest.approx(np.array(our_zone.pop("polygon")), abs=0.01)
        assert ((corners >= 0) & (corners <= 1)).all()
        assert their_zone == our_zone
        assert our_zone["kind"] == "bin"


def test_the_footage_is_small_enough_for_a_repository() -> None:
    assert sum(path.stat().st_size for path in footage_dir().glob("*.mp4")) < 5_500_000
