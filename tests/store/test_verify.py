"""Verification: every picture that an event names is read, and what is wrong is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from store_words import START, at, event, picture
from typer.testing import CliRunner, Result

from pipeline.cli import make_app
from pipeline.domain import EvidenceForm, EvidenceRole
from pipeline.errors import StoreUnavailable
from pipeline.store import EvidenceStore, Recording, evidence_key
from pipeline.store.files import FolderEvidence
from pipeline.store.memory import MemoryEvidence, MemoryLedger
from pipeline.store.sql import SqlLedger
from pipeline.store.verify import Fault, Finding, Verification, verify

if TYPE_CHECKING:
    from conftest import AnyLedger

CONTENTS = (b"before", b"confirmed", b"after")


def keep(ledger: AnyLedger, store: EvidenceStore, *contents: bytes, name: str = "event-1") -> None:
    """An event of that name with these pictures, in both stores."""
    for content in contents:
        store.put(evidence_key(START, content), content)
    ledger.record(Recording(event(name), [picture(content) for content in contents]))


def findings(ledger: AnyLedger, store: EvidenceStore) -> tuple[list[Finding], Verification]:
    progress = Verification()
    return list(verify(ledger, store, progress)), progress


def test_sound_evidence_is_counted_and_nothing_is_found(
    ledger: AnyLedger, evidence_store: EvidenceStore
) -> None:
    keep(ledger, evidence_store, *CONTENTS)
    keep(ledger, evidence_store, CONTENTS[0], name="event-2")  # one picture, two events

    assert findings(ledger, evidence_store) == ([], Verification(3, 4, 20, 0))


def test_a_picture_that_is_gone_is_missing_for_each_of_its_events(
    ledger: AnyLedger, evidence_store: EvidenceStore
) -> None:
    keep(ledger, evidence_store, *CONTENTS)
    keep(ledger, evidence_store, CONTENTS[1], name="event-2")
    gone = evidence_key(START, CONTENTS[1])
    assert evidence_store.remove(gone, put_before=at(10**10))

    found, progress = findings(ledger, evidence_store)
    assert [(one.row.event_id, one.row.evidence.key, one.fault) for one in found] == [
        ("event-1", gone, Fault.MISSING),
        ("event-2", gone, Fault.MISSING),
    ]
    assert (progress.pictures, progress.findings) == (3, 2)


def test_changed_bytes_and_a_changed_row_are_altered() -> None:
    ledger, store = MemoryLedger(), MemoryEvidence()
    keep(ledger, store, *CONTENTS)
    store.pictures[evidence_key(START, b"before")] = b"befor3"
    lies = picture(b"after", role=EvidenceRole.AFTER, form=EvidenceForm.ANNOTATED)
    wrong_size = type(lies)(**{n: getattr(lies, n) for n in lies.__slots__} | {"size": 7})
    ledger.record(Recording(event("event-2"), [wrong_size]))

    found, _ = findings(ledger, store)
    assert {(one.row.event_id, one.fault) for one in found} == {
        ("event-1", Fault.ALTERED),
        ("event-2", Fault.ALTERED),
    }
    assert any("the ledger says 7 bytes, the picture has 5" in one.detail for one in found)


def test_a_store_that_is_away_ends_the_verification() -> None:
    ledger, store = MemoryLedger(), MemoryEvidence()
    keep(ledger, store, *CONTENTS)
    store.fault = StoreUnavailable("away")
    with pytest.raises(StoreUnavailable, match="away"):
        findings(ledger, store)


def test_pages_of_rows_are_taken_in_turn(ledger: AnyLedger) -> None:
    pictures = [picture(f"picture {n}".encode()) for n in range(7)]
    ledger.record(Recording(event(), pictures))
    ledger.record(Recording(event("event-2"), pictures[:2]))
    seen, last = [], None
    while page := ledger.evidence_rows(after=last, limit=2):
        assert len(page) <= 2
        seen += [(row.evidence.key, row.event_id) for row in page]
        last = page[-1]
    assert len(seen) == 9
    assert seen == sorted(seen)


def test_the_ledger_says_which_pictures_it_names(ledger: AnyLedger) -> None:
    ledger.record(Recording(event(), [picture(b"one"), picture(b"two")]))
    one, two, three = (evidence_key(START, content) for content in (b"one", b"two", b"three"))
    assert ledger.named({one, two, three}) == {one, two}
    assert ledger.named([]) == set()
    assert ledger.named([one, *(f"other-{n}" for n in range(1200))]) == {one}


# The command, on a folder and SQLite.


def brimwatch(*arguments: object) -> Result:
    return CliRunner().invoke(make_app(), [str(argument) for argument in arguments])


def test_the_command_names_what_is_wrong_and_ends_with_1(site: Path) -> None:
    folder = FolderEvidence(site.parent / "state" / "evidence", link_key=bytes(16))
    folder.init()
    ledger = SqlLedger.open(f"sqlite:///{site.parent / 'state' / 'ledger.sqlite'}")
    keep(ledger, folder, *CONTENTS)
    assert brimwatch("verify", "-c", site).exit_code == 0

    (folder.root / evidence_key(START, b"before")).write_bytes(b"befor3")
    (folder.root / evidence_key(START, b"after")).unlink()
    said = brimwatch("verify", "-c", site)
    assert said.exit_code == 1
    assert f"missing: event event-1, confirmed raw, {evidence_key(START, b'after')}" in said.stdout
    assert f"altered: event event-1, confirmed raw, {evidence_key(START, b'before')}" in said.stdout

    answer = json.loads(brimwatch("verify", "-c", site, "--json").stdout)
    assert (answer["pictures"], answer["rows"]) == (3, 3)
    assert {one["fault"] for one in answer["findings"]} == {"missing", "altered"}
    ledger.close()
