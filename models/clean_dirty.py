"""Pictures of which only a whole is known: a folder with ``clean/`` and ``dirty/`` in it, no boxes."""

from __future__ import annotations

from pathlib import Path

from models.dataset import PICTURE_SUFFIXES
from pipeline.errors import ConfigError

CLEAN, DIRTY = "clean", "dirty"


def is_clean_dirty(data: Path) -> bool:
    """Whether a folder is such a set: both subfolders are there."""
    return (data / CLEAN).is_dir() and (data / DIRTY).is_dir()


def pictures_of(data: Path) -> list[tuple[Path, bool]]:
    """Every picture with whether it is dirty, by name, also from folders inside the two.

    Raises ConfigError when one of the two has no picture.
    """
    pictures: list[tuple[Path, bool]] = []
    for name in (CLEAN, DIRTY):
        here = sorted(
            path for path in (data / name).rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES
        )
        if not here:
            raise ConfigError(
                f"{data / name}: no picture is here",
                hint=f"pictures end in {', '.join(sorted(PICTURE_SUFFIXES))}",
            )
        pictures += [(path, name == DIRTY) for path in here]
    return pictures
