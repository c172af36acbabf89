"""Moving evidence from one store to another, while both go on working.

A picture that is in the new store and right is left alone, so a transfer that was interrupted goes on
where it was, and one that is run again after the change copies only what came in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipeline.errors import EvidenceDamaged
from pipeline.store import EvidenceStore, Ledger
from pipeline.store.verify import pictures


@dataclass(slots=True)
class Transfer:
    """How far a transfer is: pictures copied and their bytes, there already, and not to be had."""

    copied: int = 0
    size: int = 0
    present: int = 0
    damaged: int = 0

    def __str__(self) -> str:
        return (
            f"{self.copied} picture(s) copied and read back ({self.size / 1e6:.1f} MB), "
            f"{self.present} there already, {self.damaged} damaged in the old store"
        )


def transfer(
    ledger: Ledger,
    source: EvidenceStore,
    target: EvidenceStore,
    progress: Transfer,
    on_picture: Callable[[Transfer], None] = lambda _progress: None,
) -> Iterator[EvidenceDamaged]:
    """Copy every picture that the ledger names; the damage in ``source``, as it is met.

    Each copy is read back from ``target`` and its SHA-256 compared. ``progress`` is counted up and
    ``on_picture`` called with it after each picture. Raises StoreFull or StoreUnavailable, and
    EvidenceDamaged when ``target`` does not give back what was put.
    """
    for key, _rows in pictures(ledger):
        if _is_right(target, key):
            progress.present += 1
        else:
            try:
                content = source.get(key)
            except EvidenceDamaged as error:
                progress.damaged += 1
                yield error
                continue
            target.put(key, content)
            target.get(key)
            progress.copied += 1
            progress.size += len(content)
        on_picture(progress)


def _is_right(store: EvidenceStore, key: str) -> bool:
    try:
        store.get(key)
    except EvidenceDamaged:
        return False
    return True
