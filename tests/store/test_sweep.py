"""The sweep: orphans go, and nothing that a row names or may still name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from store_words import START, event, picture

from pipeline.store import EvidenceStore, ListedEvidence, Recording, evidence_key
from pipeline.store.memory import MemoryEvidence, MemoryLedger
from pipeline.store.sweep import Sweep, orphans, remove

if TYPE_CHECKING:
    from conftest import AnyLedger

HOUR = timedelta(hours=1)


def key(content: bytes) -> str:
    return evidence_key(START, content)


def swept(ledger: AnyLedger, store: EvidenceStore, put_before: datetime) -> tuple[set[str], Sweep]:
    counted = Sweep()
    found = orphans(ledger, store, counted, put_before=put_before)
    gone = {one.key for one in remove(found, store, counted, put_before=put_before)}
    return gone, counted


def test_orphans_go_and_what_events_name_stays(
    ledger: AnyLedger, evidence_store: EvidenceStore
) -> None:
    for content in (b"named", b"orphan", b"orphan too"):
        evidence_store.put(key(content), content)
    ledger.record(Recording(event(), [picture(b"named")]))

    gone, counted = swept(ledger, evidence_store, datetime.now(UTC) + HOUR)
    assert gone == {key(b"orphan"), key(b"orphan too")}
    assert counted == Sweep(named=1, young=0, orphans=2, size=16, removed=2)
    assert [one.key for one in evidence_store.listing()] == [key(b"named")]
    assert swept(ledger, evidence_store, datetime.now(UTC) + HOUR)[0] == set()


def test_a_young_orphan_stays_for_its_row_may_be_on_its_way(
    ledger: AnyLedger, evidence_store: EvidenceStore
) -> None:
    evidence_store.put(key(b"in flight"), b"in flight")
    gone, counted = swept(ledger, evidence_store, datetime.now(UTC) - HOUR)
    assert (gone, counted) == (set(), Sweep(young=1))
    assert evidence_store.get(key(b"in flight")) == b"in flight"


class _Clock:
    now = START

    def __call__(self) -> datetime:
        return self.now


def test_a_picture_put_again_by_a_write_that_waited_for_days_is_young_again() -> None:
    clock = _Clock()
    store, ledger = MemoryEvidence(clock), MemoryLedger()
    store.put(key(b"waited"), b"waited")
    clock.now += timedelta(days=3)
    store.put(key(b"waited"), b"waited")  # as whoever writes its row does just before
    assert swept(ledger, store, clock.now - 24 * HOUR)[0] == set()


def test_a_picture_that_is_put_again_while_the_sweep_looks_at_it_stays() -> None:
    clock = _Clock()
    store, ledger = MemoryEvidence(clock), MemoryLedger()
    store.put(key(b"waited"), b"waited")
    clock.now += timedelta(days=3)
    put_before = clock.now - 24 * HOUR
    counted = Sweep()

    def interrupted() -> Iterator[ListedEvidence]:
        for found in orphans(ledger, store, counted, put_before=put_before):
            store.put(found.key, b"waited")
            ledger.record(Recording(event(), [picture(b"waited")]))
            yield found

    assert list(remove(interrupted(), store, counted, put_before=put_before)) == []
    assert (counted.orphans, counted.removed) == (1, 0)
    assert store.get(key(b"waited")) == b"waited"
