"""Frames in, recorded events out: the decision path as a whole, with a painted street."""

from __future__ import annotations

from datetime import timedelta

import pytest
from painted_street import START, BlindDetector, PaintDetector, Post, footage, make_post, painted

from pipeline.domain import EventState, EvidenceForm, EvidenceRole, Frame, MessageType, Quality
from pipeline.errors import StoreFull, StoreUnavailable
from pipeline.store import EventQuery, EventRecord, Recording, StoredEvidence
from pipeline.store.memory import MemoryEvidence, MemoryLedger

FULL_DAY = (("clear", 5), ("full", 10), ("clear", 6))


def watch(post: Post, *scenes: tuple[str, float]) -> list[EventRecord]:
    decider = post.decider()
    for frame in footage(*scenes):
        decider.decide([frame])
    return post.ledger.events(EventQuery())


def test_an_overflow_is_confirmed_and_cleared_with_its_pictures_and_messages(post: Post) -> None:
    (record,) = watch(post, *FULL_DAY)
    assert record.event.state is EventState.CLEARED
    assert {(one.role, one.form) for one in record.evidence} == {
        (role, form) for role in EvidenceRole for form in EvidenceForm
    }
    for one in record.evidence:
        assert len(post.evidence.get(one.key)) == one.size
    assert [one.type for one in record.messages] == [
        MessageType.EVENT_CONFIRMED,
        MessageType.EVENT_CLEARED,
    ]
    assert [one.data["evidence"] for one in record.messages] == [4, 6], (
        "the first tells of before and confirmed, the second of after too"
    )
    confirmed = {one.role: one.captured_at for one in record.evidence}
    assert confirmed[EvidenceRole.BEFORE] <= START + timedelta(minutes=5), "while it was clear"
    assert confirmed[EvidenceRole.CONFIRMED] == record.event.confirmed_at
    assert confirmed[EvidenceRole.AFTER] == record.event.cleared_at


@pytest.mark.parametrize(
    "scenes",
    [
        pytest.param((("clear", 20),), id="clean"),
        pytest.param((("clear", 5), ("hidden", 10), ("clear", 5)), id="a car in front"),
        pytest.param((("clear", 5), ("full", 2), ("clear", 10)), id="a bag for two minutes"),
    ],
)
def test_no_event(post: Post, scenes: tuple[tuple[str, float], ...]) -> None:
    assert watch(post, *scenes) == []


def test_a_blind_detector_gives_no_event() -> None:
    assert watch(make_post(detector=BlindDetector()), *FULL_DAY) == []


def test_the_detector_rests_while_nothing_changes(post: Post) -> None:
    watch(post, ("clear", 20))
    assert isinstance(post.detector, PaintDetector)
    looks = 20 * 6
    assert len(post.detector.batches) <= looks / 20, "once every five minutes, and no more"


def test_after_a_restart_an_event_goes_on_and_is_told_once() -> None:
    post = make_post()
    frames = list(footage(*FULL_DAY))
    decider = post.decider()
    for index, frame in enumerate(frames):
        if index % 7 == 0:
            decider = post.decider()
        decider.decide([frame])
    (record,) = post.ledger.events(EventQuery())
    assert [one.type for one in record.messages] == [
        MessageType.EVENT_CONFIRMED,
        MessageType.EVENT_CLEARED,
    ]


def test_footage_shown_again_after_a_restart_changes_nothing(post: Post) -> None:
    first = watch(post, *FULL_DAY)
    assert watch(post, *FULL_DAY) == first


def test_cameras_share_one_detector_call_and_nothing_else() -> None:
    post = make_post(cameras=("a", "b"))
    decider = post.decider()
    for one, other in zip(
        footage(*FULL_DAY, camera="a"), footage(("clear", 21), camera="b"), strict=True
    ):
        decider.decide([one, other])
    assert {record.event.camera_id for record in post.ledger.events(EventQuery())} == {"a"}
    assert isinstance(post.detector, PaintDetector)
    assert max(post.detector.batches) == 2


def test_a_frame_of_another_size_is_looked_at_anew_and_its_boxes_fit(post: Post) -> None:
    decider = post.decider()
    decider.decide([Frame("cam", START, 1, painted("full"))])
    (look,) = decider.decide(
        [Frame("cam", START + timedelta(seconds=10), 2, painted("full", size=(640, 360)))]
    )
    assert look.detections.boxes[:, 2].max() > 320
    assert not look.observations[0].reused


def test_a_clock_that_jumps_back_moves_nothing(post: Post) -> None:
    decider = post.decider()
    for frame in footage(("clear", 5), ("full", 8)):
        decider.decide([frame])
    before = decider.statuses()["cam"]
    for frame in footage(("clear", 10)):
        (look,) = decider.decide([frame])
        assert look.transitions == ()
    assert decider.statuses()["cam"] == before


def test_a_dark_picture_is_no_observation(post: Post) -> None:
    decider = post.decider()
    for frame in footage(("clear", 5)):
        decider.decide([frame])
    (look,) = decider.decide(
        [Frame("cam", START + timedelta(minutes=6), 99, painted("clear") // 20)]
    )
    assert look.quality is Quality.DARK
    assert not look.observations[0].seen
    assert decider.statuses()["cam"].quality is Quality.DARK


class FullDisk(MemoryEvidence):
    """An evidence store that can run full."""

    full = False

    def put(self, key: str, content: bytes) -> StoredEvidence:
        if self.full:
            raise StoreFull("no space left", hint="free some")
        return super().put(key, content)


class AwayLedger(MemoryLedger):
    """A ledger that can be away."""

    away = False

    def record(self, recording: Recording) -> None:
        if self.away:
            raise StoreUnavailable("the database does not answer")
        super().record(recording)


def test_a_full_disk_loses_no_event_and_order_is_kept() -> None:
    disk = FullDisk()
    post = make_post(evidence=disk)
    decider = post.decider()
    for frame in footage(*FULL_DAY):
        disk.full = timedelta(minutes=5) < frame.captured_at - START < timedelta(minutes=20)
        decider.decide([frame])
        decider.catch_up()
    (record,) = post.ledger.events(EventQuery())
    assert record.event.state is EventState.CLEARED
    assert record.event.confirmed_at is not None
    assert record.event.confirmed_at < START + timedelta(minutes=15), "told late, dated rightly"
    assert [one.sequence for one in record.messages] == [1, 2]
    assert post.recorder.waiting == 0


def test_a_crash_while_the_ledger_is_away_leads_back_to_before_the_decision() -> None:
    ledger = AwayLedger()
    post = make_post(ledger=ledger)
    frames = list(footage(*FULL_DAY))
    decider = post.decider()
    for frame in frames[:65]:
        ledger.away = frame.captured_at - START > timedelta(minutes=5)
        decider.decide([frame])
    assert post.recorder.waiting
    assert post.ledger.events(EventQuery()) == []
    ledger.away = False
    restarted = make_post(ledger=ledger, evidence=post.evidence)
    decider = restarted.decider()
    for frame in frames[65:]:
        decider.decide([frame])
    (record,) = restarted.ledger.events(EventQuery())
    assert record.event.state is EventState.CLEARED
