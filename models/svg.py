"""Small line charts as SVG text, so that a figure in the docs needs no plotting library.

A chart is a list of SVG elements; `document` wraps them. Pixels count from the upper left corner.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

INK = "#333333"
GRID = "#dddddd"


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes: where it lies in pixels, and the range of values along each axis."""

    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a value pair."""
        (x0, x1), (y0, y1) = self.x, self.y
        return (
            self.left + self.width * (x - x0) / (x1 - x0),
            self.top + self.height * (1 - (y - y0) / (y1 - y0)),
        )

    def axes(
        self, title: str, x_label: str, y_label: str, *, x_steps: int = 5, y_steps: int = 5
    ) -> list[str]:
        """Grid, numbers along both axes, their names, and a title above."""
        right, bottom = self.left + self.width, self.top + self.height
        parts = [text(self.left, self.top - 10, title, size=14, bold=True)]
        for x in _stops(self.x, x_steps):
            across, _ = self.place(x, 0)
            parts.append(_stroke([(across, bottom), (across, self.top)], GRID, 1))
            parts.append(text(across, bottom + 18, f"{x:.3g}", anchor="middle"))
        for y in _stops(self.y, y_steps):
            _, down = self.place(0, y)
            parts.append(_stroke([(self.left, down), (right, down)], GRID, 1))
            parts.append(text(self.left - 8, down + 4, f"{y:.3g}", anchor="end"))
        return [
            *parts,
            text(self.left + self.width / 2, bottom + 36, x_label, anchor="middle"),
            text(self.left - 42, self.top + self.height / 2, y_label, anchor="middle", turned=True),
        ]

    def line(
        self, points: Sequence[tuple[float, float]], colour: str, *, dashed: bool = False
    ) -> str:
        """A line through value pairs."""
        return _stroke([self.place(x, y) for x, y in points], colour, 2, dashed=dashed)

    def dot(self, x: float, y: float, radius: float, colour: str, note: str = "") -> str:
        """A round mark; ``note`` is shown when a pointer rests on it."""
        centre_x, centre_y = self.place(x, y)
        return (
            f'<circle cx="{centre_x:.1f}" cy="{centre_y:.1f}" r="{radius:.1f}" fill="{colour}" '
            f'fill-opacity="0.75"><title>{escape(note)}</title></circle>'
        )


def round_scale(most: float) -> tuple[float, int]:
    """The end of an axis from 0 that holds ``most`` (> 0), and its number of steps: round ones.

    >>> round_scale(6.09), round_scale(8), round_scale(0.7)
    ((8.0, 4), (8.0, 4), (0.8, 4))
    """
    power = 10.0 ** math.floor(math.log10(most / 5))
    step = next(size * power for size in (1, 2, 5, 10) if size * power * 5 >= most)
    steps = math.ceil(most / step - 1e-9)
    return step * steps, steps


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: int = 12,
    anchor: str = "start",
    colour: str = INK,
    bold: bool = False,
    turned: bool = False,
) -> str:
    """Words at a place; ``anchor`` is start, middle or end; ``turned`` reads upwards."""
    more = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
        f'fill="{colour}"{weight}{more}>{escape(words)}</text>'
    )


def document(width: int, height: int, parts: Sequence[str]) -> str:
    """The whole file, on white."""
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif">'
    )
    ground = f'<rect width="{width}" height="{height}" fill="white"/>'
    return "\n".join([opening, ground, *parts, "</svg>", ""])


def _stops(span: tuple[float, float], steps: int) -> list[float]:
    return [span[0] + (span[1] - span[0]) * step / steps for step in range(steps + 1)]


def _stroke(
    points: Sequence[tuple[float, float]], colour: str, width: float, *, dashed: bool = False
) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dash = ' stroke-dasharray="6 4"' if dashed else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dash}/>'
