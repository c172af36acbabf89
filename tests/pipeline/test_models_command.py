"""``brimwatch models`` as it is typed: a model's way into use, and back out of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from models.loading import BUNDLED
from models.manifest import WEIGHTS, read_manifest
from pipeline.errors import ConfigError, ModelError
from pipeline.models_command import register


def typed(*words: str) -> str:
    """What the command prints. An error of ours is raised, as the command line's root tells it."""
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, ["models", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose registry is the folder `models` beside it."""
    path = tmp_path / "brimwatch.yaml"
    path.write_text(
        "detector: {registry: models}\n"
        "points: [{point_id: p, name: 东门, cameras: [{camera_id: c, url: 'push:'}]}]\n",
        encoding="utf-8",
    )
    return path


def test_a_model_goes_into_use_and_back_out(tmp_path: Path, config: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(BUNDLED, other)
    replace(read_manifest(other), name="other").write(other)
    registry = ("--registry", str(tmp_path / "models"))
    one = typed("add", str(BUNDLED), *registry).strip()
    two = typed("add", str(other), *registry).strip()
    for name in (one, two):
        typed("promote", name, *registry)

    def promoted() -> list[str]:
        rows = json.loads(typed("list", "-c", str(config), "--json"))
        assert [row["name"] for row in rows] == sorted((one, two))
        return [row["name"] for row in rows if row["promoted"]]

    assert promoted() == [two]
    assert one in typed("rollback", "-c", str(config))
    assert promoted() == [one]
    shown = json.loads(typed("show", two, *registry, "--json"))
    assert shown["sha256"] == read_manifest(BUNDLED).sha256
    assert [use["taken_back_at"] is not None for use in shown["promotions"]] == [True]
    with pytest.raises(ModelError, match="first that was promoted"):
        typed("rollback", *registry)


def test_a_damaged_model_is_listed_with_what_is_wrong(tmp_path: Path) -> None:
    registry = ("--registry", str(tmp_path / "models"))
    name = typed("add", str(BUNDLED), *registry).strip()
    (tmp_path / "models" / name / WEIGHTS).write_bytes(b"cut off")
    assert f"{name}: " in typed("list", *registry)
    (row,) = json.loads(typed("list", *registry, "--json"))
    assert "do not match" in row["fault"]


def test_it_must_be_said_which_registry(config: Path) -> None:
    with pytest.raises(ConfigError, match="which registry"):
        typed("list")
    config.write_text(config.read_text("utf-8").replace("detector: {registry: models}\n", ""))
    with pytest.raises(ConfigError, match=r"detector\.registry is not set"):
        typed("list", "-c", str(config))
