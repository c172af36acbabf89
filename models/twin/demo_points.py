"""The eight points of the demo: six fill, overflow and are emptied, two stay clean.

The places are invented; the coordinates are spread over Chongqing's centre to give a map something
to show. Seeds are the demo's own (`seeds`): never trained on.
"""

from __future__ import annotations

from models.twin.layout import BLUE, GREEN, GREY, ORANGE, RED, STEEL
from models.twin.scene import (
    BIN_SIZES,
    Backdrop,
    Bin,
    BinKind,
    Camera,
    Light,
    LightKind,
    Prop,
    Rgb,
)
from models.twin.seeds import require_demo_seed
from models.twin.story import DemoPoint, Overflow, Visit
from pipeline.errors import ConfigError

LEAVES: Rgb = (0.04, 0.12, 0.025)
WALL_Y = 0.85
_YAWS = (3.0, -5.0, 2.0, -2.0, 6.0)


def _row(kind: BinKind, colours: tuple[Rgb, ...], gap: float = 0.16) -> tuple[Bin, ...]:
    width = BIN_SIZES[kind].top[0] + gap
    middle = (len(colours) - 1) / 2
    return tuple(
        Bin(kind, (i - middle) * width, 0.03 * (i % 2), _YAWS[i % 5], colour, colour, 0.0, 0.2)
        for i, colour in enumerate(colours)
    )


def _place(
    wall: tuple[str, Rgb, float],
    ground: tuple[str, Rgb],
    kerb_y: float | None,
    props: tuple[Prop, ...],
    stains: int,
) -> Backdrop:
    name, colour, height = wall
    return Backdrop(name, colour, WALL_Y, height, *ground, kerb_y, props, stains)


def _sign(x: float, colour: Rgb = GREEN, z: float = 1.45) -> Prop:
    return Prop("sign", x, WALL_Y, z, 1.3, 0.8, colour)


def _bush(x: float, size: float = 0.9) -> Prop:
    return Prop("bush", x, WALL_Y - 0.4, 0.0, size, size, LEAVES)


def _old_street() -> DemoPoint:
    return DemoPoint(
        "twin-01", "模拟点位一 · 老街垃圾房", "模拟社区 · 老街", "SIM-001", 106.5516, 29.5630, 101,
        bins=_row(BinKind.WHEELIE, (GREEN, GREEN, GREEN)),
        backdrop=_place(
            ("brick", (0.30, 0.11, 0.07), 3.6), ("slabs", (0.34, 0.33, 0.31)), -1.5,
            (_sign(-1.9), Prop("window", 1.9, WALL_Y, 1.3, 1.1, 1.1, GREY), _bush(-2.9),
             Prop("pole", 2.3, WALL_Y - 0.3, 0.0, 0.16, 5.0, (0.25, 0.24, 0.22))), 11),
        light=Light(LightKind.SUN, 48, -35, 1.0),
        camera=Camera((0.9, -3.7, 3.1), (0.05, 0.0, 0.8), 31, 1.0),
        overflow=Overflow(240, 1_050, (1, 2), 22, (0.25, -0.85, 0.5, 0.2, 14)),
        visits=(Visit(100, 160, "person", -0.2, -0.95, 1), Visit(620, 740, "person", 0.55, -1.0, 4),
                Visit(1_500, 1_510, "person", -1.2, -1.4, 2),
                Visit(2_100, 2_280, "sedan", 0.3, -2.3, 2)),
    )  # fmt: skip


def _market() -> DemoPoint:
    return DemoPoint(
        "twin-02", "模拟点位二 · 菜市场南门", "模拟社区 · 南门", "SIM-002", 106.5302, 29.5471, 102,
        bins=_row(BinKind.CONTAINER, (GREEN, GREEN), 0.22),
        backdrop=_place(
            ("tiles", (0.55, 0.54, 0.50), 3.4), ("concrete", (0.28, 0.27, 0.25)), None,
            (Prop("shutter", 2.9, WALL_Y, 0.0, 1.9, 2.6, (0.10, 0.25, 0.45)), _sign(-2.2, BLUE),
             Prop("aircon", -0.6, WALL_Y, 1.9, 0.8, 0.5, GREY)), 12),
        light=Light(LightKind.OVERCAST, 60, 20, 1.05),
        camera=Camera((-1.3, -4.6, 3.4), (0.0, 0.0, 0.85), 33, -1.0),
        overflow=Overflow(480, 1_500, (0, 1), 46, (0.9, -0.95, 0.55, 0.22, 16), 226.0),
        visits=(Visit(200, 260, "person", 0.9, -1.1, 3), Visit(900, 910, "person", -1.0, -1.6, 0),
                Visit(1_800, 2_040, "person", -0.4, -1.0, 6)),
    )  # fmt: skip


def _riverside() -> DemoPoint:
    return DemoPoint(
        "twin-03", "模拟点位三 · 滨江步道", "模拟社区 · 滨江", "SIM-003", 106.5788, 29.5574, 103,
        bins=_row(BinKind.WHEELIE, (BLUE, GREEN, GREY, RED), 0.14),
        backdrop=_place(
            ("hedge", LEAVES, 1.5), ("pavers", (0.36, 0.25, 0.19)), None,
            (Prop("post", -2.2, -0.4, 0.0, 0.12, 0.75, GREY),
             Prop("pole", -1.9, 0.4, 0, 0.14, 5.0, GREY),
             _sign(2.2, GREEN, 0.75)), 13),
        light=Light(LightKind.SUN, 38, 40, 1.05),
        camera=Camera((-0.8, -4.1, 3.0), (0.0, 0.0, 0.78), 33, 0.5),
        overflow=Overflow(660, 1_500, (1, 0), 24),
        visits=(Visit(360, 480, "person", 0.5, -1.0, 5), Visit(1_080, 1_090, "person", 1.6, -1.5, 7),
                Visit(2_400, 2_520, "person", -0.5, -0.95, 3)),
    )  # fmt: skip


def _lane() -> DemoPoint:
    return DemoPoint(
        "twin-04", "模拟点位四 · 巷口集置点", "模拟社区 · 北巷", "SIM-004", 106.5621, 29.5718, 104,
        bins=_row(BinKind.CONTAINER, (GREY, ORANGE), 0.3),
        backdrop=_place(
            ("metal", (0.36, 0.37, 0.38), 2.6), ("asphalt", (0.11, 0.11, 0.115)), -1.7,
            (Prop("pot", -2.2, 0.3, 0, 0.55, 0.7, LEAVES), _sign(1.9, RED),
             Prop("pole", 2.6, 0.4, 0, 0.18, 5.0, (0.3, 0.3, 0.3))), 14),
        light=Light(LightKind.OVERCAST, 50, -30, 1.0),
        camera=Camera((1.5, -4.4, 3.5), (0.0, 0.0, 0.85), 32, -1.5),
        overflow=Overflow(840, 1_800, (1,), 48, (-0.2, -0.95, 0.5, 0.22, 14)),
        visits=(Visit(420, 600, "van", -0.2, -2.4, 0), Visit(1_300, 1_310, "person", -1.3, -1.5, 2),
                Visit(2_200, 2_210, "person", 1.0, -1.3, 4)),
    )  # fmt: skip


def _school() -> DemoPoint:
    return DemoPoint(
        "twin-05", "模拟点位五 · 学校后门", "模拟社区 · 学府", "SIM-005", 106.4686, 29.5672, 105,
        bins=(*_row(BinKind.WHEELIE, (BLUE, BLUE)),
              Bin(BinKind.PEDAL, 1.15, 0.05, -4.0, STEEL, STEEL, 0.0, 0.2)),
        backdrop=_place(
            ("plaster", (0.50, 0.42, 0.28), 3.2), ("slabs", (0.30, 0.29, 0.28)), -1.4,
            (Prop("window", -1.7, WALL_Y, 1.35, 1.2, 1.0, GREY), _bush(-2.6, 1.1), _bush(2.6, 0.8),
             _sign(1.7, GREEN, 1.5)), 15),
        light=Light(LightKind.SUN, 30, -50, 0.95),
        camera=Camera((0.3, -3.6, 3.0), (0.2, 0.0, 0.8), 32, 0.0),
        overflow=Overflow(1_020, 1_860, (0, 1), 24, (-1.05, -0.2, 0.3, 0.3, 16), 232.0),
        visits=(Visit(540, 660, "person", 0.1, -0.95, 2), Visit(1_200, 1_260, "person", 1.0, -1.1, 5),
                Visit(2_300, 2_480, "van", 0.2, -2.35, 2)),
    )  # fmt: skip


def _arcade() -> DemoPoint:
    return DemoPoint(
        "twin-06", "模拟点位六 · 骑楼灯下", "模拟社区 · 骑楼", "SIM-006", 106.5840, 29.5335, 106,
        bins=_row(BinKind.WHEELIE, (GREEN, GREEN, ORANGE)),
        backdrop=_place(
            ("plaster", (0.42, 0.40, 0.36), 3.6), ("concrete", (0.30, 0.29, 0.27)), None,
            (Prop("shutter", -2.3, WALL_Y, 0, 1.8, 2.6, (0.35, 0.34, 0.32)), _sign(1.9, GREEN),
             Prop("aircon", 0.2, WALL_Y, 2.0, 0.8, 0.5, GREY)), 16),
        light=Light(LightKind.DUSK, 20, 0, 1.15, (0.3, -1.6, 3.5)),
        camera=Camera((-0.9, -3.7, 3.1), (0.0, 0.0, 0.8), 31, 1.0),
        overflow=Overflow(1_320, 2_280, (0, 1), 22, (0.1, -0.85, 0.45, 0.2, 12), 96.0),
        visits=(Visit(700, 820, "person", -0.3, -1.0, 6), Visit(1_620, 1_630, "person", 0.8, -1.3, 0),
                Visit(2_640, 2_700, "person", 0.5, -1.0, 3)),
    )  # fmt: skip


def _sorting_kiosk() -> DemoPoint:
    return DemoPoint(
        "twin-07", "模拟点位七 · 小区分类亭", "模拟社区 · 花园", "SIM-007", 106.5104, 29.6012, 107,
        bins=_row(BinKind.WHEELIE, (GREEN, BLUE, GREY, RED), 0.16),
        backdrop=_place(
            ("tiles", (0.42, 0.30, 0.22), 3.0), ("pavers", (0.30, 0.29, 0.28)), -1.6,
            (_sign(-0.8, GREEN), _sign(0.8, BLUE), _bush(2.6, 1.0), _bush(-2.6, 1.0)), 17),
        light=Light(LightKind.OVERCAST, 55, 10, 1.1),
        camera=Camera((0.6, -4.2, 3.2), (0.0, 0.0, 0.65), 34, -0.5),
        overflow=None,
        visits=(Visit(500, 740, "person", -0.3, -0.95, 1), Visit(1_100, 1_110, "person", 1.4, -1.4, 6),
                Visit(1_500, 1_680, "van", 0.2, -2.4, 4), Visit(2_350, 2_470, "person", 0.6, -1.0, 4)),
    )  # fmt: skip


def _bus_terminal() -> DemoPoint:
    return DemoPoint(
        "twin-08", "模拟点位八 · 公交首末站", "模拟社区 · 站前", "SIM-008", 106.5467, 29.6105, 108,
        bins=_row(BinKind.CONTAINER, (GREEN, BLUE), 0.25),
        backdrop=_place(
            ("plaster", (0.36, 0.37, 0.38), 2.8), ("asphalt", (0.12, 0.12, 0.12)), -1.8,
            (Prop("tree", -2.7, 0.3, 0, 0.28, 3.2, LEAVES), _sign(2.0, BLUE),
             Prop("post", 2.0, -0.6, 0, 0.12, 0.75, GREY)), 18),
        light=Light(LightKind.SUN, 55, 25, 1.0),
        camera=Camera((-1.0, -4.5, 3.4), (0.0, 0.0, 0.7), 34, 0.8),
        overflow=None,
        visits=(Visit(350, 530, "sedan", 0.4, -2.4, 3), Visit(1_250, 1_490, "person", 0.6, -1.1, 2),
                Visit(2_000, 2_010, "person", -1.4, -1.6, 7),
                Visit(2_500, 2_560, "person", -0.7, -1.0, 5)),
    )  # fmt: skip


def demo_points() -> tuple[DemoPoint, ...]:
    """The eight points in the order of their ids."""
    points = (
        _old_street(), _market(), _riverside(), _lane(), _school(), _arcade(), _sorting_kiosk(),
        _bus_terminal(),
    )  # fmt: skip
    for point in points:
        require_demo_seed(point.seed)
    return points


def demo_point(point_id: str) -> DemoPoint:
    """One of the eight. Raises ConfigError for an unknown id."""
    for point in demo_points():
        if point.point_id == point_id:
            return point
    known = ", ".join(point.point_id for point in demo_points())
    raise ConfigError(f"no simulated point is called {point_id!r}", hint=f"one of: {known}")
