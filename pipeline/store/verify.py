"""Re-reading evidence: is every picture that the ledger names there, and is it the one that was put?

The ledger is read page by page and one picture at a time is in memory, however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from pipeline.errors import EvidenceDamaged, StoreError
from pipeline.store import EvidenceRow, EvidenceStore, Ledger
from pipeline.store.keys import EvidenceMissing, is_key, sha256_in


class Fault(StrEnum):
    """What can be wrong with a picture."""

    MISSING = "missing"
    ALTERED = "altered"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Finding:
    """One evidence row whose picture is not what the row says. ``detail`` is for a person."""

    row: EvidenceRow
    fault: Fault
    detail: str


@dataclass(slots=True)
class Verification:
    """How far a verification is: pictures read, their bytes, and what it found so far."""

    pictures: int = 0
    rows: int = 0
    size: int = 0
    findings: int = 0

    def __str__(self) -> str:
        return (
            f"{self.pictures} picture(s) of {self.rows} evidence row(s) read, "
            f"{self.size / 1e6:.1f} MB, {self.findings} wrong"
        )


def pictures(ledger: Ledger) -> Iterator[tuple[str, list[EvidenceRow]]]:
    """Every key that the ledger names, in order, with all rows that name it. Read page by page."""
    for key, rows in groupby(_rows(ledger), key=lambda row: row.evidence.key):
        yield key, list(rows)


def verify(
    ledger: Ledger,
    store: EvidenceStore,
    progress: Verification,
    on_picture: Callable[[Verification], None] = lambda _progress: None,
) -> Iterator[Finding]:
    """Read every picture that the ledger names; what is wrong, as it is found.

    ``progress`` is counted up; ``on_picture`` is called with it after each picture. Raises
    StoreUnavailable when a store goes away as a whole.
    """
    for key, rows in pictures(ledger):
        size, problem = _read(store, key)
        for row in rows:
            found = problem or _disagreement(row, size)
            if found is not None:
                progress.findings += 1
                yield Finding(row, *found)
        progress.pictures += 1
        progress.rows += len(rows)
        progress.size += size
        on_picture(progress)


def _rows(ledger: Ledger) -> Iterator[EvidenceRow]:
    last: EvidenceRow | None = None
    while page := ledger.evidence_rows(after=last):
        yield from page
        last = page[-1]


def _read(store: EvidenceStore, key: str) -> tuple[int, tuple[Fault, str] | None]:
    """The size of a picture that is sound, or what is wrong with it."""
    if not is_key(key):
        return 0, (Fault.ALTERED, f"the ledger names it {key!r}, which is no evidence key")
    try:
        return len(store.get(key)), None
    except EvidenceMissing as error:
        return 0, (Fault.MISSING, str(error.args[0]))
    except EvidenceDamaged as error:
        return 0, (Fault.ALTERED, str(error.args[0]))
    except StoreError as error:
        store.check()  # a store that is away ends the verification; one bad sector does not
        return 0, (Fault.UNREADABLE, str(error.args[0]))


def _disagreement(row: EvidenceRow, size: int) -> tuple[Fault, str] | None:
    """What the ledger's row says otherwise than the key and the bytes, which fit each other."""
    evidence = row.evidence
    if evidence.sha256 != sha256_in(evidence.key):
        return Fault.ALTERED, f"the ledger says SHA-256 {evidence.sha256}, the key another one"
    if evidence.size != size:
        return Fault.ALTERED, f"the ledger says {evidence.size} bytes, the picture has {size}"
    return None
