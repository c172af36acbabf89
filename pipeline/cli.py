"""``brimwatch``: the command line. Each package adds its own commands by entry point.

Exit codes: 0 when what was asked for happened, 1 when it did not, 2 for bad usage or bad config.
"""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import typer

from pipeline.errors import BrimwatchError, ConfigError

_GROUP = "brimwatch.commands"


def make_app() -> typer.Typer:
    """The root command with the commands of every installed package."""
    app = typer.Typer(
        name="brimwatch",
        help="满溢哨: watches sanitation points and delivers confirmed overflow events.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    for entry in sorted(entry_points(group=_GROUP), key=lambda entry: entry.name):
        entry.load()(app)
    return app


def main() -> None:
    """Run the command line; our own errors are told in words, not as tracebacks."""
    try:
        make_app()()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except BrimwatchError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
