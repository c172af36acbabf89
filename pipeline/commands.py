"""The pipeline's commands: check, replay, watch, deliver."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline import deliveries_command, models_command, store_commands, verify_command
from pipeline.errors import ConfigError

if TYPE_CHECKING:  # these cost start-up time that `brimwatch --help` need not pay
    from pipeline.config import LoadedConfig
    from pipeline.engine.replay_figures import Episode

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file (YAML).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the root command."""
    for command in (check, replay, watch, deliver):
        app.command()(command)
    store_commands.register(app)
    deliveries_command.register(app)
    models_command.register(app)
    verify_command.register(app)


def check(config: ConfigFile) -> None:
    """Check a configuration: every error with its line and what was expected."""
    from pipeline.config import load_config
    from pipeline.wiring import receivers_of

    loaded = load_config(config, os.environ)
    receivers_of(loaded, os.environ)
    for gateway in loaded.config.gateways:
        gateway.read(os.environ, loaded.base)
    points = loaded.config.domain_points()
    cameras = sum(len(point.cameras) for point in points)
    typer.echo(f"{config}: good ({len(points)} points, {cameras} cameras)")


def replay(
    path: Annotated[Path, typer.Argument(help="A video, or a folder of timed pictures.")],
    *,
    point: Annotated[str, typer.Option("--point", help="The point that the footage shows.")],
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Takes the point's zones from here.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option("--truth", exists=True, help="True episodes, to judge by.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take recorded footage through the whole decision path, and print the events."""
    from pipeline.clocks import system_clock
    from pipeline.engine.replay import replay as run_replay
    from pipeline.engine.replay import summary
    from pipeline.engine.replay_figures import judge_replay
    from pipeline.logs import set_up_logs
    from pipeline.store import EventQuery
    from pipeline.wiring import build, opener

    set_up_logs()
    with tempfile.TemporaryDirectory(prefix="brimwatch-replay-") as state:
        loaded = _replay_config(path, point, config, Path(state))
        episodes = _read_truth(truth) if truth is not None else None
        system = build(loaded, environment=os.environ, public_url="http://127.0.0.1", receivers={})
        camera = system.points[0].cameras[0]
        skipped: list[str] = []
        source = opener(loaded.base, system_clock)(
            camera, None, lambda error: skipped.append(str(error))
        )
        span = run_replay(source, system.decider)
        records = system.stores.ledger.events(EventQuery(limit=10_000))
        events = sorted((record.event for record in records), key=lambda one: one.suspected_at)
        system.stores.ledger.close()
    for text in skipped:
        typer.echo(text, err=True)
    listed: list[dict[str, Any]] = [summary(event) for event in events]
    figures: Mapping[str, float | int | None] | None = None
    if episodes is not None and span is not None:
        figures = judge_replay(events, episodes, (span[1] - span[0]).total_seconds())
    if as_json:
        answer: object = listed if figures is None else {**figures, "events": listed}
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    for one in listed:
        typer.echo(
            f"{one['point_id']}  {one['zone_id']}  confirmed {one['confirmed_at']}  "
            f"cleared {one['cleared_at'] or '—'}  {one['severity']}"
        )
    typer.echo(f"{len(listed)} event(s)")
    for name, value in (figures or {}).items():
        typer.echo(f"{name}: {'—' if value is None else value}")


def watch(config: ConfigFile) -> None:
    """Only read cameras and decide; another process serves and delivers."""
    _run_role(config, engine=True, delivery=False)


def deliver(config: ConfigFile) -> None:
    """Only deliver what is in the outbox."""
    _run_role(config, engine=False, delivery=True)


def _run_role(config: Path, *, engine: bool, delivery: bool) -> None:
    from pipeline.allocator import keep_memory_small
    from pipeline.config import load_config
    from pipeline.logs import set_up_logs
    from pipeline.wiring import build

    set_up_logs()
    keep_memory_small()
    loaded = load_config(config, os.environ)
    api = loaded.config.api
    public_url = api.public_url or f"http://{api.host}:{api.port}"
    system = build(loaded, environment=os.environ, public_url=public_url)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    system.start(engine=engine, delivery=delivery)
    typer.echo("running (Ctrl-C stops)", err=True)
    stop.wait()
    system.stop()


def _replay_config(path: Path, point_id: str, config: Path | None, state: Path) -> LoadedConfig:
    """A configuration that watches one recording as the point's first camera."""
    from pipeline.config import LoadedConfig, load_config, parse_config

    if config is None:
        camera = {"camera_id": f"{point_id}-cam", "url": str(path.resolve()), "look_every_s": 5}
        points: list[dict[str, Any]] = [
            {"point_id": point_id, "name": point_id, "cameras": [camera]}
        ]
        return LoadedConfig(parse_config({"state": str(state), "points": points}), Path.cwd())
    loaded = load_config(config, os.environ)
    data = loaded.config.model_dump(mode="json")
    data["points"] = [one for one in data["points"] if one["point_id"] == point_id]
    if not data["points"]:
        known = ", ".join(one.point_id for one in loaded.config.points)
        raise ConfigError(f"{config}: there is no point {point_id!r}", hint=f"there are: {known}")
    data["points"][0]["cameras"] = data["points"][0]["cameras"][:1]
    data["points"][0]["cameras"][0]["url"] = str(path.resolve())
    data |= {"state": str(state), "ledger": None, "evidence": {"kind": "folder"}}
    data |= {"receivers": [], "gateways": []}
    return LoadedConfig(parse_config(data, str(config)), loaded.base)


def _read_truth(path: Path) -> list[Episode]:
    from pipeline.domain import utc
    from pipeline.engine.replay_figures import Episode

    try:
        rows = json.loads(path.read_text("utf-8"))
        return [Episode(row.get("zone_id"), utc(row["from"]), utc(row["to"])) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path}: not a list of {{'zone_id', 'from', 'to'}}: {error}",
            hint="times are RFC 3339 with an offset, for example 2026-06-01T08:00:00Z",
        ) from error
