"""What every evidence store keeps to: memory, folder, S3."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from store_words import START

from pipeline.errors import EvidenceDamaged
from pipeline.store import EvidenceStore, StoredEvidence, evidence_key

JPEG = bytes(range(256)) * 800  # 200 KB that are no text
KEY = evidence_key(START, JPEG)
HOUR = timedelta(hours=1)
NOT_KEYS = [
    "",
    "a.jpg",
    "../../etc/passwd",
    "/" + KEY,
    KEY + "/..",
    KEY + "\n",
    KEY.replace("/", "\\"),
    KEY.upper(),
    KEY.replace(".jpg", ".png"),
    "2026/13/01/" + 64 * "a" + ".jpg",
    "2026/06/01/../" + 61 * "a" + ".jpg",
    "२०२६/06/01/" + 64 * "a" + ".jpg",
]


def test_a_picture_comes_back_as_it_was_put(evidence_store: EvidenceStore) -> None:
    stored = evidence_store.put(KEY, JPEG)

    assert stored == StoredEvidence(KEY, hashlib.sha256(JPEG).hexdigest(), len(JPEG))
    assert evidence_store.get(KEY) == JPEG


def test_putting_a_picture_twice_is_one_picture(evidence_store: EvidenceStore) -> None:
    assert evidence_store.put(KEY, JPEG) == evidence_store.put(KEY, JPEG)
    assert evidence_store.get(KEY) == JPEG


def test_several_threads_may_put_the_same_picture_at_once(evidence_store: EvidenceStore) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: evidence_store.put(KEY, JPEG), range(8)))

    assert len(set(answers)) == 1
    assert evidence_store.get(KEY) == JPEG


def test_an_empty_picture_is_kept_too(evidence_store: EvidenceStore) -> None:
    key = evidence_key(START, b"")
    assert evidence_store.put(key, b"").size == 0
    assert evidence_store.get(key) == b""


def test_a_picture_that_is_not_there_counts_as_damaged(evidence_store: EvidenceStore) -> None:
    with pytest.raises(EvidenceDamaged, match="is not in") as caught:
        evidence_store.get(KEY)
    assert KEY in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("key", NOT_KEYS)
def test_only_evidence_keys_reach_a_store(evidence_store: EvidenceStore, key: str) -> None:
    with pytest.raises(ValueError, match="an evidence key is"):
        evidence_store.put(key, JPEG)
    with pytest.raises(ValueError, match="an evidence key is"):
        evidence_store.get(key)
    with pytest.raises(ValueError, match="an evidence key is"):
        evidence_store.url(key, timedelta(hours=1))


def test_a_key_of_another_picture_is_refused(evidence_store: EvidenceStore) -> None:
    with pytest.raises(ValueError, match="does not belong to these bytes"):
        evidence_store.put(KEY, b"another picture")


def test_a_link_names_the_picture(evidence_store: EvidenceStore) -> None:
    assert KEY in evidence_store.url(KEY, timedelta(hours=1))


def test_a_store_that_works_passes_its_check(evidence_store: EvidenceStore) -> None:
    try:
        evidence_store.check()
    except Exception as error:
        if "MiB left" in str(error):
            pytest.skip(f"this machine's disk is nearly full: {error}")
        raise


def test_a_listing_names_every_picture_once_in_order(evidence_store: EvidenceStore) -> None:
    days = [START + timedelta(days=40 * n) for n in range(3)]
    put = {evidence_key(day, b"picture %d" % n) for n, day in enumerate(2 * days)}
    for n, day in enumerate(2 * days):
        evidence_store.put(evidence_key(day, b"picture %d" % n), b"picture %d" % n)
    evidence_store.put(evidence_key(days[0], b"picture 0"), b"picture 0")

    listed = list(evidence_store.listing())
    assert [one.key for one in listed] == sorted(put)
    assert {one.size for one in listed} == {9}
    now = datetime.now(UTC)
    assert all(abs(one.put_at - now) < timedelta(minutes=5) for one in listed)


def test_an_empty_store_lists_nothing(evidence_store: EvidenceStore) -> None:
    assert list(evidence_store.listing()) == []


def test_a_removed_picture_is_gone(evidence_store: EvidenceStore) -> None:
    evidence_store.put(KEY, JPEG)
    assert evidence_store.remove(KEY, put_before=datetime.now(UTC) + HOUR)
    assert list(evidence_store.listing()) == []
    with pytest.raises(EvidenceDamaged):
        evidence_store.get(KEY)
    assert not evidence_store.remove(KEY, put_before=datetime.now(UTC) + HOUR)


def test_a_picture_that_was_put_since_stays(evidence_store: EvidenceStore) -> None:
    evidence_store.put(KEY, JPEG)
    assert not evidence_store.remove(KEY, put_before=datetime.now(UTC) - HOUR)
    assert evidence_store.get(KEY) == JPEG


@pytest.mark.parametrize("key", NOT_KEYS)
def test_only_evidence_keys_can_be_removed(evidence_store: EvidenceStore, key: str) -> None:
    with pytest.raises(ValueError, match="an evidence key is"):
        evidence_store.remove(key, put_before=datetime.now(UTC))
