"""``brimwatch deliveries``: what an operator sees of the outbox, and how the dead are sent again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_words import at, message, told
from typer.testing import CliRunner, Result

from pipeline.cli import make_app
from pipeline.domain import MessageState
from pipeline.errors import DeliveryError
from pipeline.store.sql import SqlLedger


@pytest.fixture
def config(sqlite_url: str, tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(
        f"state: {tmp_path / 'state'}\nledger: {sqlite_url}\n"
        "points: [{point_id: p-1, name: 点位, cameras: [{camera_id: c-1, url: footage}]}]\n"
    )
    return path


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[SqlLedger]:
    opened = SqlLedger.open(sqlite_url)
    opened.record(told(message("m-1"), message("m-2", sequence=1, seconds=1)))
    opened.mark_failed("m-1", at=at(1), next_attempt_at=None, error="410 Gone")
    yield opened
    opened.close()


def brimwatch(*arguments: object) -> Result:
    return CliRunner().invoke(make_app(), [str(argument) for argument in arguments])


@pytest.mark.usefixtures("ledger")
def test_the_list_says_what_is_dead_and_what_it_holds_back(config: Path) -> None:
    said = brimwatch("deliveries", "list", "-c", config)
    assert said.exit_code == 0
    dead, waiting, counts = said.stdout.splitlines()
    assert dead.startswith("m-1  dead  county  event.confirmed  of event-1  1 attempt(s)")
    assert "HOLDS BACK 1 later one(s)" in dead
    assert "410 Gone" in dead
    assert "held back by m-1" in waiting
    assert counts == "1 waiting, 0 delivered, 1 dead"


@pytest.mark.usefixtures("ledger")
def test_programs_get_the_list_as_json(config: Path) -> None:
    said = brimwatch("deliveries", "list", "--state", "dead", "--json", "-c", config)
    answer = json.loads(said.stdout)
    assert answer["counts"] == {"waiting": 1, "delivered": 0, "dead": 1}
    (dead,) = answer["messages"]
    assert (dead["message_id"], dead["holds_back"], dead["held_back_by"]) == ("m-1", 1, None)


def test_a_dead_message_is_due_again(config: Path, ledger: SqlLedger) -> None:
    assert brimwatch("deliveries", "resend", "m-1", "-c", config).exit_code == 0
    (revived, _) = sorted(ledger.messages(), key=lambda one: one.message_id)
    assert (revived.message_id, revived.state) == ("m-1", MessageState.WAITING)
    assert revived.attempts == 0


def test_all_dead_messages_are_due_again(config: Path, ledger: SqlLedger) -> None:
    said = brimwatch("deliveries", "resend", "--all-dead", "-c", config)
    assert said.stdout == "1 message(s) are due again\n"
    assert ledger.counts()[MessageState.DEAD] == 0


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(("given", "said"), [("m-2", "not dead"), ("m-9", "no message m-9")])
def test_what_cannot_be_sent_again_is_said(config: Path, given: str, said: str) -> None:
    result = brimwatch("deliveries", "resend", given, "-c", config)
    assert isinstance(result.exception, DeliveryError)
    assert said in str(result.exception)


@pytest.mark.parametrize("arguments", [[], ["m-1", "--all-dead"]])
def test_bad_usage_ends_with_2(config: Path, arguments: list[str]) -> None:
    assert brimwatch("deliveries", "resend", *arguments, "-c", config).exit_code == 2
