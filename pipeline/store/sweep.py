"""Removing orphans: pictures that no evidence row names.

A crash (or a ledger that fails) between a put and its row leaves a picture that no event has. It is
told from one whose row is still to come by its age: whoever writes a row puts its pictures just
before, also when the write was tried for days or waited in a spool, and a put makes a picture young
again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from pipeline.store import EvidenceStore, Ledger, ListedEvidence

SAFE_AGE = timedelta(hours=24)
"""How old an orphan must be. Its row follows a put within seconds; the rest is room for clocks that
differ. Longer keeps a little more rubbish, shorter gives a person less time to notice a mistake."""

LEAST_AGE = timedelta(hours=1)
"""Under this no sweep: a decision that is being written now may still name its pictures."""

_ASKED_AT_ONCE = 1000


@dataclass(slots=True)
class Sweep:
    """What a sweep met: pictures that a row names, young ones, orphans, and how many are removed."""

    named: int = 0
    young: int = 0
    orphans: int = 0
    size: int = 0
    removed: int = 0

    def __str__(self) -> str:
        return (
            f"{self.named} picture(s) that events name, {self.young} too young to tell, "
            f"{self.orphans} orphan(s) of {self.size / 1e6:.1f} MB, {self.removed} removed"
        )


def orphans(
    ledger: Ledger,
    store: EvidenceStore,
    sweep: Sweep,
    *,
    put_before: datetime,
    on_page: Callable[[Sweep], None] = lambda _sweep: None,
) -> Iterator[ListedEvidence]:
    """The pictures that no row names and that were last put before ``put_before`` (UTC).

    ``sweep`` is counted up. The store is listed and the ledger asked page by page.
    """
    for page in _pages(store.listing()):
        old = [listed for listed in page if listed.put_at < put_before]
        sweep.young += len(page) - len(old)
        # Asked after the page was listed: what was recorded meanwhile is named.
        named = ledger.named({listed.key for listed in old})
        sweep.named += len(named)
        for listed in old:
            if listed.key not in named:
                sweep.orphans += 1
                sweep.size += listed.size
                yield listed
        on_page(sweep)


def remove(
    found: Iterable[ListedEvidence], store: EvidenceStore, sweep: Sweep, *, put_before: datetime
) -> Iterator[ListedEvidence]:
    """Remove orphans, each as it is found; those that are gone. One put again meanwhile stays."""
    for listed in found:
        if store.remove(listed.key, put_before=put_before):
            sweep.removed += 1
            yield listed


def _pages(listing: Iterator[ListedEvidence]) -> Iterator[list[ListedEvidence]]:
    while page := list(islice(listing, _ASKED_AT_ONCE)):
        yield page
