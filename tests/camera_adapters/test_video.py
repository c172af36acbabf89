from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from camera_adapters import CameraSource
from camera_adapters.testing import number_of, numbered_picture, write_video
from pipeline.errors import BrimwatchError, SourceMissing, SourceUnreadable

At = Callable[[float], datetime]


def footage(count: int) -> Iterator[Any]:
    return (numbered_picture(number) for number in range(count))


def sidecar(
    path: Path, seconds_per_frame: object, start: object = "2026-06-01T16:00:00+08:00"
) -> None:
    written = {"start": start, "seconds_per_frame": seconds_per_frame}
    path.with_suffix(".json").write_text(json.dumps(written))


def looks(source: CameraSource) -> list[tuple[datetime, int]]:
    return [(frame.captured_at, number_of(frame.image)) for frame in source.frames()]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".mov", ".ts"])
def test_a_time_lapse_has_exact_times(tmp_path: Path, open_at: Any, at: At, suffix: str) -> None:
    path = write_video(tmp_path / f"gate{suffix}", footage(40), key_every=12)
    sidecar(path, 30)
    assert looks(open_at(path.name)) == [(at(30 * i), i) for i in range(40)]


def test_a_time_lapse_with_frames_out_of_coding_order(tmp_path: Path, open_at: Any, at: At) -> None:
    path = write_video(tmp_path / "gate.mp4", footage(40), key_every=12, b_frames=3)
    sidecar(path, 0.1)
    assert looks(open_at(path.name, look_every_s=0.1)) == [(at(i / 10), i) for i in range(40)]


def test_a_time_lapse_is_thinned_to_its_looks(tmp_path: Path, open_at: Any, at: At) -> None:
    path = write_video(tmp_path / "gate.mp4", footage(40))
    sidecar(path, 2)
    expected = [(at(2 * i), i) for i in range(0, 40, 5)]
    assert looks(open_at(path.name, look_every_s=10.0)) == expected


@pytest.mark.parametrize("handled", [0, 7, 24, 39])
def test_a_resumed_time_lapse_gives_exactly_what_was_left(
    tmp_path: Path, open_at: Any, at: At, handled: int
) -> None:
    path = write_video(tmp_path / "gate.mp4", footage(40), key_every=12, b_frames=2)
    sidecar(path, 30)
    rest = looks(open_at(path.name, after=at(30 * handled)))
    assert rest == [(at(30 * i), i) for i in range(handled + 1, 40)]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts"])
def test_of_an_ordinary_video_only_key_frames_are_looked_at(
    tmp_path: Path, open_at: Any, at: At, suffix: str
) -> None:
    path = tmp_path / f"20260601T080000Z-gate{suffix}"
    write_video(path, footage(200), fps=10, key_every=40)
    times = looks(open_at(path.name, look_every_s=2.0))
    assert [number for _, number in times] == [0, 40, 80, 120, 160]
    # AVI has no presentation times, only an order: a frame off is as good as it gets.
    slack = timedelta(seconds=0.1 if suffix == ".avi" else 0)
    assert all(abs(moment - at(4 * i)) <= slack for i, (moment, _) in enumerate(times))


def test_key_frames_between_looks_are_skipped(tmp_path: Path, open_at: Any, at: At) -> None:
    path = tmp_path / "20260601T080000Z.mp4"
    write_video(path, footage(100), fps=10, key_every=10)
    assert looks(open_at(path.name, look_every_s=4.0)) == [(at(0), 0), (at(4), 40), (at(8), 80)]


@pytest.mark.parametrize("b_frames", [0, 3])
def test_where_key_frames_are_too_far_apart_all_frames_are_decoded(
    tmp_path: Path, open_at: Any, at: At, b_frames: int
) -> None:
    path = tmp_path / "20260601T080000Z.mp4"
    write_video(path, footage(120), fps=10, key_every=60, b_frames=b_frames)
    assert looks(open_at(path.name, look_every_s=2.0)) == [(at(2 * i), 20 * i) for i in range(6)]


@pytest.mark.parametrize("key_every", [10, 200])
def test_a_resumed_ordinary_video_gives_exactly_what_was_left(
    tmp_path: Path, open_at: Any, at: At, key_every: int
) -> None:
    path = tmp_path / "20260601T080000Z.mp4"
    write_video(path, footage(200), fps=10, key_every=key_every)
    whole = looks(open_at(path.name, look_every_s=3.0))
    assert len(whole) == 7
    for handled in range(7):
        rest = looks(open_at(path.name, look_every_s=3.0, after=whole[handled][0]))
        assert rest == whole[handled + 1 :]


def test_the_start_may_be_in_the_metadata(tmp_path: Path, open_at: Any, at: At) -> None:
    path = tmp_path / "gate.mp4"
    write_video(path, footage(10), metadata={"creation_time": "2026-06-01T08:00:00Z"})
    assert looks(open_at(path.name)) == [(at(0), 0)]


def test_an_upside_down_camera_is_turned_upright(tmp_path: Path, open_at: Any) -> None:
    path = tmp_path / "20260601T080000Z.mp4"
    write_video(path, [numbered_picture(0b000000000111)])
    data = path.read_bytes()
    header = data.index(b"tkhd") + 44
    one, half_turn = (1).to_bytes(2, "big") + b"\0\0", b"\xff\xff\0\0"
    assert data[header : header + 4] == one, "the matrix of an upright video"
    zero = bytes(4)
    matrix = half_turn + zero * 3 + half_turn + zero
    path.write_bytes(data[:header] + matrix + data[header + len(matrix) :])
    (frame,) = open_at(path.name).frames()
    assert number_of(frame.image) == 0b111000000000


def test_without_a_start_it_asks_for_the_sidecar(tmp_path: Path, open_at: Any) -> None:
    write_video(tmp_path / "gate.mp4", footage(3))
    with pytest.raises(SourceUnreadable, match="nothing says when") as failure:
        list(open_at("gate.mp4").frames())
    assert "gate.json" in failure.value.hint


@pytest.mark.parametrize(
    ("each", "start", "named"),
    [
        (0, "2026-06-01T08:00:00Z", "seconds_per_frame"),
        ("5", "2026-06-01T08:00:00Z", "seconds_per_frame"),
        (True, "2026-06-01T08:00:00Z", "seconds_per_frame"),
        (5, "2026-06-01T08:00:00", "offset"),
        (5, None, "start"),
    ],
)
def test_a_wrong_sidecar_names_the_field(
    tmp_path: Path, open_at: Any, each: object, start: object, named: str
) -> None:
    path = write_video(tmp_path / "gate.mp4", footage(3))
    sidecar(path, each, start)
    with pytest.raises(SourceUnreadable, match=rf"(?s)gate\.json.*{named}"):
        list(open_at("gate.mp4").frames())


def test_a_sidecar_that_is_no_json_is_named(tmp_path: Path, open_at: Any) -> None:
    path = write_video(tmp_path / "gate.mp4", footage(3))
    path.with_suffix(".json").write_text("{")
    with pytest.raises(SourceUnreadable, match=r"gate\.json"):
        list(open_at("gate.mp4").frames())


def test_a_missing_video_says_where_it_looked(tmp_path: Path, open_at: Any) -> None:
    with pytest.raises(SourceMissing, match="no such file") as failure:
        list(open_at("gate.mp4").frames())
    assert str(tmp_path / "gate.mp4") in str(failure.value)


@pytest.mark.parametrize("content", [b"", b"hello" * 1000, b"#EXTM3U\n#EXTINF:5,\nother.ts\n"])
def test_what_is_not_a_video_is_named(tmp_path: Path, open_at: Any, content: bytes) -> None:
    (tmp_path / "20260601T080000Z.mp4").write_bytes(content)
    with pytest.raises(SourceUnreadable, match=r"20260601T080000Z\.mp4"):
        list(open_at("20260601T080000Z.mp4").frames())


@pytest.mark.parametrize(
    ("suffix", "options"),
    [(".mp4", {}), (".mp4", {"movflags": "faststart"}), (".mkv", {})],
    ids=["mp4, header lost", "mp4, header first", "mkv"],
)
@pytest.mark.parametrize("lapse", [True, False], ids=["time-lapse", "ordinary"])
def test_a_truncated_video_fails_after_what_is_whole(
    tmp_path: Path, open_at: Any, suffix: str, options: dict[str, str], *, lapse: bool
) -> None:
    path = tmp_path / f"20260601T080000Z{suffix}"
    write_video(path, footage(200), fps=10, key_every=10, options=options)
    if lapse:
        sidecar(path, 1)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    numbers: list[int] = []
    with pytest.raises(SourceUnreadable, match=r"20260601T080000Z"):
        numbers.extend(number_of(frame.image) for frame in open_at(path.name).frames())
    whole = list(range(0, 200, 5 if lapse else 50))
    header_lost = suffix == ".mp4" and not options
    if header_lost:
        assert numbers == []
    else:
        assert len(whole) / 2 <= len(numbers) < len(whole)
        assert numbers == whole[: len(numbers)]


def test_a_damaged_stretch_gives_no_grey_picture(
    tmp_path: Path, open_at: Any, faults: list[BrimwatchError]
) -> None:
    path = tmp_path / "20260601T080000Z.mp4"
    write_video(path, footage(100), fps=10, key_every=10, options={"movflags": "faststart"})
    data = bytearray(path.read_bytes())
    middle = len(data) * 6 // 10
    data[middle : middle + 900] = b"\xa5" * 900
    path.write_bytes(bytes(data))
    numbers = [number for _, number in looks(open_at(path.name, look_every_s=1.0))]
    assert numbers == sorted(numbers)
    assert 5 <= len(numbers) < 10
    assert len(faults) == 1


def test_closing_ends_the_frames(tmp_path: Path, open_at: Any) -> None:
    path = write_video(tmp_path / "gate.mp4", footage(40))
    sidecar(path, 30)
    source = open_at("gate.mp4")
    frames = source.frames()
    next(frames)
    source.close()
    assert list(frames) == []
