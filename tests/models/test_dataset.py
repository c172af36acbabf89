from __future__ import annotations

from pathlib import Path

import pytest

from models.dataset import check_split, read_truths
from pipeline.errors import ConfigError


def test_a_sound_split_is_read_to_its_last_box(squares: Path) -> None:
    assert check_split(squares, "val") == 6


def test_values_a_little_outside_are_clipped(squares: Path) -> None:
    (squares / "val/labels/00.txt").write_text("2 0.5 0.5 1.0005 1\n")
    assert next(read_truths(squares, "val")).boxes.tolist() == [[0, 0, 1, 1]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 0.5 0.5 0.2 0.2\n3 0.5 0.5 0.2 0.2\n", r"03\.txt:2: class 3, expected 0 to 2"),
        ("-1 0.5 0.5 0.2 0.2\n", r"03\.txt:1: class -1"),
        ("1 0.9 0.5 0.5 0.2\n", r"03\.txt:1: box 0\.9 0\.5 0\.5 0\.2 is empty or leaves"),
        ("\n\n1 0.5 0.5 0 0.2\n", r"03\.txt:3: box .* is empty"),
        ("1 nan 0.5 0.2 0.2\n", r"03\.txt:1: box nan"),
        ("1 0.5 inf 0.2 0.2\n", r"03\.txt:1: box 0\.5 inf"),
        ("bin 0.5 0.5 0.2 0.2\n", r"03\.txt:1: not a number in 'bin"),
        ("1 0.1 0.1 0.2 0.1 0.2 0.2\n", r"03\.txt:1: 7 values, expected 5"),
    ],
)
def test_a_bad_label_is_named_with_its_line(squares: Path, text: str, said: str) -> None:
    (squares / "val" / "labels" / "03.txt").write_text(text)
    with pytest.raises(ConfigError, match=said):
        check_split(squares, "val")


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"0" * 40])
def test_a_picture_that_cannot_be_read_is_named(squares: Path, content: bytes) -> None:
    (squares / "val" / "images" / "04.png").write_bytes(content)
    with pytest.raises(ConfigError, match=r"04\.png"):
        check_split(squares, "val")


def test_boxes_without_their_picture_are_named(squares: Path) -> None:
    (squares / "val" / "images" / "02.png").rename(squares / "val" / "images" / "two.png")
    with pytest.raises(ConfigError, match=r"02\.txt: there is no picture 02"):
        check_split(squares, "val")


def test_the_list_of_class_names_is_no_label(squares: Path) -> None:
    (squares / "val" / "labels" / "classes.txt").write_text("garbage\ngarbage_bin\noverflow\n")
    assert check_split(squares, "val") == 6


def test_a_split_without_any_box_is_an_error_unless_it_is_meant_so(squares: Path) -> None:
    for label in (squares / "val" / "labels").iterdir():
        label.write_text("")
    with pytest.raises(ConfigError, match="no label file has a box in it, for 6 pictures"):
        check_split(squares, "val")
    assert check_split(squares, "val", need_boxes=False) == 0


def test_a_split_without_pictures_is_an_error(squares: Path) -> None:
    for picture in (squares / "val" / "images").iterdir():
        picture.unlink()
    with pytest.raises(ConfigError, match=r"images: no picture is here"):
        check_split(squares, "val")
