"""A decision that is to be written, and its form on disk while it waits.

On disk::

    BWD1                     4 bytes, says what this is
    SHA-256                  32 bytes, over all that follows
    length of the header     4 bytes, big endian
    header                   JSON (UTF-8): the decision without its pictures
    pictures                 JPEGs end to end, their lengths being in the header

A record whose SHA-256 does not fit was cut off or altered, and is refused whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pipeline.domain import EvidenceRole, MessageType, rfc3339, utc
from pipeline.engine.memory import event_from_json, event_to_json
from pipeline.events import Transition
from pipeline.store import Checkpoint

MAGIC = b"BWD1"
_SUM = slice(len(MAGIC), len(MAGIC) + 32)
_LENGTH = slice(_SUM.stop, _SUM.stop + 4)


@dataclass(frozen=True, slots=True)
class Picture:
    """One moment of a zone as two JPEGs: as it came, and with zone and boxes drawn in.

    ``annotated`` None: it was given up for want of space while the decision waited.
    """

    captured_at: datetime
    raw: bytes
    annotated: bytes | None


@dataclass(frozen=True, slots=True)
class Decision:
    """All that is needed to write a decision later as it would have been written now.

    ``message_ids``: by receiver, made when it was decided, so that a second try is the same message.
    ``checkpoint``: where its camera stood.
    """

    transition: Transition
    pictures: tuple[tuple[EvidenceRole, Picture], ...]
    message_ids: Mapping[str, str]
    decided_at: datetime
    checkpoint: Checkpoint

    @property
    def raw_bytes(self) -> int:
        """What its pictures as they came weigh."""
        return sum(len(one.raw) for _, one in self.pictures)

    @property
    def drawn_bytes(self) -> int:
        """What its drawn pictures weigh."""
        return sum(len(one.annotated or b"") for _, one in self.pictures)

    def without_drawn(self) -> Decision:
        """The same without the drawn pictures."""
        kept = tuple((role, replace(picture, annotated=None)) for role, picture in self.pictures)
        return replace(self, pictures=kept)

    def without_pictures(self) -> Decision:
        """The same without any picture."""
        return replace(self, pictures=())


def to_bytes(decision: Decision) -> bytes:
    """The decision as it stands on disk."""
    transition, checkpoint = decision.transition, decision.checkpoint
    header = {
        "event": event_to_json(transition.event),
        "message": transition.message.value if transition.message is not None else None,
        "sequence": transition.sequence,
        "message_ids": dict(decision.message_ids),
        "decided_at": rfc3339(decision.decided_at),
        "checkpoint": {
            "camera_id": checkpoint.camera_id,
            "as_of": rfc3339(checkpoint.as_of),
            "state": checkpoint.state,
        },
        "pictures": [
            {
                "role": role.value,
                "captured_at": rfc3339(picture.captured_at),
                "raw": len(picture.raw),
                "annotated": None if picture.annotated is None else len(picture.annotated),
            }
            for role, picture in decision.pictures
        ],
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    blobs = [part for _, one in decision.pictures for part in (one.raw, one.annotated or b"")]
    body = len(text).to_bytes(4, "big") + text + b"".join(blobs)
    return MAGIC + hashlib.sha256(body).digest() + body


def from_bytes(content: bytes) -> Decision:
    """The decision that `to_bytes` wrote. Raises ValueError for a record that is not whole."""
    if content[: len(MAGIC)] != MAGIC:
        raise ValueError(f"begins with {content[: len(MAGIC)]!r}, expected {MAGIC!r}")
    body = content[_SUM.stop :]
    if hashlib.sha256(body).digest() != content[_SUM]:
        raise ValueError(f"{len(content)} bytes do not match their SHA-256: cut off or altered")
    start = _LENGTH.stop + int.from_bytes(content[_LENGTH], "big")
    header: dict[str, Any] = json.loads(content[_LENGTH.stop : start])
    pictures = []
    for row in header["pictures"]:
        middle = start + row["raw"]
        end = middle + (row["annotated"] or 0)
        drawn = None if row["annotated"] is None else content[middle:end]
        picture = Picture(utc(row["captured_at"]), content[start:middle], drawn)
        pictures.append((EvidenceRole(row["role"]), picture))
        start = end
    message, checkpoint = header["message"], header["checkpoint"]
    return Decision(
        Transition(
            event_from_json(header["event"]),
            MessageType(message) if message is not None else None,
            header["sequence"],
        ),
        tuple(pictures),
        header["message_ids"],
        utc(header["decided_at"]),
        Checkpoint(checkpoint["camera_id"], utc(checkpoint["as_of"]), checkpoint["state"]),
    )
