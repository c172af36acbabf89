"""Every store there is, to hold each to the same contract."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from conftest_servers import create_database, unprivileged_user

from pipeline.store import EvidenceStore, Ledger, Outbox
from pipeline.store.files import FolderEvidence
from pipeline.store.memory import MemoryEvidence, MemoryLedger
from pipeline.store.migrate import upgrade
from pipeline.store.s3 import S3Evidence
from pipeline.store.sql import SqlLedger

sys.path.append(str(Path(__file__).parent))  # so that tests find store_words

LINK_KEY = b"sixteen bytes or more, for tests"


class AnyLedger(Ledger, Outbox, Protocol):
    """What the whole pipeline wants of one database."""

    def close(self) -> None: ...


@pytest.fixture(params=["memory", "folder", "s3"])
def evidence_store(request: pytest.FixtureRequest, tmp_path: Path) -> EvidenceStore:
    if request.param == "memory":
        return MemoryEvidence()
    if request.param == "folder":
        folder = FolderEvidence(tmp_path / "evidence", link_key=LINK_KEY)
        folder.init()
        return folder
    server = request.getfixturevalue("s3_server")
    bucket = f"test-{secrets.token_hex(6)}"
    s3 = S3Evidence(server.endpoint, bucket, server.access_key, server.secret_key, secure=False)
    s3.init()
    return s3


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy: a migration for every test would take most of the time."""
    path = tmp_path_factory.mktemp("migrated") / "ledger.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(migrated: Path, tmp_path: Path) -> str:
    path = tmp_path / "ledger.db"
    shutil.copyfile(migrated, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest) -> Iterator[AnyLedger]:
    opened: AnyLedger
    if request.param == "memory":
        opened = MemoryLedger()
    elif request.param == "sqlite":
        opened = SqlLedger.open(request.getfixturevalue("sqlite_url"))
    else:
        opened = SqlLedger.open(request.getfixturevalue("postgres_database"))
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgres"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    return str(request.getfixturevalue("postgres_database"))


@pytest.fixture
def new_sqlite_ledger(migrated: Path, tmp_path: Path) -> Iterator[Callable[[], SqlLedger]]:
    """Opens one more empty SQLite ledger at every call."""
    opened: list[SqlLedger] = []

    def make() -> SqlLedger:
        path = tmp_path / f"ledger-{len(opened)}.db"
        shutil.copyfile(migrated, path)
        opened.append(SqlLedger.open(f"sqlite:///{path}"))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A configuration of one point, with SQLite and a folder under ``state`` beside it."""
    (tmp_path / "state").mkdir()
    path = tmp_path / "site.yaml"
    path.write_text(
        "state: state\n"
        "points: [{point_id: p-1, name: 点位, cameras: [{camera_id: c-1, url: footage}]}]\n"
    )
    return path


@contextmanager
def mounted(disk: Path, size: str) -> Iterator[Path]:
    """A file system of ``size`` in memory, or a skip where that may not be mounted."""
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command")
    if done.returncode:
        pytest.skip(f"may not mount a small disk: {done.stderr.strip()}")
    try:
        yield disk
    finally:
        # Lazily: a server may still have a file open there for a moment.
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    with mounted(tmp_path / "disk", "1m") as disk:
        yield disk


@pytest.fixture
def small_postgres_database(postgres_url: str) -> Iterator[str]:
    """An empty database on a file system that has 2 MiB left beside it: its URL."""
    import psycopg

    user = unprivileged_user()
    # Not under pytest's folder, which is closed to the user that the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="bw-small-"))
    folder.chmod(0o755)
    try:
        with mounted(folder / "disk", "11m") as disk:
            if user is not None:
                shutil.chown(disk, user)
            space, server = f"small_{secrets.token_hex(4)}", postgres_url.replace("+psycopg", "")
            with psycopg.connect(server, autocommit=True) as admin:
                admin.execute(f"CREATE TABLESPACE {space} LOCATION '{disk}'".encode())
                url = create_database(postgres_url, space, tablespace=space)
                yield url
                admin.execute(f"DROP DATABASE {space} WITH (FORCE)".encode())
                admin.execute(f"DROP TABLESPACE {space}".encode())
    finally:
        shutil.rmtree(folder)
