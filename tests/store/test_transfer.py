"""Moving evidence: each picture arrives right, once, and a second run goes on where the first was."""

from __future__ import annotations

import pytest
from store_words import START, event, picture

from pipeline.errors import StoreFull
from pipeline.store import EvidenceStore, Recording, StoredEvidence, evidence_key
from pipeline.store.memory import MemoryEvidence, MemoryLedger
from pipeline.store.transfer import Transfer, transfer

CONTENTS = [b"picture %d" % number for number in range(6)]
KEYS = sorted(evidence_key(START, content) for content in CONTENTS)


@pytest.fixture
def ledger() -> MemoryLedger:
    made = MemoryLedger()
    made.record(Recording(event(), [picture(content) for content in CONTENTS]))
    made.record(Recording(event("event-2"), [picture(CONTENTS[0])]))
    return made


@pytest.fixture
def full() -> MemoryEvidence:
    store = MemoryEvidence()
    for content in CONTENTS:
        store.put(evidence_key(START, content), content)
    return store


def moved(ledger: MemoryLedger, source: EvidenceStore, target: EvidenceStore) -> Transfer:
    progress = Transfer()
    assert list(transfer(ledger, source, target, progress)) == []
    return progress


def test_everything_that_events_name_arrives_once(
    ledger: MemoryLedger, full: MemoryEvidence, evidence_store: EvidenceStore
) -> None:
    full.put(evidence_key(START, b"orphan"), b"orphan")
    assert moved(ledger, full, evidence_store) == Transfer(copied=6, size=54)
    assert [one.key for one in evidence_store.listing()] == KEYS
    assert moved(ledger, full, evidence_store) == Transfer(present=6)


def test_and_back_again(
    ledger: MemoryLedger, full: MemoryEvidence, evidence_store: EvidenceStore
) -> None:
    moved(ledger, full, evidence_store)
    back = MemoryEvidence()
    assert moved(ledger, evidence_store, back).copied == 6
    assert sorted(back.pictures) == KEYS


class _FullAfter(MemoryEvidence):
    """A store that takes so many pictures."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def put(self, key: str, content: bytes) -> StoredEvidence:
        if len(self.pictures) >= self.room:
            raise StoreFull("full")
        return super().put(key, content)


def test_one_that_was_interrupted_goes_on_where_it_was(
    ledger: MemoryLedger, full: MemoryEvidence
) -> None:
    target = _FullAfter(4)
    progress = Transfer()
    with pytest.raises(StoreFull):
        list(transfer(ledger, full, target, progress))
    assert progress.copied == 4

    target.room = 100
    assert moved(ledger, full, target) == Transfer(copied=2, size=18, present=4)


def test_a_damaged_copy_is_put_right(ledger: MemoryLedger, full: MemoryEvidence) -> None:
    target = MemoryEvidence()
    moved(ledger, full, target)
    target.pictures[KEYS[2]] = b"pictur"
    assert moved(ledger, full, target) == Transfer(copied=1, size=9, present=5)


def test_damage_in_the_old_store_is_told_and_stops_nothing(
    ledger: MemoryLedger, full: MemoryEvidence
) -> None:
    full.pictures[KEYS[0]] = b"x"
    del full.pictures[KEYS[5]]
    target, progress = MemoryEvidence(), Transfer()
    told = list(transfer(ledger, full, target, progress))
    assert [key in str(damage) for key, damage in zip((KEYS[0], KEYS[5]), told, strict=True)]
    assert (progress.copied, progress.damaged) == (4, 2)
