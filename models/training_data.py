"""Which data a network has learnt from, as one digest: the same files give it again, others do not.

The digest is that of the list which ``sha256sum`` prints of the training split's pictures and label
files, sorted; so anyone can make it without Brimwatch::

    cd DATA/train && sha256sum images/* labels/*.txt | LC_ALL=C sort | sha256sum

Over several data sets the lines of all are sorted together: their order does not matter, nor where
they lie. Only names and contents count, not times or owners. Pictures without a label file and label
files without a picture count like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.dataset import PICTURE_SUFFIXES, find_split
from pipeline.errors import ConfigError


def training_data_sha256(folders: Sequence[Path], split: str = "train") -> str:
    """The digest over one split of every data set in ``folders`` (at least one), lower-case hex.

    Raises ConfigError when a data set or its split is not there, or a file cannot be read.
    """
    lines = sorted(line for folder in folders for line in _lines(folder, split))
    return hashlib.sha256(b"".join(lines)).hexdigest()


def _lines(folder: Path, split: str) -> Iterator[bytes]:
    """``<sha256>  images/<name>`` and ``<sha256>  labels/<name>``, each with its line end."""
    found = find_split(folder, split)
    for kind, place, suffixes in (
        ("images", found.images, PICTURE_SUFFIXES),
        ("labels", found.labels, frozenset({".txt"})),
    ):
        for file in place.iterdir() if place.is_dir() else ():
            if file.suffix.lower() not in suffixes:
                continue
            try:
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
            except OSError as error:
                raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
            yield f"{digest}  {kind}/{file.name}\n".encode()
