"""The SQL ledger: durability, several processes, and databases that fail."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest_servers import free_ports
from sqlalchemy import make_url
from store_words import START, at, event, message, picture, told

from pipeline.domain import MessageState
from pipeline.errors import ConfigError, StoreFull, StoreUnavailable
from pipeline.store import Checkpoint, EventQuery, Recording
from pipeline.store.database import open_database
from pipeline.store.schema import metadata
from pipeline.store.sql import SqlLedger


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[SqlLedger]:
    opened = SqlLedger.open(sqlite_url)
    yield opened
    opened.close()


def path_of(url: str) -> Path:
    return Path(str(make_url(url).database))


def run(script: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python process of its own, which finds the packages and this folder's words."""
    here = Path(__file__).resolve().parent
    paths = os.pathsep.join([str(here), str(here.parents[1])])
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    )


def test_sqlite_is_set_up_to_survive_a_loss_of_power(ledger: SqlLedger, sqlite_url: str) -> None:
    engine = open_database(sqlite_url)
    with engine.connect() as connection:
        said = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    full = 2
    assert said == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "busy_timeout": 10_000,
    }


WRITER = """
    import sys
    from store_words import event, message, picture, told, at
    from pipeline.store import Checkpoint, Recording
    from pipeline.store.sql import SqlLedger
    ledger = SqlLedger.open(sys.argv[1])
    for number in range(100_000):
        name = f"event-{number}"
        checkpoint = Checkpoint("c-1", at(number), {"n": number})
        told = [message(f"m-{number}", subject=name)]
        ledger.record(Recording(event(name, seconds=number), [picture()], told, checkpoint))
        print(number, flush=True)
"""


@pytest.mark.parametrize("lives_s", [0.05, 0.3, 0.8])
def test_what_a_killed_process_recorded_is_there(sqlite_url: str, lives_s: float) -> None:
    writer = run(WRITER, sqlite_url)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline()]
    time.sleep(lives_s)
    writer.kill()
    acknowledged += writer.stdout.readlines()
    writer.stdout.close()
    writer.wait()
    last = max(int(line) for line in acknowledged if line.endswith("\n"))

    ledger = SqlLedger.open(sqlite_url)
    records = ledger.events(EventQuery(limit=1_000_000))
    numbers = sorted(int(record.event.event_id.partition("-")[2]) for record in records)
    # One more than was acknowledged may be there; nothing acknowledged may be missing or half there.
    assert numbers in (list(range(last + 1)), list(range(last + 2)))
    assert all(len(record.evidence) == len(record.messages) == 1 for record in records)
    checkpoint = ledger.load_checkpoint("c-1")
    assert checkpoint is not None
    assert checkpoint.state == {"n": numbers[-1]}
    ledger.close()


def test_processes_that_start_and_write_at_once_wait_for_each_other(tmp_path: Path) -> None:
    script = """
        import sys
        from store_words import event, message, told
        from pipeline.store.sql import SqlLedger
        ledger = SqlLedger.open(sys.argv[1])
        for number in range(30):
            name = f"event-{sys.argv[2]}-{number}"
            ledger.record(told(message(name, subject=name), event_id=name))
        ledger.close()
    """
    url = f"sqlite:///{tmp_path / 'new.db'}"
    processes = [run(script, url, str(number)) for number in range(4)]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    for process in processes:
        process.communicate()

    ledger = SqlLedger.open(url)
    assert len(ledger.events(EventQuery(limit=1000))) == 120
    ledger.close()


def fill(ledger: SqlLedger, kilobytes: int) -> int:
    """Record until the disk is full, which must be said as StoreFull; how many were recorded."""
    recorded = 0

    def record_all() -> None:
        nonlocal recorded
        for number in range(kilobytes // 10):
            name = f"event-{number}"
            text = os.urandom(5_000).hex()  # nothing that could be compressed
            ledger.record(told(message(name, subject=name, data={"text": text}), event_id=name))
            recorded += 1

    with pytest.raises(StoreFull, match="no space left for the database") as caught:
        record_all()
    assert "free some space" in caught.value.hint
    return recorded


def test_a_full_disk_is_said_so_and_keeps_what_was_recorded(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk / 'ledger.db'}"
    ledger = SqlLedger.open(url)
    recorded = fill(ledger, 10_000)
    assert recorded > 1
    assert len(ledger.events(EventQuery(limit=1000))) == recorded
    with pytest.raises(StoreFull, match="MiB left"):
        ledger.check()
    ledger.close()

    again = SqlLedger.open(url)
    assert len(again.events(EventQuery(limit=1000))) == recorded
    again.close()


def test_a_full_disk_of_postgres_is_said_so(small_postgres_database: str) -> None:
    ledger = SqlLedger.open(small_postgres_database)
    recorded = fill(ledger, 20_000)
    assert recorded > 1
    assert len(ledger.events(EventQuery(limit=10_000))) == recorded
    ledger.close()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"no-such-folder.*unable to open") as caught:
        SqlLedger.open(f"sqlite:///{tmp_path / 'no-such-folder' / 'ledger.db'}")
    assert "create the folder" in caught.value.hint


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(os.urandom(8192))
    with pytest.raises(StoreUnavailable, match="not a database") as caught:
        SqlLedger.open(f"sqlite:///{tmp_path / 'photo.jpg'}")
    assert "correct the path" in caught.value.hint


def test_a_database_without_tables_asks_for_a_migration(tmp_path: Path) -> None:
    ledger = SqlLedger(f"sqlite:///{tmp_path / 'empty.db'}")
    for call in (ledger.check, ledger.counts, lambda: ledger.record(Recording(event()))):
        with pytest.raises(StoreUnavailable) as caught:
            call()
        assert caught.value.hint == "run: brimwatch store init"
    ledger.close()


def test_a_database_that_another_holds_is_waited_for(ledger: SqlLedger, sqlite_url: str) -> None:
    other = sqlite3.connect(path_of(sqlite_url), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(ledger.record, Recording(event()))
        time.sleep(0.3)
        assert not waiting.done()
        assert ledger.event("event-1") is None  # and reading goes on meanwhile
        other.execute("COMMIT")
        waiting.result(10)
    other.close()
    assert ledger.event("event-1") is not None


def test_a_database_that_another_never_lets_go_is_said_so(tmp_path: Path, migrated: Path) -> None:
    path = tmp_path / "held.db"
    path.write_bytes(migrated.read_bytes())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("BEGIN IMMEDIATE")
    ledger = SqlLedger(f"sqlite:///{path}?timeout=0.2")
    with pytest.raises(StoreUnavailable, match="locked") as caught:
        ledger.record(Recording(event()))
    assert "another process holds the database" in caught.value.hint
    ledger.close()
    other.close()


def test_lists_and_the_outbox_use_their_indices(ledger: SqlLedger, sqlite_url: str) -> None:
    """With many delivered messages, asking for the few that wait must not read them all."""
    for number in range(10):
        name = f"event-{number}"
        ledger.record(told(message(f"m-{name}", subject=name), event_id=name))
    connection = sqlite3.connect(path_of(sqlite_url))
    row = (START.isoformat(" ")[:26], "{}", "delivered", 1, "")
    connection.executemany(
        "INSERT INTO messages (message_id, receiver, type, subject, sequence, created_at, data, "
        "state, attempts, last_error) VALUES (?, 'county', 'event.confirmed', ?, 0, ?, ?, ?, ?, ?)",
        [(f"old-{n}", f"old-event-{n}", *row) for n in range(50_000)],
    )
    connection.commit()
    connection.close()

    def seconds(call: Callable[[], object]) -> float:
        started = time.thread_time()  # not the clock on the wall: others may use the processor too
        call()
        return time.thread_time() - started

    assert len(ledger.due(at(10**6))) == 10
    assert seconds(lambda: ledger.due(at(10**6))) < 0.05
    assert seconds(ledger.next_due_at) < 0.05
    assert seconds(lambda: ledger.events(EventQuery())) < 0.05
    assert seconds(lambda: ledger.queue(state=MessageState.WAITING)) < 0.05


def test_who_names_a_picture_is_known_without_reading_all_rows(
    ledger: SqlLedger, sqlite_url: str
) -> None:
    ledger.record(Recording(event("event-1"), [picture(b"one")]))
    connection = sqlite3.connect(path_of(sqlite_url))
    connection.executemany(
        "INSERT INTO evidence (event_id, role, form, key, sha256, size, captured_at, media_type) "
        "VALUES ('event-1', 'confirmed', 'raw', ?, '', 1, ?, '')",
        [(f"2026/05/01/{n:064}.jpg", START.isoformat(" ")[:26]) for n in range(50_000)],
    )
    connection.commit()
    connection.close()

    def seconds(call: Callable[[], object]) -> float:
        started = time.thread_time()
        call()
        return time.thread_time() - started

    ledger.named(["warm"])
    last = ledger.evidence_rows(limit=1000)[-1]
    assert seconds(lambda: ledger.named([picture(b"one").key, "2026/05/01/x.jpg"])) < 0.02
    assert seconds(lambda: ledger.evidence_rows(after=last, limit=10)) < 0.02


def test_a_value_that_is_wrong_is_not_taken_for_a_broken_store(ledger: SqlLedger) -> None:
    naive = START.replace(tzinfo=None)
    with pytest.raises(Exception, match="a stored time must be aware"):
        ledger.save_checkpoint(Checkpoint("c-1", naive, {}))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u:s3cr3t@h/d", "mysql"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("not a url with s3cr3t", "cannot be read"),
    ],
)
def test_a_url_that_cannot_be_is_refused(url: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        SqlLedger(url)
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.hint


def whole_story(error: BaseException | None) -> str:
    """Everything that a log may show of an error: itself and what led to it."""
    texts: list[str] = []
    while error is not None:
        texts.append(f"{error} {error!r}")
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


def test_postgres_that_is_down_is_said_so_without_the_password() -> None:
    (port,) = free_ports(1)
    with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{port}/watch") as caught:
        SqlLedger.open(f"postgresql+psycopg://brim:s3cr3t-word@127.0.0.1:{port}/watch")
    assert "look whether the server runs" in caught.value.hint
    assert "s3cr3t-word" not in whole_story(caught.value)


@pytest.mark.parametrize(
    ("changed", "hint"),
    [
        ({"password": "s3cr3t-word"}, "correct user and password"),
        ({"database": "no_such_database"}, "create the database"),
    ],
)
def test_postgres_that_refuses_us_is_said_so_without_the_password(
    postgres_url: str, changed: dict[str, str], hint: str
) -> None:
    url = make_url(postgres_url).set(**changed)  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable) as caught:
        SqlLedger.open(url.render_as_string(hide_password=False))
    assert hint in caught.value.hint
    assert str(url.password) not in whole_story(caught.value)


def test_postgres_that_goes_away_and_returns_is_used_again(postgres_database: str) -> None:
    import psycopg

    ledger = SqlLedger.open(postgres_database)
    ledger.record(Recording(event()))
    with psycopg.connect(postgres_database.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    ledger.record(Recording(event("event-2"), [picture()]))
    assert len(ledger.events(EventQuery())) == 2
    ledger.close()


def test_a_read_only_postgres_fails_its_check(postgres_database: str) -> None:
    SqlLedger.open(postgres_database).close()
    ledger = SqlLedger(f"{postgres_database}?options=-c%20default_transaction_read_only=on")
    with pytest.raises(StoreUnavailable, match="is read-only") as caught:
        ledger.check()
    assert "name the primary" in caught.value.hint
    with pytest.raises(StoreUnavailable, match="read-only transaction"):
        ledger.record(Recording(event()))
    ledger.close()


def test_a_lock_in_postgres_is_not_waited_for_forever(postgres_database: str) -> None:
    import psycopg

    SqlLedger.open(postgres_database).close()
    ledger = SqlLedger(f"{postgres_database}?options=-c%20statement_timeout=300")
    with psycopg.connect(postgres_database.replace("+psycopg", "")) as other:
        other.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreUnavailable, match="timeout") as caught:
            ledger.record(Recording(event()))
    assert "does not answer" in caught.value.hint
    ledger.close()


def test_the_words_of_the_tables_are_those_of_the_design() -> None:
    assert set(metadata.tables) == {"events", "evidence", "messages", "checkpoints"}
