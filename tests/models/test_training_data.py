from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from models.training_data import training_data_sha256
from pipeline.errors import ConfigError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two pictures, one of them labelled; their contents need not be pictures to be counted."""
    folder = tmp_path / "data"
    for name, content in (("images/b.jpg", b"B"), ("images/a.png", b"A"), ("labels/b.txt", b"0")):
        (folder / "train" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "train" / name).write_bytes(content)
    return folder


def test_the_digest_is_what_sha256sum_would_say(data: Path) -> None:
    lines = [
        f"{hashlib.sha256(content).hexdigest()}  {name}\n"
        for name, content in (
            ("images/a.png", b"A"),
            ("images/b.jpg", b"B"),
            ("labels/b.txt", b"0"),
        )
    ]
    expected = hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
    assert training_data_sha256([data]) == expected


def test_place_layout_and_strangers_do_not_count(data: Path, tmp_path: Path) -> None:
    before = training_data_sha256([data])
    moved = tmp_path / "elsewhere"
    for kind in ("images", "labels"):
        shutil.copytree(data / "train" / kind, moved / kind / "train")
    (moved / "images" / "train" / "Thumbs.db").write_bytes(b"x")
    (moved / "labels" / "train" / "labels.cache").write_bytes(b"x")
    assert training_data_sha256([moved]) == before


@pytest.mark.parametrize(
    ("name", "content"),
    [("images/b.jpg", b"other"), ("labels/b.txt", b"1"), ("images/c.jpg", b"B")],
)
def test_another_picture_label_or_name_is_another_digest(
    data: Path, name: str, content: bytes
) -> None:
    before = training_data_sha256([data])
    (data / "train" / name).write_bytes(content)
    assert training_data_sha256([data]) != before


def test_the_order_of_data_sets_does_not_matter_but_each_does(data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "train" / "images").mkdir(parents=True)
    (other / "train" / "images" / "z.jpg").write_bytes(b"Z")
    assert training_data_sha256([data, other]) == training_data_sha256([other, data])
    assert training_data_sha256([data, other]) != training_data_sha256([data])


def test_a_missing_split_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'train' has no pictures"):
        training_data_sha256([tmp_path])
