"""docs/county.md says what the code does: its examples are the code's own output."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from delivery_desk import NOON, POINT, SECRET, overflow

from pipeline.delivery import cloud_events, signature
from pipeline.delivery.messages import DEFAULT_CODES, event_data
from pipeline.domain import Evidence, EvidenceForm, EvidenceRole, Message, MessageType
from pipeline.store import evidence_key

GUIDE = (Path(__file__).parents[2] / "docs" / "county.md").read_text("utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert found, f"the guide has no {language} block"
    return found[1]


def example() -> bytes:
    picture = b"a picture"
    key = evidence_key(NOON, picture)
    sha256 = hashlib.sha256(picture).hexdigest()
    shown = Evidence(
        key, EvidenceRole.CONFIRMED, EvidenceForm.ANNOTATED, sha256, len(picture), NOON
    )
    event = overflow("019e8154-7a00-7c3e-9f5a-2f6d1b0c4e11")
    message = Message(
        message_id="019e8155-6460-7b1d-8a42-5d0e9c7f3a20",
        receiver="county",
        type=MessageType.EVENT_CONFIRMED,
        subject=event.event_id,
        sequence=1,
        created_at=NOON,
        data=event_data(event, [shown], POINT, code=DEFAULT_CODES[event.kind], simulated=False),
    )
    link = (f"https://evidence.example/{key}?expires=…", NOON + timedelta(days=7))
    return cloud_events.encode(message, source="urn:brimwatch:hehe-street", links={key: link})


def test_the_body_in_the_guide_is_what_the_code_makes() -> None:
    expected = json.dumps(json.loads(example()), ensure_ascii=False, indent=2)
    assert block("json").strip() == expected, expected


def test_the_signature_in_the_guide_can_be_checked_by_hand() -> None:
    lines = dict(line.split(": ", 1) for line in block("text").strip().splitlines())
    signed = signature.sign(
        lines["secret"],
        lines["webhook-id"],
        int(lines["webhook-timestamp"]),
        lines["body"].encode(),
    )
    assert lines["webhook-signature"] == signed, signed


@pytest.mark.parametrize(("forged", "statuses"), [(False, [201, 200]), (True, [401, 401])])
def test_the_receiver_in_the_guide_works(
    monkeypatch: pytest.MonkeyPatch, forged: bool, statuses: list[int]
) -> None:
    monkeypatch.setenv("BRIMWATCH_SECRET", SECRET)
    kept: set[tuple[str, str]] = set()

    def keep(source: str, id_: str, event: dict[str, object]) -> bool:
        is_new = (source, id_) not in kept
        kept.add((source, id_))
        return is_new

    class Request:
        headers = signature.headers([SECRET], "019e8155", datetime.now(UTC), example())

        async def body(self) -> bytes:
            return example() + (b" " if forged else b"")

    namespace: dict[str, object] = {"keep": keep}
    source = "\n".join(line for line in block("python").splitlines() if "app.post" not in line)
    exec(source, namespace)
    take = namespace["take"]
    answers = [asyncio.run(take(Request())) for _ in range(2)]  # type: ignore[operator]
    assert [answer.status_code for answer in answers] == statuses
