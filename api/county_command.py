"""``brimwatch county``: the reference receiver as a command."""

from __future__ import annotations

import os
import secrets as random
from pathlib import Path
from typing import Annotated

import typer

from api.county_server import run_county
from pipeline.delivery.signature import new_secret
from pipeline.errors import ConfigError

SECRET_ENV = "BRIMWATCH_COUNTY_SECRET"  # noqa: S105 - the name of a variable, not a secret
_NEW_SECRET_BYTES = 32


def county_command(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8090,
    secret_file: Annotated[
        Path | None, typer.Option(help="File with the whsec_ secret; one a line while changing it.")
    ] = None,
    secret_env: Annotated[
        str, typer.Option(help="Variable with the whsec_ secret, or several with spaces between.")
    ] = SECRET_ENV,
    keep: Annotated[
        Path | None, typer.Option(help="Folder to keep what it gets; without it, memory only.")
    ] = None,
) -> None:
    """A stand-in for a county centre (示例接收方): verifies, refuses duplicates, shows what it got."""
    secrets = read_secrets(secret_file, secret_env)
    if not secrets:
        secrets = [new_secret(random.token_bytes(_NEW_SECRET_BYTES))]
        typer.echo(f"No secret was given, so here is a new one, shown only now:\n  {secrets[0]}")
        typer.echo(f"Give it to the sender, and set {secret_env} to keep it.")

    def announce(url: str) -> None:
        typer.echo(f"Receiving at {url}/events, page at {url}/ (Ctrl-C stops)")

    run_county(host, port, secrets, keep, on_listening=announce)


def read_secrets(secret_file: Path | None, secret_env: str) -> list[str]:
    """The secrets that file and environment hold, the file's first; none when neither is there.

    Raises ConfigError when the file cannot be read or is empty. The secrets are checked by their user.
    """
    found: list[str] = []
    if secret_file is not None:
        try:
            found = secret_file.read_text("utf-8").split()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"--secret-file {secret_file} cannot be read: {error}") from error
        if not found:
            raise ConfigError(
                f"--secret-file {secret_file} is empty", hint="it must hold one whsec_… secret"
            )
    return found + os.environ.get(secret_env, "").split()
