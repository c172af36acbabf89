"""``brimwatch store``: setting the stores up, sweeping them, and moving evidence between them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import ConfigError, StoreError

if TYPE_CHECKING:  # these cost start-up time that `brimwatch --help` need not pay
    from pipeline.config import LoadedConfig
    from pipeline.store.sweep import Sweep
    from pipeline.wiring import Stores

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file (YAML).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class StoreKind(StrEnum):
    """Where evidence can be moved to."""

    S3 = "s3"
    FILES = "files"


def register(app: typer.Typer) -> None:
    """Add ``store`` to the root command."""
    store = typer.Typer(help="The stores: set-up, sweep, moves.", no_args_is_help=True)
    for command in (init, sweep, migrate):
        store.command()(command)
    app.add_typer(store, name="store")


def init(config: ConfigFile) -> None:
    """Create the evidence folder or bucket, and bring the ledger to this version's schema."""
    with _stores(_load(config)) as stores:
        stores.evidence.check()
        stores.ledger.check()
    typer.echo("evidence store and ledger are ready")


def sweep(
    config: ConfigFile,
    *,
    older_than: Annotated[
        float, typer.Option("--older-than", min=1.0, help="Hours since a picture was last put.")
    ] = 24.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what there is.")] = False,
    even_most: Annotated[
        bool, typer.Option("--even-most", help="Also when events name less than half of it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove pictures that no event names, left by a crash between a picture and its event."""
    from pipeline.clocks import system_clock
    from pipeline.store.progress import teller
    from pipeline.store.sweep import Sweep, orphans, remove

    put_before = system_clock() - timedelta(hours=older_than)
    tell = teller(lambda words: typer.echo(words, err=True), time.monotonic)
    with _stores(_load(config)) as stores:
        stores.evidence.check()
        seen = Sweep()
        for found in orphans(
            stores.ledger, stores.evidence, seen, put_before=put_before, on_page=tell
        ):
            if dry_run and not as_json:
                typer.echo(f"orphan {found.key}")
        if not dry_run:
            _refuse_most(seen, even_most=even_most)
            seen = Sweep()
            rubbish = orphans(
                stores.ledger, stores.evidence, seen, put_before=put_before, on_page=tell
            )
            try:
                for gone in remove(rubbish, stores.evidence, seen, put_before=put_before):
                    if not as_json:
                        typer.echo(f"removed {gone.key}")
            except StoreError:
                typer.echo(str(seen), err=True)
                raise
    typer.echo(json.dumps(asdict(seen), indent=2) if as_json else str(seen))


def migrate(
    config: ConfigFile,
    *,
    to: Annotated[StoreKind, typer.Option("--to", help="The kind of the new store.")],
    path: Annotated[
        Path | None, typer.Option("--path", help="files: the folder, from the state folder on.")
    ] = None,
    endpoint: Annotated[str | None, typer.Option("--endpoint", help="s3: host:port.")] = None,
    bucket: Annotated[str | None, typer.Option("--bucket", help="s3: the bucket.")] = None,
    access_key: Annotated[str | None, typer.Option("--access-key", help="s3.")] = None,
    secret_env: Annotated[
        str | None, typer.Option("--secret-env", help="s3: the variable with the secret key.")
    ] = None,
    secret_file: Annotated[
        Path | None, typer.Option("--secret-file", help="s3: the file with the secret key.")
    ] = None,
    region: Annotated[str | None, typer.Option("--region", help="s3, if it insists.")] = None,
    tls: Annotated[bool, typer.Option("--tls/--no-tls", help="s3: https or http.")] = True,
    as_json: AsJson = False,
) -> None:
    """Copy all evidence to another store; run it again and it goes on where it was.

    Brimwatch may run meanwhile. The configuration is not changed: what to write there is said at
    the end. Ends with 1 when a picture is damaged in the old store.
    """
    from pipeline.store.progress import teller
    from pipeline.store.transfer import Transfer, transfer

    given: dict[str, object] = {"kind": "folder", "path": path}
    if to is StoreKind.S3:
        given = {"kind": "s3", "endpoint": endpoint, "bucket": bucket, "access_key": access_key}
        given |= {"secret_env": secret_env, "secret_file": secret_file, "region": region}
        given |= {"secure": tls}
    wanted = {name: value for name, value in given.items() if value is not None}
    loaded = _load(config)
    elsewhere = _with_evidence(loaded, wanted)
    progress = Transfer()
    tell = teller(lambda words: typer.echo(words, err=True), time.monotonic)
    with _stores(loaded) as old, _stores(elsewhere) as new:
        old.evidence.check()
        new.evidence.check()
        for damage in transfer(old.ledger, old.evidence, new.evidence, progress, tell):
            typer.echo(str(damage), err=True)
    if as_json:
        answer = asdict(progress) | {"evidence": {k: _plain(v) for k, v in wanted.items()}}
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        typer.echo(str(progress))
        typer.echo(f"now keep a copy of {config}, write this into it, restart Brimwatch, and run")
        typer.echo("this command once more with the copy, for what came in between:\n")
        typer.echo(_as_yaml(wanted))
    if progress.damaged:
        raise typer.Exit(1)


def _refuse_most(seen: Sweep, *, even_most: bool) -> None:
    """Raise unless events name most of what is there: else this is another ledger's store."""
    if seen.orphans > seen.named and not even_most:
        raise StoreError(
            f"events name only {seen.named} of {seen.named + seen.orphans} pictures, expected "
            "most of them: nothing was removed",
            hint="is this the ledger of this store? look with --dry-run; if so, add --even-most",
        )


def _load(config: Path) -> LoadedConfig:
    from pipeline.config import load_config

    return load_config(config, os.environ)


@contextmanager
def _stores(loaded: LoadedConfig) -> Iterator[Stores]:
    from pipeline.wiring import open_stores

    stores = open_stores(loaded, os.environ, "http://127.0.0.1")
    try:
        yield stores
    finally:
        stores.ledger.close()


def _with_evidence(loaded: LoadedConfig, evidence: Mapping[str, object]) -> LoadedConfig:
    """The same configuration with another evidence store. Raises ConfigError."""
    from pipeline.config import LoadedConfig, parse_config

    data = loaded.config.model_dump(mode="json")
    plain = {name: _plain(value) for name, value in evidence.items()}
    config = parse_config(data | {"evidence": plain}, "--to")
    if config.evidence == loaded.config.evidence:
        raise ConfigError(
            f"evidence is in that store already: {plain}",
            hint="name another folder (--path) or another bucket (--bucket)",
        )
    return LoadedConfig(config, loaded.base)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


def _as_yaml(evidence: Mapping[str, object]) -> str:
    # A JSON text is a YAML text too, and quotes what needs quotes.
    fields = (
        f"  {name}: {json.dumps(_plain(value), ensure_ascii=False)}"
        for name, value in evidence.items()
    )
    return "\n".join(["evidence:", *fields])
