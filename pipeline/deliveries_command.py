"""``brimwatch deliveries``: what is in the outbox, and sending dead messages again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.domain import MessageState, rfc3339
from pipeline.errors import DeliveryError

if TYPE_CHECKING:  # these cost start-up time that `brimwatch --help` need not pay
    from pipeline.store import QueuedMessage
    from pipeline.store.sql import SqlLedger

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file (YAML).")]


def register(app: typer.Typer) -> None:
    """Add ``deliveries`` to the root command."""
    deliveries = typer.Typer(help="The outbox: what receivers have not got.", no_args_is_help=True)
    deliveries.command(name="list")(list_messages)
    deliveries.command()(resend)
    app.add_typer(deliveries, name="deliveries")


def list_messages(
    config: ConfigFile,
    *,
    state: Annotated[
        MessageState | None, typer.Option("--state", help="Only these; else dead and waiting ones.")
    ] = None,
    receiver: Annotated[
        str | None, typer.Option("--receiver", help="Only this receiver's.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="At most so many of a state.")
    ] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List messages, newest first: dead ones, then those that wait, with who holds back whom."""
    states = (MessageState.DEAD, MessageState.WAITING) if state is None else (state,)
    with _outbox(config) as outbox:
        found = [
            entry
            for each in states
            for entry in outbox.queue(state=each, receiver=receiver, limit=limit)
        ]
        counts = outbox.counts()
    if as_json:
        answer = {"counts": counts, "messages": [_as_json(entry) for entry in found]}
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    for entry in found:
        typer.echo(_line(entry))
    typer.echo(", ".join(f"{counts[each]} {each.value}" for each in MessageState))


def resend(
    config: ConfigFile,
    message_id: Annotated[str | None, typer.Argument(help="The dead message.")] = None,
    *,
    all_dead: Annotated[bool, typer.Option("--all-dead", help="Every dead message.")] = False,
) -> None:
    """Send dead messages again: under their own ids, with the whole schedule before them.

    They are due at once; the running service (or `brimwatch deliver`) sends them. Receivers know a
    message by its id, so one that did arrive is taken for a repetition.
    """
    from pipeline.clocks import system_clock

    if (message_id is None) is not all_dead:
        raise typer.BadParameter("give a message's id, or --all-dead (not both)")
    with _outbox(config) as outbox:
        if message_id is None:
            revived = outbox.revive_dead(system_clock())
            typer.echo(f"{revived} message(s) are due again")
            return
        try:
            was_dead = outbox.revive(message_id, system_clock())
        except KeyError:
            raise DeliveryError(
                f"there is no message {message_id}",
                hint="see which there are with: brimwatch deliveries list --state dead",
            ) from None
    if not was_dead:
        raise DeliveryError(
            f"message {message_id} is not dead: it waits for its time, or is delivered",
            hint="only dead messages are sent again; see: brimwatch deliveries list",
        )
    typer.echo(f"{message_id} is due again")


@contextmanager
def _outbox(config: Path) -> Iterator[SqlLedger]:
    from pipeline.config import load_config
    from pipeline.wiring import open_stores

    stores = open_stores(load_config(config, os.environ), os.environ, "http://127.0.0.1")
    try:
        yield stores.ledger
    finally:
        stores.ledger.close()


def _as_json(entry: QueuedMessage) -> dict[str, Any]:
    message = entry.message
    due = message.next_attempt_at
    return {
        "message_id": message.message_id,
        "receiver": message.receiver,
        "type": message.type.value,
        "subject": message.subject,
        "state": message.state.value,
        "attempts": message.attempts,
        "created_at": rfc3339(message.created_at),
        "next_attempt_at": None if due is None else rfc3339(due),
        "last_error": message.last_error,
        "held_back_by": entry.held_back_by,
        "holds_back": entry.holds_back,
    }


def _line(entry: QueuedMessage) -> str:
    message = entry.message
    words = [
        message.message_id,
        message.state.value,
        message.receiver,
        message.type.value,
        f"of {message.subject}",
    ]
    if message.attempts:
        words.append(f"{message.attempts} attempt(s)")
    if entry.held_back_by is not None:
        words.append(f"held back by {entry.held_back_by}")
    elif message.state is MessageState.WAITING and message.next_attempt_at is not None:
        words.append(f"due {rfc3339(message.next_attempt_at)}")
    if message.state is MessageState.DEAD and entry.holds_back:
        words.append(f"HOLDS BACK {entry.holds_back} later one(s)")
    if message.last_error:
        words.append(f"({message.last_error})")
    return "  ".join(words)
