"""Migrations: up and down over data, quick when there is nothing to do, safe when two start."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from store_words import event, message, picture

from pipeline.errors import StoreUnavailable
from pipeline.store import EventQuery, Recording
from pipeline.store.database import open_database
from pipeline.store.migrate import SCRIPTS, downgrade, revision_of, upgrade
from pipeline.store.schema import REVISION, metadata
from pipeline.store.sql import SqlLedger


def tables_of(url: str) -> set[str]:
    engine = open_database(url)
    try:
        with engine.connect() as connection:
            return set(inspect(connection).get_table_names())
    finally:
        engine.dispose()


def test_the_newest_migration_is_the_one_the_tables_name() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_the_migrations_make_exactly_the_tables(new_database: str) -> None:
    upgrade(new_database)
    engine = open_database(new_database)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_going_down_and_up_again_over_data(new_database: str) -> None:
    ledger = SqlLedger.open(new_database)
    ledger.record(Recording(event(), [picture()], [message()]))
    ledger.close()

    downgrade(new_database, "base")
    assert tables_of(new_database) == {"alembic_version"}
    ledger = SqlLedger.open(new_database)
    assert ledger.events(EventQuery()) == []
    ledger.record(Recording(event(), [picture()], [message()]))
    ledger.close()


def test_a_current_database_keeps_its_data(new_database: str) -> None:
    ledger = SqlLedger.open(new_database)
    ledger.record(Recording(event()))
    ledger.close()
    upgrade(new_database)
    ledger = SqlLedger.open(new_database)
    assert len(ledger.events(EventQuery())) == 1
    ledger.close()


def test_several_may_migrate_at_once(new_database: str) -> None:
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(upgrade, 3 * [new_database]))
    engine = open_database(new_database)
    assert revision_of(engine) == REVISION
    engine.dispose()


def test_a_database_of_a_newer_version_is_not_touched(new_database: str) -> None:
    upgrade(new_database)
    engine = open_database(new_database)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()

    with pytest.raises(StoreUnavailable, match="9999") as caught:
        SqlLedger.open(new_database)
    assert "a newer Brimwatch has made it" in caught.value.hint


def test_opening_a_current_database_imports_no_migration_tool(sqlite_url: str) -> None:
    root = Path(__file__).resolve().parents[2]
    script = (
        "import sys; from pipeline.store.sql import SqlLedger; "
        f"SqlLedger.open({sqlite_url!r}).close(); "
        "print([name for name in ('alembic', 'minio') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_opening_a_current_database_is_quick(sqlite_url: str) -> None:
    SqlLedger.open(sqlite_url).close()
    started = time.process_time()  # not the clock on the wall: others may use the processor too
    SqlLedger.open(sqlite_url).close()
    assert time.process_time() - started < 0.1


def test_a_folder_with_a_percent_sign_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / "50% full").mkdir()
    upgrade(f"sqlite:///{tmp_path / '50% full' / 'ledger.db'}")
