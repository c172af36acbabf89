"""Pictures with boxes in YOLO text format: finding them and reading them.

A data set is a folder with splits (``train``, ``val``, ``test``) in one of two layouts::

    DATA/<split>/images, DATA/<split>/labels        (as Roboflow exports them)
    DATA/images/<split>, DATA/labels/<split>        (as the twin writes them)

A label file has one line a box: class index, then centre x, centre y, width, height, all relative
to the picture (0..1). A picture without a label file, or with an empty one, has no boxes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.domain import CLASSES
from pipeline.errors import ConfigError, PictureError
from pipeline.pictures import decode_picture

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
SPLITS: tuple[str, ...] = ("train", "val", "test")

_FIELDS = 5
_NOT_LABELS = frozenset({"classes.txt"})
"""Lies among the labels without a picture of its own: annotation tools write the names there."""

_TOLERANCE = 1e-3
"""How far outside 0..1 a value may lie: annotation tools round, and the excess is clipped."""


@dataclass(frozen=True, slots=True)
class Split:
    """Where one split of a data set lies."""

    images: Path
    labels: Path


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is known of one picture: N boxes (x1, y1, x2, y2 relative, 0..1) and their classes."""

    picture: Path
    boxes: NDArray[np.float64]
    class_index: NDArray[np.int64]

    def has(self, class_name: str, classes: tuple[str, ...] = CLASSES) -> bool:
        """Whether any box is of that class."""
        return bool(np.any(self.class_index == classes.index(class_name)))


def find_split(data: Path, split: str) -> Split:
    """The folders of one split, whichever layout the data set has.

    Raises ConfigError when the data set or the split is not there.
    """
    if not data.is_dir():
        raise ConfigError(
            f"{data}: no data set is here (not a folder)",
            hint="give the folder that holds train/, val/ and test/",
        )
    for images, labels in (
        (data / split / "images", data / split / "labels"),
        (data / "images" / split, data / "labels" / split),
    ):
        if images.is_dir():
            return Split(images, labels)
    raise ConfigError(
        f"{data}: split {split!r} has no pictures, expected {split}/images or images/{split}",
        hint=f"splits of this data set: {', '.join(_splits_of(data)) or 'none'}",
    )


def read_truths(data: Path, split: str, classes: tuple[str, ...] = CLASSES) -> Iterator[Truth]:
    """Every picture of a split with its boxes, ordered by file name.

    Raises ConfigError naming file and line when a label cannot be understood, and when the split
    holds no picture at all.
    """
    folders = find_split(data, split)
    pictures = sorted(
        path for path in folders.images.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES
    )
    if not pictures:
        raise ConfigError(
            f"{folders.images}: no picture is here",
            hint=f"pictures end in {', '.join(sorted(PICTURE_SUFFIXES))}",
        )
    for picture in pictures:
        boxes, class_index = read_labels(folders.labels / f"{picture.stem}.txt", len(classes))
        yield Truth(picture, boxes, class_index)


def check_split(data: Path, split: str, *, need_boxes: bool = True) -> int:
    """Read a whole split as training would, and return how many boxes it has.

    ``need_boxes``: False for pictures that are meant to show nothing. Raises ConfigError, naming
    the file and where it can the line: for what `read_truths` refuses, a picture that cannot be
    decoded, a label file without a picture, and a split without any box where some are needed.
    """
    boxes = 0
    names = set()
    for truth in read_truths(data, split):
        try:
            decode_picture(truth.picture.read_bytes())
        except (OSError, PictureError) as error:
            raise ConfigError(f"{truth.picture}: {error}") from error
        boxes += len(truth.boxes)
        names.add(truth.picture.stem)
    labels = find_split(data, split).labels
    for label in sorted(labels.glob("*.txt")):
        if label.stem not in names and label.name not in _NOT_LABELS:
            raise ConfigError(
                f"{label}: there is no picture {label.stem} for these boxes",
                hint="was the picture renamed? Otherwise delete the label file",
            )
    if need_boxes and boxes == 0:
        raise ConfigError(
            f"{labels}: no label file has a box in it, for {len(names)} pictures",
            hint="label files are named after their pictures: 0001.jpg has 0001.txt",
        )
    return boxes


def read_labels(path: Path, class_count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Boxes (N×4, x1, y1, x2, y2 relative) and class indices of one label file; none if absent.

    Raises ConfigError with file, line, what was found and what was expected.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as text: {error}") from error
    rows = [
        _read_row(line, class_count, f"{path}:{number}")
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip()
    ]
    boxes = np.array([row[1] for row in rows], np.float64).reshape(-1, 4)
    return boxes, np.array([row[0] for row in rows], np.int64)


def _read_row(line: str, class_count: int, where: str) -> tuple[int, tuple[float, ...]]:
    fields = line.split()
    if len(fields) != _FIELDS:
        raise ConfigError(
            f"{where}: {len(fields)} values, expected 5: class, x, y, width, height",
            hint="polygons are not supported: export boxes",
        )
    try:
        index, (x, y, width, height) = int(fields[0]), map(float, fields[1:])
    except ValueError as error:
        raise ConfigError(f"{where}: not a number in {line.strip()!r}") from error
    if not 0 <= index < class_count:
        raise ConfigError(f"{where}: class {index}, expected 0 to {class_count - 1}")
    corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    inside = all(-_TOLERANCE <= corner <= 1 + _TOLERANCE for corner in corners)
    if not (inside and width > 0 and height > 0):
        raise ConfigError(
            f"{where}: box {' '.join(fields[1:])} is empty or leaves the picture",
            hint="centre, width and height are relative to the picture (0..1)",
        )
    return index, tuple(min(max(corner, 0.0), 1.0) for corner in corners)


def _splits_of(data: Path) -> list[str]:
    return [
        split
        for split in SPLITS
        if (data / split / "images").is_dir() or (data / "images" / split).is_dir()
    ]
