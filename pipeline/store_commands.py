"""``brimwatch store``: setting the stores up."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file (YAML).")]


def register(app: typer.Typer) -> None:
    """Add ``store`` to the root command."""
    store = typer.Typer(help="The stores: set-up.", no_args_is_help=True)
    store.callback()(lambda: None)
    store.command()(init)
    app.add_typer(store, name="store")


def init(config: ConfigFile) -> None:
    """Create the evidence folder or bucket, and bring the ledger to this version's schema."""
    from pipeline.config import load_config
    from pipeline.wiring import open_stores

    loaded = load_config(config, os.environ)
    stores = open_stores(loaded, os.environ, "http://127.0.0.1")
    stores.evidence.check()
    stores.ledger.check()
    stores.ledger.close()
    typer.echo("evidence store and ledger are ready")
