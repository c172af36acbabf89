"""A street that the tests paint, a detector that reads what is painted, and a recorder beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import cv2
import numpy as np

from pipeline.belief import Likelihood, Rates
from pipeline.domain import CLASSES, Camera, Detections, Frame, Image
from pipeline.engine.decider import Decider
from pipeline.engine.recorder import Recorder
from pipeline.engine.spool import Spool
from pipeline.engine.watch import Watch, WatchRules
from pipeline.events import Transition
from pipeline.store import EvidenceStore, Ledger
from pipeline.store.memory import MemoryEvidence, MemoryLedger

START = datetime(2026, 6, 1, tzinfo=UTC)
RULES = WatchRules(Rates.constant(0.25, 0.7), Likelihood((0.0, 0.5, 1.0), (0.1, 0.9), (0.95, 0.05)))
_BIN, _WASTE = (60, 140, 60), (235, 235, 240)


def painted(scene: str, seed: int = 0, size: tuple[int, int] = (320, 180)) -> Image:
    """`clear`: a closed bin; `full`: with waste above its rim; `hidden`: a car in front."""
    width, height = size
    image = np.full((180, 320, 3), 110, np.uint8)
    cv2.rectangle(image, (0, 0), (320, 40), (150, 160, 170), -1)
    cv2.rectangle(image, (20, 60), (70, 165), (70, 70, 75), -1)
    if scene == "hidden":
        cv2.rectangle(image, (90, 50), (250, 170), (40, 30, 180), -1)
    else:
        cv2.rectangle(image, (130, 80), (170, 150), _BIN, -1)
    if scene == "full":
        cv2.circle(image, (150, 72), 18, _WASTE, -1)
    noise = np.random.default_rng(seed).normal(0, 2, image.shape)
    image = np.clip(image + noise, 0, 255).astype(np.uint8)
    return cv2.resize(image, (width, height)).astype(np.uint8)


@dataclass
class PaintDetector:
    """Finds the painted bin and waste by their colour. Counts what it was asked."""

    classes: tuple[str, ...] = CLASSES
    model_hash: str = "paint"
    batches: list[int] = field(default_factory=list)

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        self.batches.append(len(frames))
        return [self._one(frame) for frame in frames]

    def _one(self, frame: Image) -> Detections:
        found = []
        for name, colour in (("garbage_bin", _BIN), ("overflow", _WASTE)):
            near = (np.abs(frame.astype(int) - np.array(colour)) < 15).all(axis=2)
            if near.sum() > 100:
                ys, xs = np.nonzero(near)
                found.append((CLASSES.index(name), xs.min(), ys.min(), xs.max(), ys.max()))
        return Detections(
            np.array([box[1:] for box in found], np.float32).reshape(-1, 4),
            np.full(len(found), 0.9, np.float32),
            np.array([box[0] for box in found], np.int64),
        )


class BlindDetector:
    """Never finds anything."""

    classes = CLASSES
    model_hash = "blind"

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        return [Detections.empty() for _ in frames]


@dataclass
class Post:
    """Everything that a decider needs, in memory."""

    evidence: EvidenceStore
    ledger: Ledger
    recorder: Recorder
    detector: PaintDetector | BlindDetector
    told: list[Transition]
    cameras: tuple[str, ...]

    def decider(self) -> Decider:
        """A decider over the ledger as it is: made again, it is a restart."""
        ids = count(1)
        watches = [
            Watch(
                f"point-{camera}",
                Camera(camera, "push:"),
                RULES,
                lambda at: f"event-{at:%H%M%S}-{next(ids)}",
                self.detector.model_hash,
            )
            for camera in self.cameras
        ]
        return Decider(watches, self.detector, self.recorder, self.ledger)


_MESSAGES = count(1)
"""Over restarts too: a real message id is never made twice."""


def make_post(
    *,
    evidence: EvidenceStore | None = None,
    ledger: Ledger | None = None,
    detector: PaintDetector | BlindDetector | None = None,
    cameras: tuple[str, ...] = ("cam",),
    receivers: tuple[str, ...] = ("county",),
    spool: Spool | None = None,
) -> Post:
    evidence = evidence if evidence is not None else MemoryEvidence()
    ledger = ledger if ledger is not None else MemoryLedger()
    told: list[Transition] = []
    recorder = Recorder(
        ledger,
        evidence,
        receivers=receivers,
        describe=lambda event, rows: {"event_id": event.event_id, "evidence": len(rows)},
        new_id=lambda _at: f"message-{next(_MESSAGES)}",
        clock=lambda: START,
        on_recorded=told.append,
        spool=spool,
    )
    return Post(evidence, ledger, recorder, detector or PaintDetector(), told, cameras)


def footage(
    *scenes: tuple[str, float], camera: str = "cam", every_s: float = 10, start: datetime = START
) -> Iterator[Frame]:
    """Frames of these scenes for so many minutes each."""
    at, sequence = start, 0
    for scene, minutes in scenes:
        for _ in range(round(minutes * 60 / every_s)):
            at += timedelta(seconds=every_s)
            sequence += 1
            yield Frame(camera, at, sequence, painted(scene, seed=sequence))
