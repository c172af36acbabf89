"""The service's commands: run, api, county, demo."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file (YAML).")]


def register(app: typer.Typer) -> None:
    """Add the commands to the root command."""
    from api.county_command import county_command
    from api.demo_command import demo

    app.command()(run)
    app.command(name="api")(serve_api)
    app.command(name="county")(county_command)
    app.command()(demo)


def run(config: ConfigFile) -> None:
    """The whole service in one process: cameras, decisions, delivery, API and page."""
    _serve(config, engine=True, delivery=True)


def serve_api(config: ConfigFile) -> None:
    """Only the API and the page; other processes watch and deliver."""
    _serve(config, engine=False, delivery=False)


def _serve(config: Path, *, engine: bool, delivery: bool) -> None:
    from api.app import create_app
    from api.hosting import service_of
    from api.serving import listening, serve
    from pipeline.allocator import keep_memory_small
    from pipeline.config import load_config
    from pipeline.logs import set_up_logs
    from pipeline.wiring import build

    set_up_logs()
    keep_memory_small()
    loaded = load_config(config, os.environ)
    settings = loaded.config.api
    with listening(settings.host, settings.port) as listener:
        system = build(
            loaded, environment=os.environ, public_url=settings.public_url or listener.url
        )
        app = create_app(service_of(system, loaded, os.environ))
        system.start(engine=engine, delivery=delivery)
        typer.echo(f"页面 page: {listener.url}/  (Ctrl-C 停止 stops)", err=True)
        try:
            serve(app, listener)
        finally:
            system.stop()
