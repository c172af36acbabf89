"""``brimwatch models``: which models there are, and which one is in use.

It stands here and not in `models`, since it may read the configuration, which `models` must not know.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.clocks import system_clock
from pipeline.domain import rfc3339
from pipeline.errors import ConfigError, ModelError

if TYPE_CHECKING:  # costs start-up time that `brimwatch --help` need not pay
    from models.registry import Registry

RegistryFolder = Annotated[
    Path | None, typer.Option("--registry", file_okay=False, help="The registry's folder.")
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Takes the registry from here: detector.registry."),
]
Name = Annotated[str, typer.Argument(help="A name that `models list` shows.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add ``models`` to the root command."""
    models = typer.Typer(
        help="The models that there are, and the one in use.", no_args_is_help=True
    )
    models.command("list")(list_models)
    for command in (show, add, promote, rollback):
        models.command()(command)
    app.add_typer(models, name="models")


def list_models(
    *, registry: RegistryFolder = None, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """List the models; a damaged one is listed with what is wrong with it."""
    models = _registry(registry, config)
    promoted = models.promoted()
    rows = [_row(models, name, promoted) for name in models.names()]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        mark = "*" if row["promoted"] else " "
        state = row["fault"] or f"{row['precision']}, {row['input_size']} px"
        typer.echo(f"{mark} {row['name']}: {state}")
    if not rows:
        typer.echo(f"{models.folder}: no model is here yet")


def show(
    name: Name,
    *,
    registry: RegistryFolder = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show one model's manifest, and when it was in use. Its files are checked first."""
    from models.registry import check_weights

    models = _registry(registry, config)
    manifest = check_weights(models.path_of(name))
    uses = [
        {
            "at": rfc3339(one.at),
            "taken_back_at": rfc3339(one.taken_back_at) if one.taken_back_at else None,
        }
        for one in models.history()
        if one.name == name
    ]
    row = {"version": name, "promoted": models.promoted() == name, "promotions": uses}
    row |= asdict(manifest)
    if as_json:
        typer.echo(json.dumps(row, ensure_ascii=False, indent=2))
        return
    for key, value in row.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        typer.echo(f"{key}: {text}")


def add(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="A weights folder.")],
    *,
    registry: RegistryFolder = None,
    config: ConfigFile = None,
) -> None:
    """Check a weights folder and copy it into the registry. It is not in use by that."""
    typer.echo(_registry(registry, config).add(folder))


def promote(name: Name, *, registry: RegistryFolder = None, config: ConfigFile = None) -> None:
    """Put a model into use; running services take it up by themselves."""
    _registry(registry, config).promote(name, system_clock())
    typer.echo(f"{name} is in use")


def rollback(*, registry: RegistryFolder = None, config: ConfigFile = None) -> None:
    """Take the last promotion back: the model before it is in use again."""
    name = _registry(registry, config).roll_back(system_clock())
    typer.echo(f"{name} is in use again")


def _registry(folder: Path | None, config: Path | None) -> Registry:
    from models.registry import Registry

    if folder is not None:
        return Registry(folder)
    if config is None:
        raise ConfigError(
            "which registry? neither --registry nor --config is given",
            hint="--registry DIR, or -c FILE with detector.registry in it",
        )
    from pipeline.config import load_config

    loaded = load_config(config, os.environ)
    named = loaded.config.detector.registry
    if named is None:
        raise ConfigError(
            f"{config}: detector.registry is not set",
            hint="add it under detector:, or give --registry DIR",
        )
    return Registry(loaded.base / named)


def _row(models: Registry, name: str, promoted: str | None) -> dict[str, Any]:
    from models.registry import check_weights

    row: dict[str, Any] = {"name": name, "promoted": name == promoted}
    try:
        manifest = check_weights(models.path_of(name))
    except ModelError as error:
        return row | {"sha256": "", "precision": "", "input_size": 0, "fault": str(error.args[0])}
    return row | {
        "sha256": manifest.sha256,
        "precision": manifest.precision.value,
        "input_size": manifest.input_size,
        "fault": "",
    }
