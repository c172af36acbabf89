"""``brimwatch store``: what a person types, and what is there afterwards."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest_servers import S3Server
from store_words import START, event, picture
from typer.testing import CliRunner, Result

from pipeline.cli import make_app
from pipeline.errors import ConfigError, StoreError
from pipeline.store import Recording, evidence_key
from pipeline.store.files import FolderEvidence
from pipeline.store.s3 import S3Evidence
from pipeline.store.sql import SqlLedger

NAMED = (b"before", b"confirmed")
ORPHAN = evidence_key(START, b"orphan")


def brimwatch(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(make_app(), [str(one) for one in arguments], env=environment)


@pytest.fixture
def folder(site: Path) -> FolderEvidence:
    """The site's evidence: two pictures of an event, and an orphan from long ago."""
    store = FolderEvidence(site.parent / "state" / "evidence", link_key=bytes(16))
    store.init()
    for content in (*NAMED, b"orphan"):
        store.put(evidence_key(START, content), content)
    os.utime(store.root / ORPHAN, (1e9, 1e9))
    return store


@pytest.fixture
def ledger(site: Path, folder: FolderEvidence) -> Iterator[SqlLedger]:
    opened = SqlLedger.open(f"sqlite:///{site.parent / 'state' / 'ledger.sqlite'}")
    opened.record(Recording(event(), [picture(content) for content in NAMED]))
    for content in NAMED:
        os.utime(folder.root / evidence_key(START, content), (1e9, 1e9))
    yield opened
    opened.close()


def kept(store: FolderEvidence) -> set[str]:
    return {one.key for one in store.listing()}


@pytest.mark.usefixtures("ledger")
def test_a_sweep_says_first_and_removes_then(site: Path, folder: FolderEvidence) -> None:
    said = brimwatch("store", "sweep", "--dry-run", "-c", site)
    assert said.exit_code == 0
    assert f"orphan {ORPHAN}" in said.stdout
    assert "2 picture(s) that events name, 0 too young to tell, 1 orphan(s)" in said.stdout
    assert len(kept(folder)) == 3

    answer = json.loads(brimwatch("store", "sweep", "--json", "-c", site).stdout)
    assert answer == {"named": 2, "young": 0, "orphans": 1, "size": 6, "removed": 1}
    assert kept(folder) == {evidence_key(START, content) for content in NAMED}


@pytest.mark.usefixtures("ledger")
def test_a_young_orphan_stays(site: Path, folder: FolderEvidence) -> None:
    os.utime(folder.root / ORPHAN)
    assert brimwatch("store", "sweep", "-c", site).exit_code == 0
    assert ORPHAN in kept(folder)
    assert brimwatch("store", "sweep", "--older-than", "0.5", "-c", site).exit_code == 2


def test_a_sweep_with_a_ledger_of_something_else_removes_nothing(
    site: Path, folder: FolderEvidence
) -> None:
    for content in NAMED:
        os.utime(folder.root / evidence_key(START, content), (1e9, 1e9))
    result = brimwatch("store", "sweep", "-c", site)
    assert isinstance(result.exception, StoreError)
    assert "events name only 0 of 3 pictures" in str(result.exception)
    assert len(kept(folder)) == 3
    assert brimwatch("store", "sweep", "--even-most", "-c", site).exit_code == 0
    assert kept(folder) == set()


@pytest.mark.usefixtures("ledger")
def test_evidence_moves_to_s3_and_the_new_configuration_verifies(
    site: Path, folder: FolderEvidence, s3_server: S3Server
) -> None:
    bucket = f"test-{secrets.token_hex(6)}"
    options = (
        *("--to", "s3", "--endpoint", s3_server.endpoint, "--bucket", bucket, "--no-tls"),
        *("--access-key", s3_server.access_key, "--secret-env", "S3_SECRET"),
    )
    said = brimwatch("store", "migrate", "-c", site, *options, S3_SECRET=s3_server.secret_key)
    assert said.exit_code == 0, said.output
    assert "2 picture(s) copied and read back" in said.stdout
    assert s3_server.secret_key not in said.output

    new = S3Evidence(
        s3_server.endpoint, bucket, s3_server.access_key, s3_server.secret_key, secure=False
    )
    assert {one.key for one in new.listing()} == kept(folder) - {ORPHAN}
    after = site.with_name("after.yaml")
    after.write_text(site.read_text() + said.stdout[said.stdout.index("evidence:") :])
    verified = brimwatch("verify", "-c", after, "--json", S3_SECRET=s3_server.secret_key)
    assert verified.exit_code == 0, verified.output
    assert json.loads(verified.stdout)["pictures"] == 2


@pytest.mark.usefixtures("ledger")
def test_evidence_moves_to_another_folder_and_damage_ends_with_1(
    site: Path, folder: FolderEvidence
) -> None:
    (folder.root / evidence_key(START, b"before")).write_bytes(b"befor3")
    options = ("--to", "files", "--path", site.parent / "larger disk", "--json")
    said = brimwatch("store", "migrate", "-c", site, *options)
    assert said.exit_code == 1
    answer = json.loads(said.stdout)
    assert (answer["copied"], answer["damaged"]) == (1, 1)
    assert answer["evidence"] == {"kind": "folder", "path": str(site.parent / "larger disk")}


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--to", "files"), "in that store already"),
        (("--to", "s3", "--bucket", "evidence"), "endpoint"),
        (("--to", "s3", "--endpoint", "http://h:1", "--bucket", "evidence"), "endpoint"),
    ],
)
def test_a_target_that_cannot_be_is_refused(
    site: Path, options: tuple[str, ...], said: str
) -> None:
    result = brimwatch("store", "migrate", "-c", site, *options)
    assert isinstance(result.exception, ConfigError)
    assert said in str(result.exception)
