"""``brimwatch twin …``: simulated footage and training pictures, always labelled as simulated."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from models.twin import render_command
from models.twin.footage import FRAMES
from models.twin.seeds import TRAINING_SEEDS_FROM
from pipeline.domain import utc

twin_app = typer.Typer(
    help="Simulated points with ground truth, rendered with Blender (needs the extra twin).",
    no_args_is_help=True,
)

Out = Annotated[Path, typer.Option("--out", help="Folder to write into.", file_okay=False)]
Samples = Annotated[
    int, typer.Option("--samples", min=1, help="Rays a pixel: 6 is what the demo has, 24 is finer.")
]


def _moment(text: str) -> datetime:
    try:
        return utc(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; expected a time like 2026-06-01T08:00:00Z") from error


def _report(what: str, done: int, total: int) -> None:
    sys.stderr.write(f"\r{what}: {done}/{total}" + ("\n" if done == total else ""))
    sys.stderr.flush()


@twin_app.command()
def render(
    *,
    point: Annotated[str, typer.Option("--point", help="Id of a simulated point, e.g. twin-01.")],
    out: Out,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Another seed than the committed one.")
    ] = None,
    frames: Annotated[
        int, typer.Option("--frames", min=1, max=FRAMES, help="Frames of ten recorded seconds.")
    ] = FRAMES,
    samples: Samples = render_command.DEMO_SAMPLES,
    begins: Annotated[
        datetime | None,
        typer.Option("--from", parser=_moment, help="Time-lapse: from, as 2026-06-01T08:00:00Z."),
    ] = None,
    ends: Annotated[
        datetime | None, typer.Option("--to", parser=_moment, help="Time-lapse: to, exclusive.")
    ] = None,
    every: Annotated[
        int | None, typer.Option("--every", min=1, help="Time-lapse: seconds between pictures.")
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option("--cache", help="Time-lapse: where renders are kept; OUT/renders by default."),
    ] = None,
) -> None:
    """Render one point's footage with its ground truth and configuration.

    With --from, --to and --every: any stretch of any day as timed pictures with the truth of each;
    a broken run goes on where it stopped, and nothing is rendered twice.
    """
    if begins is not None and ends is not None and every is not None:
        made = render_command.timelapse(
            point_id=point,
            seed=seed,
            out=out,
            cache=cache,
            begins=begins,
            ends=ends,
            every_s=every,
            samples=samples,
            report=_report,
        )
        typer.echo(
            f"{made.pictures} pictures in {out}: {made.written} written, {made.rendered} rendered"
        )
        return
    if not (begins is None and ends is None and every is None and cache is None):
        raise typer.BadParameter("a time-lapse needs all of --from, --to and --every")
    video = render_command.render(
        point_id=point, seed=seed, out=out, frames=frames, samples=samples, report=_report
    )
    typer.echo(video)


@twin_app.command()
def footage(out: Out, samples: Samples = render_command.DEMO_SAMPLES) -> None:
    """Make the demo's footage again: eight points, some hundred pictures, a quarter of an hour."""
    typer.echo(render_command.footage(out=out, samples=samples, report=_report))


@twin_app.command()
def training(
    out: Out,
    first_seed: Annotated[
        int, typer.Option("--first-seed", help=f"{TRAINING_SEEDS_FROM} or more.")
    ] = TRAINING_SEEDS_FROM,
    count: Annotated[int, typer.Option("--count", min=1, help="How many scenes.")] = 170,
    samples: Samples = render_command.TRAINING_SAMPLES,
) -> None:
    """Render labelled training pictures in YOLO layout; goes on where a broken run stopped."""
    made = render_command.training(
        out=out, first_seed=first_seed, count=count, samples=samples, report=_report
    )
    typer.echo(f"{made} pictures made in {out}")
