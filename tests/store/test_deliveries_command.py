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
def ledger(site: Path) -> Iterator[SqlLedger]:
    opened = SqlLedger.open(f"sqlite:///{site.parent / 'state' / 'ledger.sqlite'}")
    opened.record(told(message("m-1"), message("m-2", sequence=1, seconds=1)))
    opened.mark_failed("m-1", at=at(1), next_attempt_at=None, error="410 Gone")
    yield opened
    opened.close()


def brimwatch(*arguments: object) -> Result:
    return CliRunner().invoke(make_app(), [str(argument) for argument in arguments])


@pytest.mark.usefixtures("ledger")
def test_the_list_says_what_is_dead_and_what_it_holds_back(site: Path) -> None:
    said = brimwatch("deliveries", "list", "-c", site)
    assert said.exit_code == 0
    dead, waiting, counts = said.stdout.splitlines()
    assert dead.startswith("m-1  dead  county  event.confirmed  of event-1  1 attempt(s)")
    assert "HOLDS BACK 1 later one(s)" in dead
    assert "410 Gone" in dead
    assert "held back by m-1" in waiting
    assert counts == "1 waiting, 0 delivered, 1 dead"


@pytest.mark.usefixtures("ledger")
def test_programs_get_the_list_as_json(site: Path) -> None:
    said = brimwatch("deliveries", "list", "--state", "dead", "--json", "-c", site)
    answer = json.loads(said.stdout)
    assert answer["counts"] == {"waiting": 1, "delivered": 0, "dead": 1}
    (dead,) = answer["messages"]
    assert (dead["message_id"], dead["holds_back"], dead["held_back_by"]) == ("m-1", 1, None)


def test_a_dead_message_is_due_again(site: Path, ledger: SqlLedger) -> None:
    assert brimwatch("deliveries", "resend", "m-1", "-c", site).exit_code == 0
    (revived, _) = sorted(ledger.messages(), key=lambda one: one.message_id)
    assert (revived.message_id, revived.state) == ("m-1", MessageState.WAITING)
    assert revived.attempts == 0


def test_all_dead_messages_are_due_again(site: Path, ledger: SqlLedger) -> None:
    said = brimwatch("deliveries", "resend", "--all-dead", "-c", site)
    assert said.stdout == "1 message(s) are due again\n"
    assert ledger.counts()[MessageState.DEAD] == 0


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(("given", "said"), [("m-2", "not dead"), ("m-9", "no message m-9")])
def test_what_cannot_be_sent_again_is_said(site: Path, given: str, said: str) -> None:
    result = brimwatch("deliveries", "resend", given, "-c", site)
    assert isinstance(result.exception, DeliveryError)
    assert said in str(result.exception)


@pytest.mark.parametrize("arguments", [[], ["m-1", "--all-dead"]])
def test_bad_usage_ends_with_2(site: Path, arguments: list[str]) -> None:
    assert brimwatch("deliveries", "resend", *arguments, "-c", site).exit_code == 2
