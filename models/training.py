"""Fine-tuning the detector on pictures with boxes.

A thin, repeatable layer over ultralytics: several data sets are trained on together, the first
one's ``val`` split chooses the best epoch, and the best weights so far are put where others can
pick them up whole after every epoch. Data folders are only read: ultralytics' caches go to the
work folder, which holds after every epoch::

    WORK/run/weights/best.pt, last.pt    the chosen epoch's weights; what `resume` goes on from
    WORK/run/results.csv, curves.svg     losses and average precision by epoch
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from models.curves import draw_curves, read_results
from models.dataset import check_split, find_split
from pipeline.domain import CLASSES
from pipeline.errors import ModelError

Precision = Literal["f32", "bf16"]


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How to train. The defaults are those of the bundled weights' base run.

    ``data``: data sets; all their ``train`` splits are trained on, the first one's ``val`` chooses.
    ``start``: weights to start from (``.pt``), needed unless resuming. ``work``: folder for logs,
    caches and weights.
    ``input_size``: side of the square input in pixels, a multiple of 32: too low and small bins
    vanish, while cost grows with its square. ``learning_rate``: AdamW's; halve it when the loss
    jumps, and take a third of it when fine-tuning weights that already know the classes.
    ``plain_epochs``: last epochs without mosaic, so that the model ends on pictures as they are.
    ``precision``: ``bf16`` is faster on CPUs with AVX512-BF16 or AMX, slower on others.
    ``publish``: a file that always holds the best weights so far (replaced in one step).
    ``resume``: go on after the last whole epoch in ``work``, with the epochs, sizes, rates and seed
    that the run began with; only ``data``, ``threads``, ``workers``, ``precision`` and ``publish``
    are taken anew. The same seed and the same stop give the same weights, but not those of a run
    that never stopped: the order of pictures starts again from the seed.
    """

    data: tuple[Path, ...]
    start: Path | None
    work: Path
    epochs: int = 10
    input_size: int = 416
    batch: int = 16
    learning_rate: float = 0.0012
    plain_epochs: int = 3
    threads: int = 2
    workers: int = 1
    precision: Precision = "f32"
    seed: int = 0
    publish: Path | None = None
    resume: bool = False

    @property
    def last(self) -> Path:
        """The checkpoint that is written after every epoch."""
        return self.work / "run" / "weights" / "last.pt"


def train(plan: TrainingPlan) -> Path:
    """Train and return the best epoch's weights (``.pt``).

    Raises ModelError when the start weights are missing, torch is not installed, or there is nothing
    to resume; ConfigError, naming file and line, when a data set is not what it should be. Both
    before anything is trained.
    """
    begin = _begin(plan)
    for number, data in enumerate(plan.data):
        check_split(data, "train", need_boxes=number == 0)
    check_split(plan.data[0], "val")
    description = _describe_data(plan)
    try:
        from ultralytics import YOLO
        from ultralytics.utils import torch_utils
    except ImportError as error:
        raise ModelError(
            f"training needs ultralytics and torch: {error}",
            hint="pip install 'brimwatch[models]'",
        ) from error

    # ultralytics takes one core fewer than there are; on a small box that is half the machine.
    torch_utils.NUM_THREADS = plan.threads
    try:
        model = YOLO(str(begin))
    except (RuntimeError, ValueError, TypeError, KeyError, EOFError) as error:
        raise ModelError(f"{begin}: ultralytics cannot load it: {error}") from error
    if plan.resume:
        _check_unfinished(begin, model.ckpt)
    model.add_callback("on_model_save", _write_curves)
    if plan.publish is not None:
        publish = plan.publish
        model.add_callback("on_model_save", lambda trainer: _publish(trainer.best, publish))
    settings = {
        "data": str(description),
        "cache": "ram",
        "workers": plan.workers,
        "device": "cpu",
    }
    if plan.resume:
        settings |= {"resume": True, "save_dir": str(begin.parents[1])}
    else:
        settings |= _first_settings(plan)
    with _precision(plan.precision):
        model.train(**settings)
    best = Path(model.trainer.best)
    if plan.publish is not None:
        _publish(best, plan.publish)  # the same weights, now without the optimizer's state
    return best


def _begin(plan: TrainingPlan) -> Path:
    """The checkpoint to start from."""
    if plan.resume:
        if not plan.last.is_file():
            raise ModelError(
                f"{plan.last}: nothing to resume, no epoch of a run in {plan.work} is whole",
                hint="leave --resume away to begin, or give the --out that the run began with",
            )
        return plan.last
    if plan.start is None or not plan.start.is_file():
        raise ModelError(
            f"{plan.start}: no start weights are here" if plan.start else "no start weights given",
            hint="give a .pt file with --start",
        )
    return plan.start


def _check_unfinished(last: Path, checkpoint: dict[str, Any]) -> None:
    """A finished run's checkpoint has lost its optimizer, and ultralytics would begin anew."""
    done = int(checkpoint.get("epoch", -1)) + 1
    wanted = int(checkpoint.get("train_args", {}).get("epochs", 0))
    if checkpoint.get("optimizer") is None or done >= wanted:
        raise ModelError(
            f"{last}: this run is finished, there is nothing to resume",
            hint="train on from it in another folder: --start FILE --out FOLDER",
        )


def _first_settings(plan: TrainingPlan) -> dict[str, Any]:
    """What ultralytics keeps in its checkpoints, and so takes from there when resuming."""
    return {
        "epochs": plan.epochs,
        "imgsz": plan.input_size,
        "batch": plan.batch,
        "nbs": plan.batch,  # a step every batch: few epochs leave no room for accumulation
        "optimizer": "AdamW",
        "lr0": plan.learning_rate,
        "lrf": 0.02,
        "cos_lr": True,
        "warmup_epochs": 0.7,
        "warmup_bias_lr": 0.0,  # the default of 0.1 is meant for SGD: AdamW is thrown off by it
        "close_mosaic": plan.plain_epochs,
        "amp": False,
        "plots": False,
        "seed": plan.seed,
        "project": str(plan.work),
        "name": "run",
        "exist_ok": True,
    }


def _write_curves(trainer: Any) -> None:  # noqa: ANN401  (ultralytics has no types)
    results = Path(trainer.csv)
    svg = draw_curves(read_results(results))
    results.with_name("curves.svg").write_text(svg, encoding="utf-8")


def _describe_data(plan: TrainingPlan) -> Path:
    """Write ultralytics' description of the data, with links so that caches land in ``work``."""
    folder = plan.work / "data"
    folder.mkdir(parents=True, exist_ok=True)
    trained_on = [
        _link(folder / f"{number}-train", data, "train") for number, data in enumerate(plan.data)
    ]
    content = {
        "path": str(folder.resolve()),
        "train": [str(path) for path in trained_on],
        "val": str(_link(folder / "0-val", plan.data[0], "val")),
        "names": dict(enumerate(CLASSES)),
    }
    description = folder / "data.yaml"
    description.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return description


def _link(place: Path, data: Path, split: str) -> Path:
    """A folder of links to every file of a split: ultralytics would follow a link to the folder."""
    folders = find_split(data, split)
    for name, source in (("images", folders.images), ("labels", folders.labels)):
        folder = place / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for file in source.iterdir() if source.is_dir() else ():
            (folder / file.name).symlink_to(file.resolve())
    return (place / "images").absolute()


def _publish(best: Path, target: Path) -> None:
    """Copy so that a reader sees the old weights or the new, never half of them."""
    if not Path(best).is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    shutil.copyfile(best, partial)
    os.replace(partial, target)  # noqa: PTH105  (the text says what it does: an atomic rename)


@contextmanager
def _precision(precision: Precision) -> Iterator[None]:
    """Let ultralytics' trainer run in bf16 on a CPU; by itself it offers that on CUDA only."""
    if precision == "f32":
        yield
        return
    import torch
    from ultralytics.engine import trainer

    usual = trainer.autocast

    def autocast(*_: Any, **__: Any) -> Any:  # noqa: ANN401  (stands in for an untyped function)
        return torch.autocast("cpu", dtype=torch.bfloat16)

    trainer.autocast = autocast
    try:
        yield
    finally:
        trainer.autocast = usual
