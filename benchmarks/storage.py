"""What storing costs: a picture in a folder and in S3, a decision in SQLite and in PostgreSQL.

    python benchmarks/storage.py [--pictures 100] [--decisions 500]

Prints JSON; times in milliseconds. Servers that cannot be had are left out (null).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from conftest_servers import running_postgres, running_s3  # noqa: E402 - needs the path above

from pipeline.domain import (  # noqa: E402
    Event,
    EventKind,
    EventState,
    Evidence,
    EvidenceForm,
    EvidenceRole,
    Message,
    MessageType,
    Severity,
)
from pipeline.store import Checkpoint, EvidenceStore, Recording, evidence_key  # noqa: E402
from pipeline.store.files import FolderEvidence  # noqa: E402
from pipeline.store.s3 import S3Evidence  # noqa: E402
from pipeline.store.sql import SqlLedger  # noqa: E402

NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)
PICTURE_BYTES = 200_000
THREADS = 4

Figures = dict[str, float]


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def each_timed(calls: Sequence[Callable[[], object]]) -> Figures:
    """One after the other. ``cpu_ms`` is this process's own: it hardly minds what else runs."""
    cpu = time.process_time()
    sorted_times = sorted([timed(call) for call in calls])
    cpu = time.process_time() - cpu
    return {
        "cpu_ms": round(1000 * cpu / len(calls), 2),
        "median_ms": round(statistics.median(sorted_times), 2),
        "p95_ms": round(sorted_times[int(0.95 * (len(sorted_times) - 1))], 2),
    }


def puts(store: EvidenceStore, count: int) -> Figures:
    pictures = [os.urandom(PICTURE_BYTES) for _ in range(count)]
    return each_timed([partial(store.put, evidence_key(NOON, each), each) for each in pictures])


def decision(number: int) -> Recording:
    """A confirmed event with four pictures, two messages and a checkpoint of a usual size."""
    name = f"event-{number:08}"
    at = NOON + timedelta(seconds=number)
    event = Event(
        name, EventKind.OVERFLOW, "p-1", "c-1", "z-1", EventState.CONFIRMED, Severity.MINOR, at, at
    )
    key = evidence_key(at, name.encode())
    evidence = [
        Evidence(key, role, form, key[11:-4], PICTURE_BYTES, at)
        for role in (EvidenceRole.BEFORE, EvidenceRole.CONFIRMED)
        for form in EvidenceForm
    ]
    data = {"point": "人民路小学东侧", "evidence": [row.key for row in evidence]}
    messages = [
        Message(f"{name}-{to}", to, MessageType.EVENT_CONFIRMED, name, 0, at, data)
        for to in ("county", "city")
    ]
    return Recording(event, evidence, messages, Checkpoint("c-1", at, {"zones": [0.5] * 200}))


def records(url: str, count: int) -> Figures:
    ledger = SqlLedger.open(url)
    decisions = [decision(number) for number in range(2 * count)]
    try:
        alone = each_timed([partial(ledger.record, each) for each in decisions[:count]])
        with ThreadPoolExecutor(THREADS) as threads:
            wall_ms = timed(lambda: list(threads.map(ledger.record, decisions[count:])))
        first_due = timed(lambda: ledger.due(NOON + timedelta(days=1)))
    finally:
        ledger.close()
    return {
        **alone,
        "per_second": round(1000 / alone["median_ms"]),
        f"per_second_{THREADS}_threads": round(1000 * count / wall_ms),
        f"due_among_{4 * count}_waiting_ms": round(first_due, 2),
        "open_current_ms": round(timed(lambda: SqlLedger.open(url).close()), 2),
    }


def s3_puts(folder: Path, count: int) -> Figures | None:
    folder.mkdir()
    try:
        with running_s3(folder) as server:
            store = S3Evidence(
                server.endpoint, "evidence", server.access_key, server.secret_key, secure=False
            )
            store.init()
            return puts(store, count)
    except FileNotFoundError:
        return None


def postgres_records(count: int) -> Figures | None:
    try:
        with running_postgres() as url:
            return records(url, count)
    except FileNotFoundError:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--decisions", type=int, default=500)
    parser.add_argument("--folder", type=Path, help="on the disk to measure (default: temporary)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        root = Path(name)
        folder = FolderEvidence(root / "evidence", link_key=os.urandom(32))
        folder.init()
        figures = {
            "machine": {
                "cpus": os.cpu_count(),
                "load": os.getloadavg()[0],
                "os": platform.system(),
            },
            "picture_bytes": PICTURE_BYTES,
            "put_folder": puts(folder, options.pictures),
            "put_s3": s3_puts(root / "s3", options.pictures),
            "record_sqlite": records(f"sqlite:///{root / 'ledger.db'}", options.decisions),
            "record_postgres_without_fsync": postgres_records(options.decisions),
        }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
