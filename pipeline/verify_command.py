"""``brimwatch verify``: is all the evidence there, and is it what was put?"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:  # these cost start-up time that `brimwatch --help` need not pay
    from pipeline.store.verify import Finding

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file (YAML).")]


def register(app: typer.Typer) -> None:
    """Add ``verify`` to the root command."""
    app.command()(verify)


def verify(
    config: ConfigFile,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read every picture that an event names and compare its SHA-256 and size.

    Ends with 1 when a picture is missing or altered. Progress goes to stderr.
    """
    from pipeline.config import load_config
    from pipeline.store.progress import teller
    from pipeline.store.verify import Verification
    from pipeline.store.verify import verify as findings_of
    from pipeline.wiring import open_stores

    stores = open_stores(load_config(config, os.environ), os.environ, "http://127.0.0.1")
    progress = Verification()
    tell = teller(lambda words: typer.echo(words, err=True), time.monotonic)
    listed: list[dict[str, Any]] = []
    try:
        stores.evidence.check()
        for finding in findings_of(stores.ledger, stores.evidence, progress, tell):
            if as_json:
                listed.append(_as_json(finding))
            else:
                typer.echo(_line(finding))
    finally:
        stores.ledger.close()
    if as_json:
        answer = {
            "pictures": progress.pictures,
            "rows": progress.rows,
            "bytes": progress.size,
            "findings": listed,
        }
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        typer.echo(str(progress))
    if progress.findings:
        raise typer.Exit(1)


def _as_json(finding: Finding) -> dict[str, Any]:
    evidence = finding.row.evidence
    return {
        "event_id": finding.row.event_id,
        "role": evidence.role.value,
        "form": evidence.form.value,
        "key": evidence.key,
        "fault": finding.fault.value,
        "detail": finding.detail,
    }


def _line(finding: Finding) -> str:
    evidence = finding.row.evidence
    return (
        f"{finding.fault.value}: event {finding.row.event_id}, {evidence.role.value} "
        f"{evidence.form.value}, {evidence.key}: {finding.detail}"
    )
