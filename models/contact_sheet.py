"""What a detector gets most wrong, as one picture for people: what is there beside what was said.

Three kinds of mistake, at one confidence for boxes and at overlap 0.5:

- *missed*: a true box that no said box of its class claims,
- *wrong class*: a said box over a true box of another class that was missed,
- *invented*: any other said box that is no hit (also one that is too far off its true box).

The worst are the surest: said boxes by confidence; missed boxes by how little was said of them,
then by size, since a big thing missed is worse than a speck. Kinds take turns, so that the commonest
does not fill the sheet, and no picture is shown twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import cv2
import numpy as np
from numpy.typing import NDArray

from models.boxes import overlaps
from models.drawing import COLOURS
from models.evaluation import Judged
from pipeline.domain import Image
from pipeline.errors import ConfigError
from pipeline.pictures import decode_picture

KINDS: tuple[str, ...] = ("missed", "wrong class", "invented")

_OVERLAP = 0.5
_TILE = (280, 250)
"""Width and height in pixels of each half of a tile; the picture is scaled to fit."""
_HEADER = 26
_GAP = 8
_INK, _PAPER, _DARK = (40, 40, 40), (255, 255, 255), (60, 60, 60)


@dataclass(frozen=True, slots=True, eq=False)
class Mistake:
    """One box that is wrong.

    ``kind``: one of `KINDS`. ``class_name``: the true box's for a missed one, else the said one's;
    ``instead_of``: the true class where another was said. ``box``: x1, y1, x2, y2 relative (0..1).
    ``weight``: how bad, 0..1, comparable within a kind.
    """

    judged: Judged
    kind: str
    class_name: str
    box: NDArray[np.float64]
    weight: float
    instead_of: str = ""

    @property
    def title(self) -> str:
        """In words, for above the picture."""
        if self.kind == "missed":
            return f"missed {self.class_name}"
        if self.instead_of:
            return f"{self.class_name} for {self.instead_of} ({self.weight:.2f})"
        return f"invented {self.class_name} ({self.weight:.2f})"


def worst_mistakes(judged: Sequence[Judged], confidence: float, count: int) -> list[Mistake]:
    """At most ``count`` mistakes at that confidence, worst first, one a picture."""
    found = [mistake for one in judged for mistake in mistakes(one, confidence)]
    by_kind = [
        sorted((one for one in found if one.kind == kind), key=lambda one: -one.weight)
        for kind in KINDS
    ]
    taken: dict[str, Mistake] = {}
    for turn in zip_longest(*by_kind):
        for one in turn:
            if one is not None:
                taken.setdefault(str(one.judged.truth.picture), one)
    return list(taken.values())[:count]


def mistakes(judged: Judged, confidence: float) -> Iterator[Mistake]:
    """Every mistake on one picture."""
    truth, found = judged.truth, judged.found
    said = found.where(found.confidence >= confidence)
    claimed = np.zeros(len(truth.boxes), bool)
    wrong = np.ones(len(said), bool)
    for row in map(int, np.argsort(-said.confidence, kind="stable")):
        free = np.flatnonzero(~claimed & (truth.class_index == said.class_index[row]))
        shared = overlaps(said.boxes[[row]], truth.boxes[free])[0]
        if shared.max(initial=0.0) >= _OVERLAP:
            claimed[free[shared.argmax()]] = True
            wrong[row] = False
    for index in map(int, np.flatnonzero(~claimed)):
        yield Mistake(
            judged,
            "missed",
            found.classes[int(truth.class_index[index])],
            truth.boxes[index],
            _missed_weight(judged, index),
        )
    for row in map(int, np.flatnonzero(wrong)):
        others = np.flatnonzero(~claimed & (truth.class_index != said.class_index[row]))
        shared = overlaps(said.boxes[[row]], truth.boxes[others])[0]
        confused = bool(shared.max(initial=0.0) >= _OVERLAP)
        yield Mistake(
            judged,
            "wrong class" if confused else "invented",
            found.classes[int(said.class_index[row])],
            said.boxes[row].astype(np.float64),
            float(said.confidence[row]),
            found.classes[int(truth.class_index[others[shared.argmax()]])] if confused else "",
        )


def draw_sheet(found: Sequence[Mistake], confidence: float, *, columns: int = 3) -> Image:
    """The sheet (BGR): a tile a mistake, truth on its left and what was said on its right.

    The box in question is drawn thick. Reads the pictures again; raises ConfigError when one has
    gone, PictureError when one cannot be decoded. Without mistakes the sheet says so.
    """
    if not found:
        sheet = np.full((80, 560, 3), 255, np.uint8)
        _write(sheet, f"no mistakes at confidence {confidence:.2f}", (16, 48), 0.7, _INK)
        return sheet
    tiles = [_tile(one, confidence) for one in found]
    blank = np.full_like(tiles[0], 255)
    columns = min(columns, len(tiles))
    tiles += [blank] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]
    return np.ascontiguousarray(np.vstack(rows))


def _missed_weight(judged: Judged, index: int) -> float:
    """1 − the best confidence that was said there, of its class; a little more the bigger it is."""
    truth, found = judged.truth, judged.found
    same = found.where(found.class_index == truth.class_index[index])
    there = overlaps(same.boxes, truth.boxes[[index]])[:, 0] >= _OVERLAP
    unsaid = 1.0 - float(same.confidence[there].max(initial=0.0))
    x1, y1, x2, y2 = truth.boxes[index]
    return (unsaid + float((x2 - x1) * (y2 - y1))) / 2


def _tile(mistake: Mistake, confidence: float) -> Image:
    truth, found = mistake.judged.truth, mistake.judged.found
    try:
        picture = decode_picture(truth.picture.read_bytes())
    except OSError as error:
        raise ConfigError(f"{truth.picture}: cannot be read: {error.strerror}") from error
    width, height = _TILE
    scale = min(width / picture.shape[1], height / picture.shape[0])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    there = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    said = there.copy()
    shown = found.where(found.confidence >= confidence)
    for box, index in zip(truth.boxes, truth.class_index, strict=True):
        name = found.classes[int(index)]
        _box(there, box, name, name, thick=mistake.kind == "missed" and _same(box, mistake.box))
    for row in np.argsort(shown.confidence, kind="stable"):
        name, box = shown.classes[int(shown.class_index[row])], shown.boxes[row]
        thick = mistake.kind != "missed" and _same(box, mistake.box)
        _box(said, box, name, f"{name} {shown.confidence[row]:.2f}", thick=thick)
    tile = np.full((_HEADER + height + _GAP, 2 * width + 2 * _GAP, 3), 255, np.uint8)
    tile[:_HEADER, : 2 * width + _GAP] = _DARK
    file = truth.picture.stem.encode("ascii", "replace").decode()[-28:]
    _write(tile, f"{mistake.title}   {file}", (6, 18), 0.5, _PAPER)
    for number, (half, word) in enumerate(((there, "true"), (said, "said"))):
        left = number * (width + _GAP)
        tile[_HEADER : _HEADER + size[1], left : left + size[0]] = half
        _label(tile, word, (left, _HEADER + size[1] - 17), _DARK)
    return tile


def _same(one: NDArray[np.floating], other: NDArray[np.floating]) -> bool:
    return bool(np.allclose(one, other, atol=1e-6))


def _box(picture: Image, box: NDArray[np.floating], name: str, label: str, *, thick: bool) -> None:
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = (round(float(value)) for value in box * (width, height, width, height))
    colour = COLOURS[name]
    cv2.rectangle(picture, (x1, y1), (x2, y2), colour, 4 if thick else 1)
    _label(picture, label, (x1, max(y1 - 15, 0)), colour)


def _label(
    picture: Image, words: str, top_left: tuple[int, int], colour: tuple[int, int, int]
) -> None:
    """White on a patch of the colour, so that it reads on any picture."""
    x, y = top_left
    (width, _), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, 0.38, 1)
    cv2.rectangle(picture, (x, y), (x + width + 4, y + 14), colour, cv2.FILLED)
    _write(picture, words, (x + 2, y + 11), 0.38, _PAPER)


def _write(
    picture: Image,
    words: str,
    place: tuple[int, int],
    scale: float,
    colour: tuple[int, int, int],
) -> None:
    cv2.putText(picture, words, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)
