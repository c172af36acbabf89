"""How good the events are: whole simulated days, judged by their truth. The figure that matters most.

    python benchmarks/event_level.py --out FOLDER [--days 4] [--points twin-01 twin-02 …] [--every 30]
        [--seed 7] [--from-hour 0] [--hours 24] [--renderer PYTHON] [--json]

Renders what is missing (needs the extra ``twin``; some 50 renders a day, two to four minutes on two
cores; goes on where a broken run stopped), replays every day through the whole decision path with the
bundled detector and default settings, and pools the figures. Intervals (95 %) draw whole points, since
the days of one point resemble each other. ``--renderer``: the Python that has bpy, if it is another.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from models.twin.caption import SITE_TIME
from models.twin.demo_points import demo_points
from pipeline.clocks import system_clock
from pipeline.config import LoadedConfig, load_config
from pipeline.domain import Event, rfc3339, utc
from pipeline.engine.replay import replay
from pipeline.engine.replay_figures import Episode, Judged, figures, intervals, judge
from pipeline.logs import set_up_logs
from pipeline.store import EventQuery
from pipeline.wiring import build, opener

SHORTEST = timedelta(minutes=10)
"""Episodes last 25 minutes or more; one that --from-hour or --hours cut to less is not
counted, nor is an event in it."""
ROOT = Path(__file__).resolve().parent.parent
FIRST_DAY = datetime(2026, 6, 1, tzinfo=SITE_TIME)


def render(folder: Path, point_id: str, begins: datetime, given: argparse.Namespace) -> None:
    """Have one day made; the renderer says how far it is."""
    ends = begins + timedelta(hours=given.hours)
    print(f"{point_id} from {rfc3339(begins.astimezone(UTC))}", file=sys.stderr)
    subprocess.run(
        [
            given.renderer, "-c", "from models.twin.commands import twin_app; twin_app()", "render",
            "--point", point_id, "--out", str(folder), "--seed", str(given.seed),
            "--from", rfc3339(begins.astimezone(UTC)), "--to", rfc3339(ends.astimezone(UTC)),
            "--every", str(given.every), "--cache", str(given.out / "renders"),
        ],
        check=True,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


def watch(folder: Path, point_id: str) -> Judged:
    """Replay one day and hold its events against the truth."""
    loaded = load_config(folder / "points.yaml", {})
    with tempfile.TemporaryDirectory(prefix="brimwatch-days-") as state:
        config = loaded.config.model_copy(update={"state": Path(state)})
        system = build(
            LoadedConfig(config, folder),
            environment={},
            public_url="http://127.0.0.1",
            receivers={},
        )
        camera = system.points[0].cameras[0]
        source = opener(folder, system_clock)(camera, None, print)
        span = replay(source, system.decider)
        events = [one.event for one in system.stores.ledger.events(EventQuery(limit=10_000))]
        system.stores.ledger.close()
    assert span is not None, f"{folder} has no pictures"
    rows = json.loads((folder / "truth.json").read_text("utf-8"))
    episodes = [Episode(row["zone_id"], utc(row["from"]), utc(row["to"])) for row in rows]
    truth = [one for one in episodes if one.until - one.since >= SHORTEST]
    cut = [one for one in episodes if one not in truth]
    events = [one for one in events if not any(confirmed_in(one, episode) for episode in cut)]
    judged = judge(events, truth, (span[1] - span[0]).total_seconds())
    print(
        f"{point_id}: {judged.found} of {judged.episodes} episodes, {judged.events} events",
        file=sys.stderr,
    )
    return judged


def confirmed_in(event: Event, episode: Episode) -> bool:
    """Whether the event was confirmed while the episode lasted."""
    at = event.confirmed_at
    return at is not None and episode.since <= at <= episode.until


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--points", nargs="+", default=[one.point_id for one in demo_points()])
    arguments.add_argument("--days", type=int, default=4)
    arguments.add_argument("--every", type=int, default=30)
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--from-hour", type=int, default=0)
    arguments.add_argument("--hours", type=int, default=24)
    arguments.add_argument("--renderer", default=sys.executable)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    given.out = given.out.resolve()
    set_up_logs()
    by_point: dict[str, list[Judged]] = defaultdict(list)
    for day in range(given.days):
        for point_id in given.points:
            begins = FIRST_DAY + timedelta(days=day, hours=given.from_hour)
            folder = given.out / f"{point_id}-{begins:%Y%m%d}"
            render(folder, point_id, begins, given)
            by_point[point_id].append(watch(folder, point_id))
    every = [one for days in by_point.values() for one in days]
    pooled, ranges = figures(every), intervals(by_point, random.Random(given.seed))
    days = sum(one.watched_s for one in every) / 86_400
    if given.json:
        print(json.dumps({"camera_days": days, "figures": pooled, "intervals": ranges}, indent=2))
        return
    print(f"{days:.2f} camera-days at {len(by_point)} points, a look every {given.every} s")
    for name, value in pooled.items():
        low_high = ranges.get(name)
        between = f"  ({low_high[0]:.3g} to {low_high[1]:.3g})" if low_high else ""
        print(f"{name}: {'-' if value is None else f'{value:.3g}'}{between}")


if __name__ == "__main__":
    main()
