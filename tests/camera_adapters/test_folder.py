from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from camera_adapters.testing import number_of, numbered_picture
from pipeline.errors import BrimwatchError, PictureError, SourceMissing, SourceUnreadable
from pipeline.pictures import encode_jpeg

At = Callable[[float], datetime]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "gate"
    made.mkdir()
    return made


def put(folder: Path, moment: datetime, number: int, suffix: str = ".jpg") -> Path:
    path = folder / f"{moment:%Y%m%dT%H%M%SZ}{suffix}"
    path.write_bytes(encode_jpeg(numbered_picture(number)))
    return path


def test_pictures_come_in_the_order_of_their_times(folder: Path, open_at: Any, at: At) -> None:
    for number, seconds in enumerate((60, 0, 30)):
        put(folder, at(seconds), number)
    frames = list(open_at("gate").frames())
    assert [frame.captured_at for frame in frames] == [at(0), at(30), at(60)]
    assert [number_of(frame.image) for frame in frames] == [1, 2, 0]
    assert [frame.sequence for frame in frames] == [1, 2, 3]
    assert {frame.camera_id for frame in frames} == {"gate"}


def test_a_folder_may_be_named_by_scheme(folder: Path, open_at: Any, at: At) -> None:
    put(folder, at(0), 1)
    assert len(list(open_at("folder:gate").frames())) == 1
    assert len(list(open_at(f"folder:{folder}").frames())) == 1


def test_a_recording_is_not_live(open_at: Any) -> None:
    assert open_at("gate").live is False


def test_pictures_closer_than_a_look_are_skipped(folder: Path, open_at: Any, at: At) -> None:
    for second in range(0, 21, 2):
        put(folder, at(second), second)
    frames = list(open_at("gate", look_every_s=6.0).frames())
    assert [frame.captured_at for frame in frames] == [at(0), at(6), at(12), at(18)]


def test_fractions_of_a_second_and_other_suffixes_are_read(
    folder: Path, open_at: Any, at: At
) -> None:
    picture = encode_jpeg(numbered_picture(5))
    (folder / "20260601T080000.250Z.JPG").write_bytes(picture)
    (folder / "20260601T080001.5Z.jpeg").write_bytes(picture)
    frames = list(open_at("gate", look_every_s=1.0).frames())
    assert [frame.captured_at for frame in frames] == [at(0.25), at(1.5)]


def test_a_truncated_picture_is_told_and_left_out(
    folder: Path, open_at: Any, at: At, faults: list[BrimwatchError]
) -> None:
    for number in range(3):
        put(folder, at(30 * number), number)
    damaged = folder / "20260601T080030Z.jpg"
    damaged.write_bytes(damaged.read_bytes()[:400])
    frames = list(open_at("gate").frames())
    assert [number_of(frame.image) for frame in frames] == [0, 2]
    assert [type(fault) for fault in faults] == [PictureError]
    assert damaged.name in str(faults[0])


def test_after_a_damaged_picture_the_next_one_is_the_look(
    folder: Path, open_at: Any, at: At
) -> None:
    put(folder, at(0), 0)
    put(folder, at(10), 1).write_bytes(b"")
    put(folder, at(12), 2)
    frames = list(open_at("gate", look_every_s=10.0).frames())
    assert [frame.captured_at for frame in frames] == [at(0), at(12)]


def test_a_folder_of_only_damaged_pictures_fails(folder: Path, open_at: Any, at: At) -> None:
    put(folder, at(0), 0).write_bytes(b"\xff\xd8\xff")
    with pytest.raises(SourceUnreadable, match="none of its 1 pictures"):
        list(open_at("gate").frames())


def test_badly_named_pictures_are_told_once_and_other_files_are_ignored(
    folder: Path, open_at: Any, at: At, faults: list[BrimwatchError]
) -> None:
    put(folder, at(0), 1)
    for name in ("IMG_001.jpg", "20261301T000000Z.jpg", "truth.json", ".hidden.jpg"):
        (folder / name).write_bytes(b"x")
    assert len(list(open_at("gate").frames())) == 1
    assert len(faults) == 1
    assert "IMG_001.jpg" in str(faults[0])
    assert "20261301T000000Z.jpg" in str(faults[0])
    assert "truth" not in str(faults[0])


@pytest.mark.parametrize("handled", [0, 1, 3, 4])
def test_a_resumed_folder_gives_exactly_what_was_left(
    folder: Path, open_at: Any, at: At, handled: int
) -> None:
    for second in range(0, 60, 4):
        put(folder, at(second), second)
    whole = [frame.captured_at for frame in open_at("gate", look_every_s=10.0).frames()]
    after = whole[handled]
    rest = [frame.captured_at for frame in open_at("gate", look_every_s=10.0, after=after).frames()]
    assert rest == whole[handled + 1 :]


def test_what_was_handled_before_is_not_read_again(
    folder: Path, open_at: Any, at: At, faults: list[BrimwatchError]
) -> None:
    put(folder, at(0), 0).write_bytes(b"damaged")
    put(folder, at(30), 1)
    assert len(list(open_at("gate", after=at(10)).frames())) == 1
    assert faults == []


def test_a_folder_handled_to_its_end_ends_quietly(folder: Path, open_at: Any, at: At) -> None:
    put(folder, at(0), 0)
    assert list(open_at("gate", after=at(0)).frames()) == []


def test_a_missing_folder_says_where_it_looked(tmp_path: Path, open_at: Any) -> None:
    with pytest.raises(SourceMissing, match="no such folder") as failure:
        list(open_at("gate").frames())
    assert str(tmp_path / "gate") in str(failure.value)
    assert failure.value.hint


def test_an_empty_folder_says_how_pictures_are_named(folder: Path, open_at: Any) -> None:
    with pytest.raises(SourceUnreadable, match=r"20260601T080000Z\.jpg"):
        list(open_at("gate").frames())


def test_a_file_given_as_folder_is_unreadable(tmp_path: Path, open_at: Any) -> None:
    (tmp_path / "note.txt").write_text("no folder")
    with pytest.raises(SourceUnreadable, match=r"note\.txt"):
        list(open_at("folder:note.txt").frames())


def test_closing_ends_the_frames(folder: Path, open_at: Any, at: At) -> None:
    for number in range(3):
        put(folder, at(30 * number), number)
    source = open_at("gate")
    frames = source.frames()
    next(frames)
    source.close()
    assert list(frames) == []
