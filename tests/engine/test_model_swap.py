"""A newly promoted model in a running engine: beliefs and events go on, the new hash is recorded."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from painted_street import RULES, START, PaintDetector, Post, footage
from structlog.testing import capture_logs

from models.calibration import read_calibration
from models.loading import BUNDLED
from models.manifest import CALIBRATION, WEIGHTS, digest, read_manifest
from models.registry import PROMOTED, Registry
from pipeline.belief import Likelihood
from pipeline.config import LoadedConfig, parse_config
from pipeline.domain import EventState, Frame, MessageType
from pipeline.engine.decider import Decider
from pipeline.engine.promotion import Model, PromotionFollower
from pipeline.errors import ModelError
from pipeline.store import EventQuery
from pipeline.wiring import build


def model(model_hash: str, likelihood: Likelihood = RULES.likelihood) -> Model:
    return Model(PaintDetector(model_hash=model_hash), likelihood, RULES.seen_confidence)


def watched(decider: Decider, frames: Sequence[Frame]) -> None:
    for frame in frames:
        decider.decide([frame])


def test_an_open_event_keeps_its_hash_and_the_next_one_has_the_new(post: Post) -> None:
    frames = list(footage(("clear", 3), ("full", 7), ("clear", 6), ("full", 7), ("clear", 6)))
    middle = next(
        index for index, one in enumerate(frames) if (one.captured_at - START).seconds > 9 * 60
    )
    decider = post.decider()
    watched(decider, frames[:middle])
    (opened,) = post.ledger.events(EventQuery())
    assert opened.event.state is EventState.CONFIRMED
    believed = dict(decider.statuses()["cam"].belief)

    new = model("new")
    decider.adopt(new)
    assert decider.statuses()["cam"].belief == believed
    assert isinstance(post.detector, PaintDetector)
    asked = len(post.detector.batches)
    watched(decider, frames[middle:])

    assert len(post.detector.batches) == asked, "the old detector rests"
    events = sorted(
        (record.event for record in post.ledger.events(EventQuery())),
        key=lambda event: event.suspected_at,
    )
    assert [(event.model_hash, event.state) for event in events] == [
        ("paint", EventState.CLEARED),
        ("new", EventState.CLEARED),
    ]
    assert events[0].event_id == opened.event.event_id
    told = [transition.message for transition in post.told if transition.message is not None]
    assert told == [MessageType.EVENT_CONFIRMED, MessageType.EVENT_CLEARED] * 2


def test_the_same_model_anew_gives_the_same_events(post: Post) -> None:
    decider = post.decider()
    for index, frame in enumerate(footage(("clear", 5), ("full", 10), ("clear", 8))):
        if index % 9 == 0:
            decider.adopt(model("paint"))
        decider.decide([frame])
    (record,) = post.ledger.events(EventQuery())
    assert record.event.state is EventState.CLEARED


def test_an_unchanged_view_is_looked_at_anew_by_the_new_model(post: Post) -> None:
    frames = list(footage(("clear", 2)))
    decider = post.decider()
    watched(decider, frames[:6])
    new = model("new")
    decider.adopt(new)
    watched(decider, frames[6:8])
    assert isinstance(new.detector, PaintDetector)
    assert new.detector.batches == [1]


def test_rules_and_detector_change_together_and_the_last_model_wins(post: Post) -> None:
    deaf = Likelihood((0, 0.5, 1), (0.5, 0.5), (0.5, 0.5))
    decider = post.decider()
    decider.adopt(model("loud"))
    decider.adopt(model("deaf", deaf))
    watched(decider, list(footage(("clear", 5), ("full", 10))))
    assert post.ledger.events(EventQuery()) == [], "its scores say nothing, by its own measure"


class Shelf:
    """A registry that a test moves by hand."""

    def __init__(self) -> None:
        self.name: str | None = None
        self.bad: set[str] = set()
        self.loaded: list[str] = []

    def promoted(self) -> str | None:
        if self.name == "unreadable":
            raise ModelError("promoted.json: no list of promotions")
        return self.name

    def load(self, name: str) -> Model:
        self.loaded.append(name)
        if name in self.bad:
            raise ModelError(f"{name}: the weights do not match manifest.json")
        return model(name)


def test_a_promotion_is_taken_up_once() -> None:
    shelf, adopted = Shelf(), list[Model]()
    follower = PromotionFollower(shelf.promoted, shelf.load, adopted.append, current=None)
    assert not follower.look(), "nothing is promoted"
    shelf.name = "one"
    assert follower.look()
    assert not follower.look()
    assert [one.detector.model_hash for one in adopted] == ["one"]


@pytest.mark.parametrize("name", ["damaged", "unreadable"])
def test_a_bad_promotion_is_refused_told_once_and_tried_again(name: str) -> None:
    shelf, adopted = Shelf(), list[Model]()
    shelf.bad = {"damaged"}
    follower = PromotionFollower(shelf.promoted, shelf.load, adopted.append, current="old")
    shelf.name = name
    with capture_logs() as logs:
        assert [follower.look() for _ in range(3)] == [False] * 3
    assert [(one["event"], one["stays"]) for one in logs] == [("model_refused", "old")]
    assert adopted == []
    shelf.bad, shelf.name = set(), "damaged"
    assert follower.look(), "it was mended"


def test_the_thread_survives_what_nobody_foresaw_and_ends_when_told() -> None:
    stop = threading.Event()
    looked = 0

    def promoted() -> str | None:
        nonlocal looked
        looked += 1
        if looked == 2:
            stop.set()
        raise RuntimeError("nobody foresaw this")

    follower = PromotionFollower(promoted, model, lambda _model: None, current=None)
    with capture_logs() as logs:
        follower.run(stop, 0.001)
    assert [one["event"] for one in logs] == ["promotion_not_followed"] * 2


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


def config(base: Path) -> LoadedConfig:
    data = {
        "detector": {"registry": "models", "threads": 1, "registry_check_s": 0.05},
        "points": [
            {
                "point_id": "p",
                "name": "东门",
                "cameras": [{"camera_id": "cam", "url": "push:"}],
            }
        ],
    }
    return LoadedConfig(parse_config(data), base)


@pytest.fixture
def bundled_again(tmp_path: Path) -> Path:
    """The bundled weights with another hash: one more byte at the end, which nothing reads."""
    folder = tmp_path / "again"
    shutil.copytree(BUNDLED, folder)
    with (folder / WEIGHTS).open("ab") as file:
        file.write(b"\0")
    sha256 = digest(folder)
    replace(read_manifest(folder), sha256=sha256).write(folder)
    replace(read_calibration(folder / CALIBRATION), weights_sha256=sha256).write(
        folder / CALIBRATION
    )
    return folder


def until(logs: Sequence[Mapping[str, Any]], event: str) -> Mapping[str, Any]:
    """The first log line of that event, waited for."""
    for _ in range(600):
        for line in list(logs):
            if line["event"] == event:
                return line
        time.sleep(0.05)
    raise AssertionError(f"no {event} in 30 s, only {[one['event'] for one in logs]}")


def test_a_running_service_takes_up_a_promotion_and_survives_a_damaged_one(
    tmp_path: Path, registry: Registry, bundled_again: Path
) -> None:
    old, new = registry.add(BUNDLED), registry.add(bundled_again)
    registry.promote(old, START)
    with capture_logs() as logs:
        system = build(
            config(tmp_path), environment={}, public_url="http://127.0.0.1", receivers={}
        )
        assert until(logs, "model_in_use")["model"] == old
        system.start(delivery=False)
        try:
            registry.promote(new, START)
            adopted = until(logs, "model_adopted")
            assert adopted["model_hash"] == digest(bundled_again)

            promotions = registry.folder / PROMOTED
            promotions.write_text(promotions.read_text().replace(new, "gone"))
            assert until(logs, "model_refused")["stays"] == new
        finally:
            system.stop()


def test_a_service_does_not_start_on_a_damaged_promotion(
    tmp_path: Path, registry: Registry
) -> None:
    name = registry.add(BUNDLED)
    registry.promote(name, START)
    (registry.path_of(name) / WEIGHTS).write_bytes(b"cut off")
    with pytest.raises(ModelError, match="do not match"):
        build(config(tmp_path), environment={}, public_url="http://127.0.0.1", receivers={})


def test_the_configured_weights_serve_until_something_is_promoted(tmp_path: Path) -> None:
    with capture_logs() as logs:
        system = build(
            config(tmp_path), environment={}, public_url="http://127.0.0.1", receivers={}
        )
    system.stop()
    assert until(logs, "model_in_use")["model_hash"] == digest(BUNDLED)
