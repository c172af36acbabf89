"""A folder of models, and which of them is in use.

::

    registry/
        bin-overflow-v5n-416-0b6c5f2e91aa/   a weights folder (see `models.manifest`), never changed
        bin-overflow-v6n-512-77d0a1c4be02/   its name: the manifest's, and 12 digits of its SHA-256
        promoted.json                        every promotion with its time, oldest first

The model in use is the last promotion that was not taken back. Taking it back leaves it in the list,
so that one can read later which model was in use when, and makes the one before it the model in use:
doing it twice goes back two steps, not there and back again.

Services may read while somebody promotes: ``promoted.json`` is replaced in one step. Two people who
promote in the same instant are not kept apart; the later one's entry stays.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from models.loading import load_calibration
from models.manifest import Manifest, read_manifest, verify
from pipeline.domain import CLASSES, rfc3339, utc
from pipeline.errors import ModelError

PROMOTED = "promoted.json"
_UNFINISHED = ".adding-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Promotion:
    """A model was put into use. ``at`` and ``taken_back_at`` (None: it was not) are UTC, aware."""

    name: str
    at: datetime
    taken_back_at: datetime | None = None


def in_use(history: Sequence[Promotion]) -> Promotion | None:
    """The promotion that counts: the last one that was not taken back."""
    return next((one for one in reversed(history) if one.taken_back_at is None), None)


def check_weights(folder: Path) -> Manifest:
    """The manifest of weights that a service may work with. Raises ModelError when it may not.

    The files must match the manifest, the calibration must be there and be of these weights, and the
    detector must know all of `pipeline.domain.CLASSES`.
    """
    manifest = read_manifest(folder)
    verify(folder, manifest)
    load_calibration(folder)
    missing = set(CLASSES) - set(manifest.classes)
    if missing:
        raise ModelError(
            f"{folder}: finds {', '.join(manifest.classes)}, not {', '.join(sorted(missing))}",
            hint="train it on data that has all three classes",
        )
    return manifest


class Registry:
    """The models in ``folder``. It need not exist before something is added."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> tuple[str, ...]:
        """The models that are here, sorted. Raises ModelError when the folder cannot be read."""
        try:
            return tuple(
                sorted(
                    one.name
                    for one in self.folder.iterdir()
                    if one.is_dir() and _NAME.fullmatch(one.name)
                )
            )
        except OSError as error:
            raise ModelError(
                f"{self.folder}: no registry can be read here: {error.strerror}",
                hint="brimwatch models add FOLDER --registry DIR makes one",
            ) from error

    def path_of(self, name: str) -> Path:
        """The weights folder of a model. Raises ModelError when there is none of that name."""
        known = self.names()
        if name not in known:
            raise ModelError(
                f"{self.folder}: no model {name!r} is here",
                hint=f"there are: {', '.join(known)}" if known else "none is here yet: add one",
            )
        return self.folder / name

    def add(self, weights: Path) -> str:
        """Check a weights folder, copy it here, and return its name here. It is not in use by that.

        The same model again is no error. Raises ModelError for weights that `check_weights` refuses,
        and when the same weights are here with another calibration.
        """
        manifest = check_weights(weights)
        name = f"{manifest.name}-{manifest.sha256[:12]}"
        if not _NAME.fullmatch(name):
            raise ModelError(
                f"{weights}: the name {manifest.name!r} cannot name a folder",
                hint="use letters, digits, '.', '_' and '-' in the manifest's name",
            )
        place = self.folder / name
        if place.exists():
            check_weights(place)
            if load_calibration(place) != load_calibration(weights):
                raise ModelError(
                    f"{place}: these weights are here with another calibration",
                    hint="give the manifest another name, so that both can be told apart",
                )
            return name
        try:
            self._copy(weights, place)
        except OSError as error:
            raise ModelError(f"{place}: cannot be written: {error}") from error
        return name

    def history(self) -> tuple[Promotion, ...]:
        """Every promotion, oldest first. Raises ModelError when the file is damaged."""
        path = self.folder / PROMOTED
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return tuple(
                Promotion(
                    str(one["name"]),
                    utc(one["at"]),
                    utc(one["taken_back_at"]) if one["taken_back_at"] is not None else None,
                )
                for one in content["promotions"]
            )
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, KeyError) as error:
            raise ModelError(
                f"{path}: no list of promotions: {type(error).__name__} {error}",
                hint="restore it from a copy, or delete it and promote a model again",
            ) from error

    def promoted(self) -> str | None:
        """The name of the model in use, None when none is. Raises ModelError, see `history`."""
        current = in_use(self.history())
        return current.name if current is not None else None

    def promote(self, name: str, at: datetime) -> None:
        """Put a model into use; the one that is in use already stays so, without a new entry.

        Raises ModelError when it is not here or `check_weights` refuses it.
        """
        check_weights(self.path_of(name))
        history = self.history()
        current = in_use(history)
        if current is None or current.name != name:
            self._write((*history, Promotion(name, at)))

    def roll_back(self, at: datetime) -> str:
        """Take the last promotion back, and return the name of the one before, now in use.

        Raises ModelError when there is none before it, or when `check_weights` refuses that one.
        """
        history = self.history()
        current = in_use(history)
        if current is None:
            raise ModelError(f"{self.folder}: no model is in use, so none can be taken back")
        after = tuple(replace(one, taken_back_at=at) if one is current else one for one in history)
        before = in_use(after)
        if before is None:
            raise ModelError(
                f"{self.folder}: {current.name} is the first that was promoted",
                hint="promote another one: brimwatch models promote NAME",
            )
        check_weights(self.path_of(before.name))
        self._write(after)
        return before.name

    def _copy(self, weights: Path, place: Path) -> None:
        """Copy beside ``place``, check the copy, and rename it: a folder is whole or not there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=_UNFINISHED) as unfinished:
            copy = Path(unfinished) / place.name
            shutil.copytree(weights, copy)
            check_weights(copy)
            copy.rename(place)

    def _write(self, history: Sequence[Promotion]) -> None:
        rows = [
            {
                "name": one.name,
                "at": rfc3339(one.at),
                "taken_back_at": rfc3339(one.taken_back_at) if one.taken_back_at else None,
            }
            for one in history
        ]
        path = self.folder / PROMOTED
        # Not a mkstemp: the service that reads it may be another user than the one who promotes.
        partial = self.folder / f".{PROMOTED}.{os.getpid()}"
        try:
            with partial.open("w", encoding="utf-8") as file:
                file.write(json.dumps({"promotions": rows}, indent=2) + "\n")
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise ModelError(f"{path}: cannot be written: {error.strerror}") from error
