"""Evidence in a folder: what is on the disk, links, and a disk that fails."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from store_words import START

from pipeline.errors import ConfigError, EvidenceDamaged, StoreFull, StoreUnavailable
from pipeline.store import evidence_key
from pipeline.store.files import FolderEvidence

LINK_KEY = b"sixteen bytes or more, for tests"
JPEG = os.urandom(200_000)
KEY = evidence_key(START, JPEG)


@pytest.fixture
def folder(tmp_path: Path) -> FolderEvidence:
    store = FolderEvidence(tmp_path / "evidence", link_key=LINK_KEY, clock=lambda: START)
    store.init()
    return store


def files_in(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_a_picture_is_a_plain_file_under_its_key(folder: FolderEvidence) -> None:
    folder.put(KEY, JPEG)
    assert files_in(folder.root) == [KEY]
    assert (folder.root / KEY).read_bytes() == JPEG


def test_a_picture_that_is_there_is_not_written_again(folder: FolderEvidence) -> None:
    folder.put(KEY, JPEG)
    first = (folder.root / KEY).stat().st_ino
    folder.put(KEY, JPEG)
    assert (folder.root / KEY).stat().st_ino == first


@pytest.mark.parametrize("damage", [JPEG[:-1], b"", b"x" + JPEG[1:]], ids=["cut", "empty", "byte"])
def test_a_damaged_file_is_noticed_and_mended_by_the_next_put(
    folder: FolderEvidence, damage: bytes
) -> None:
    folder.put(KEY, JPEG)
    (folder.root / KEY).write_bytes(damage)

    with pytest.raises(EvidenceDamaged, match=f"{len(damage)} bytes with SHA-256"):
        folder.get(KEY)
    folder.put(KEY, JPEG)
    assert folder.get(KEY) == JPEG


def test_what_a_killed_process_left_behind_disturbs_nobody(folder: FolderEvidence) -> None:
    (folder.root / KEY).parent.mkdir(parents=True)
    (folder.root / KEY).with_name(".put-abc").write_bytes(JPEG[:1000])
    folder.put(KEY, JPEG)
    assert folder.get(KEY) == JPEG


def test_a_full_disk_is_said_so_and_leaves_nothing_half_written(small_disk: Path) -> None:
    store = FolderEvidence(small_disk, link_key=LINK_KEY)
    pictures = [os.urandom(200_000) for _ in range(10)]
    keys = [evidence_key(START, content) for content in pictures]
    put: list[str] = []

    def fill() -> None:
        for key, content in zip(keys, pictures, strict=True):
            store.put(key, content)
            put.append(key)

    with pytest.raises(StoreFull, match="No space left") as caught:
        fill()
    assert "free some space" in caught.value.hint
    assert 1 <= len(put) < 10
    assert files_in(small_disk) == sorted(put)
    for key, content in zip(put, pictures, strict=False):
        assert store.get(key) == content


def test_a_nearly_full_disk_fails_the_check(small_disk: Path) -> None:
    with pytest.raises(StoreFull, match="MiB left"):
        FolderEvidence(small_disk, link_key=LINK_KEY).check()


def test_a_disk_that_is_not_mounted_is_not_written_beside(tmp_path: Path) -> None:
    store = FolderEvidence(tmp_path / "gone", link_key=LINK_KEY)
    with pytest.raises(StoreUnavailable, match="gone") as caught:
        store.put(KEY, JPEG)
    assert "mount the disk" in caught.value.hint
    with pytest.raises(StoreUnavailable):
        store.check()
    assert not (tmp_path / "gone").exists()


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="Not a directory") as caught:
        FolderEvidence(tmp_path / "file", link_key=LINK_KEY).put(KEY, JPEG)
    assert "name another folder" in caught.value.hint


def test_a_link_opens_until_it_expires(folder: FolderEvidence) -> None:
    link = urlsplit(folder.url(KEY, timedelta(hours=1)))
    said = {name: values[0] for name, values in parse_qs(link.query).items()}
    expires, signature = int(said["expires"]), said["signature"]

    assert link.path == f"/evidence/{KEY}"
    assert expires == int((START + timedelta(hours=1)).timestamp())
    assert folder.link_is_valid(KEY, expires, signature, START)
    assert folder.link_is_valid(KEY, expires, signature, START + timedelta(minutes=59))
    assert not folder.link_is_valid(KEY, expires, signature, START + timedelta(hours=1))


@pytest.mark.parametrize(
    ("key", "later", "signature"),
    [
        (KEY, 1, None),
        (KEY.replace("/01/", "/02/"), 0, None),
        (KEY, 0, ""),
        (KEY, 0, 64 * "0"),
        (KEY, 0, "满溢"),
        (KEY, 0, "\ud800"),
    ],
    ids=["later end", "other picture", "none", "zeros", "Chinese", "half a surrogate"],
)
def test_a_link_that_was_changed_opens_nothing(
    folder: FolderEvidence, key: str, later: int, signature: str | None
) -> None:
    query = parse_qs(urlsplit(folder.url(KEY, timedelta(hours=1))).query)
    expires = int(query["expires"][0]) + later
    signed = query["signature"][0] if signature is None else signature
    assert not folder.link_is_valid(key, expires, signed, START)


def test_a_link_signed_with_another_key_opens_nothing(folder: FolderEvidence) -> None:
    other = FolderEvidence(folder.root, link_key=b"another key of the same length!!")
    expires = int(START.timestamp()) + 60
    signature = parse_qs(urlsplit(folder.url(KEY, timedelta(seconds=60))).query)["signature"][0]
    assert not other.link_is_valid(KEY, expires, signature, START)


def test_links_lead_to_where_the_service_answers(tmp_path: Path) -> None:
    def noon() -> datetime:
        return START

    store = FolderEvidence(
        tmp_path, base_url="https://watch.example/evidence/", link_key=LINK_KEY, clock=noon
    )
    assert store.url(KEY, timedelta(1)).startswith(f"https://watch.example/evidence/{KEY}?expires=")


def test_a_short_link_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has 5 bytes, expected at least 16"):
        FolderEvidence(tmp_path, link_key=b"short")


def test_a_put_that_meets_a_removal_is_never_lost(folder: FolderEvidence) -> None:
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    removed = 0
    with ThreadPoolExecutor(2) as threads:
        for _ in range(40):
            folder.put(KEY, JPEG)
            os.utime(folder.root / KEY, 2 * (long_ago.timestamp(),))
            removal = threads.submit(folder.remove, KEY, put_before=long_ago + timedelta(days=1))
            again = threads.submit(folder.put, KEY, JPEG)
            again.result()
            removed += removal.result()
            assert folder.get(KEY) == JPEG, "put after it was removed, or touched before"
    assert removed > 0


def test_a_listing_passes_over_what_is_no_picture(folder: FolderEvidence) -> None:
    folder.put(KEY, JPEG)
    (folder.root / KEY).with_name(".put-abc").write_bytes(b"half")
    (folder.root / "README").write_text("evidence of the street office")
    (folder.root / "2026" / "06" / "notes").mkdir()
    assert [one.key for one in folder.listing()] == [KEY]
