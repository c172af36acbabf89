"""Lines of messages: those of one event (or camera) to one receiver, told one after the other. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipeline.domain import Message
from pipeline.store import QueuedMessage


class Place(NamedTuple):
    """Where an undelivered message stands: its line, and its place in it."""

    receiver: str
    subject: str
    sequence: int
    message_id: str


def queued(messages: Sequence[Message], undelivered: Iterable[Place]) -> list[QueuedMessage]:
    """Each of ``messages`` with who holds it back and how many it holds back.

    ``undelivered``: at least all the undelivered messages of their lines, waiting or dead.
    """
    lines: dict[tuple[str, str], list[Place]] = defaultdict(list)
    for place in sorted(undelivered):
        lines[place.receiver, place.subject].append(place)
    answer = []
    for message in messages:
        line = lines[message.receiver, message.subject]
        ids = [place.message_id for place in line]
        if message.message_id not in ids:  # delivered: it holds nobody, and nobody holds it
            answer.append(QueuedMessage(message))
            continue
        index = ids.index(message.message_id)
        answer.append(
            QueuedMessage(message, ids[0] if index else None, len(ids) - index - 1),
        )
    return answer
