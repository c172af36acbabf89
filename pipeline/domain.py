"""The words of Brimwatch as frozen values: what every other module speaks.

Nothing here does I/O, reads a clock or imports a module of ours. All times are aware and in UTC.
Pictures are ``H×W×3`` arrays of ``uint8`` in BGR order (as OpenCV has them).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

CLASSES: tuple[str, ...] = ("garbage", "garbage_bin", "overflow")
"""The detector's classes, in the order of the training data."""

WHOLE_VIEW = "whole"
"""Zone id used for a camera on which nobody has drawn a zone yet: it is watched whole."""


class ZoneKind(StrEnum):
    """What a zone is there for."""

    BIN = "bin"
    GROUND = "ground"
    IGNORE = "ignore"
    PRIVACY = "privacy"


class Quality(StrEnum):
    """Whether a frame can be judged, and if not, why."""

    OK = "ok"
    DARK = "dark"
    BRIGHT = "bright"
    BLURRED = "blurred"
    FROZEN = "frozen"
    BLOCKED = "blocked"
    MOVED = "moved"
    CORRUPT = "corrupt"


class EventKind(StrEnum):
    """``overflow`` (垃圾满溢) comes from bin zones, ``litter`` (暴露垃圾) from ground zones."""

    OVERFLOW = "overflow"
    LITTER = "litter"


class EventState(StrEnum):
    """The states of an event; the last four are its ends."""

    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    CLEARED = "cleared"
    DISMISSED = "dismissed"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Severity(StrEnum):
    """三事分流: who handles the event."""

    MICRO = "micro"
    MINOR = "minor"
    MAJOR = "major"


class Verdict(StrEnum):
    """What an operator says in a review."""

    CONFIRM = "confirm"
    REJECT = "reject"
    UNSURE = "unsure"


class MessageType(StrEnum):
    """The things that receivers are told."""

    EVENT_CONFIRMED = "event.confirmed"
    EVENT_UPDATED = "event.updated"
    EVENT_CLEARED = "event.cleared"
    EVENT_RETRACTED = "event.retracted"
    CAMERA_IMPAIRED = "camera.impaired"
    CAMERA_RESTORED = "camera.restored"


class MessageState(StrEnum):
    """Where a message stands: waiting in the outbox, delivered, or dead (a person must look)."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


class EvidenceRole(StrEnum):
    """What moment of an event a picture shows."""

    BEFORE = "before"
    CONFIRMED = "confirmed"
    AFTER = "after"


class EvidenceForm(StrEnum):
    """``raw`` is the picture as it came, ``annotated`` has zone and boxes drawn in."""

    RAW = "raw"
    ANNOTATED = "annotated"


@dataclass(frozen=True, slots=True)
class Zone:
    """A polygon on a camera's view, corners relative to width and height (0..1)."""

    zone_id: str
    kind: ZoneKind
    polygon: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Camera:
    """One view of a point. ``look_every_s``: seconds between looks. The URL may hold a password."""

    camera_id: str
    url: str = field(repr=False)
    zones: tuple[Zone, ...] = ()
    look_every_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Point:
    """A monitored sanitation point. Longitude and latitude are WGS 84, in degrees."""

    point_id: str
    name: str
    community: str = ""
    grid_code: str = ""
    longitude: float | None = None
    latitude: float | None = None
    cameras: tuple[Camera, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of one camera.

    ``image`` is H×W×3 uint8 BGR; ``captured_at`` is UTC and aware, the time at the camera (not of
    arrival); ``sequence`` grows by at least one a frame within one run of a source.
    """

    camera_id: str
    captured_at: datetime
    sequence: int
    image: Image

    def __post_init__(self) -> None:
        if self.captured_at.tzinfo is None:
            raise ValueError(f"captured_at must be aware (UTC), got {self.captured_at!r}")
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ValueError(
                f"image must be H×W×3 uint8 (BGR), got shape {self.image.shape} {self.image.dtype}"
            )
        if 0 in self.image.shape:
            raise ValueError(f"image must not be empty, got shape {self.image.shape}")


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What the detector found on one frame: N boxes as arrays, best first.

    ``boxes``: N×4 float32, x1, y1, x2, y2 in pixels of the frame; ``confidence``: N float32 in 0..1;
    ``class_index``: N int64 into ``classes``.
    """

    boxes: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_index: NDArray[np.int64]
    classes: tuple[str, ...] = CLASSES

    @classmethod
    def empty(cls, classes: tuple[str, ...] = CLASSES) -> Detections:
        """No box at all: an answer, not an absence of one."""
        return cls(
            np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), classes
        )

    def __len__(self) -> int:
        return len(self.confidence)

    def of_class(self, name: str) -> Detections:
        """Those of one class. An unknown name gives none."""
        index = self.classes.index(name) if name in self.classes else -1
        return self.where(self.class_index == index)

    def where(self, mask: NDArray[np.bool_]) -> Detections:
        """Those for which ``mask`` (N booleans) is true."""
        return Detections(
            self.boxes[mask], self.confidence[mask], self.class_index[mask], self.classes
        )

    def centres(self) -> NDArray[np.float32]:
        """Box centres, N×2 (x, y) in pixels."""
        centres: NDArray[np.float32] = (self.boxes[:, :2] + self.boxes[:, 2:]) / np.float32(2)
        return centres


class Detector(Protocol):
    """What the engine wants of a model. ``model_hash`` is the SHA-256 of the weights, for the record."""

    classes: tuple[str, ...]
    model_hash: str

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """One `Detections` a frame, in order. Frames may differ in size. BGR uint8."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What one look says of one zone.

    ``seen`` is false when the zone was occluded or the frame could not be judged: then the look says
    nothing, and ``score`` is 0. ``reused`` is true when the change gate skipped the detector and the
    last score stands. ``spill`` is the share of the zone's width that garbage beside the bin covers.
    """

    zone_id: str
    at: datetime
    seen: bool
    score: float = 0.0
    reused: bool = False
    spill: float = 0.0
    quality: Quality = Quality.OK


@dataclass(frozen=True, slots=True)
class Belief:
    """Probability that a zone is overflowing, as of one instant.

    ``overflowing`` in 0..1; ``as_of``: the instant it has been predicted to; ``seen_at``: the last
    look that moved it, None if none has yet.
    """

    overflowing: float
    as_of: datetime
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One episode of overflow (or litter) in one zone."""

    event_id: str
    kind: EventKind
    point_id: str
    camera_id: str
    zone_id: str
    state: EventState
    severity: Severity
    suspected_at: datetime
    confirmed_at: datetime | None = None
    cleared_at: datetime | None = None
    ended_at: datetime | None = None
    peak_belief: float = 0.0
    confidence: float = 0.0
    model_hash: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One stored picture of an event. ``key`` is its address in the evidence store."""

    key: str
    role: EvidenceRole
    form: EvidenceForm
    sha256: str
    size: int
    captured_at: datetime
    media_type: str = "image/jpeg"


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell one receiver; ``message_id`` is stable over all attempts.

    ``data`` is the CloudEvent's data without expiring links: those are signed anew at each attempt.
    ``sequence`` orders the messages of one event (``subject``) to one receiver.
    """

    message_id: str
    receiver: str
    type: MessageType
    subject: str
    sequence: int
    created_at: datetime
    data: Mapping[str, Any]
    state: MessageState = MessageState.WAITING
    attempts: int = 0
    next_attempt_at: datetime | None = None
    delivered_at: datetime | None = None
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A system that gets events. ``secret`` signs (``whsec_…``); it is never logged or shown."""

    name: str
    url: str
    secret: str = field(repr=False)
    timeout_s: float = 15.0


def utc(text: str) -> datetime:
    """An RFC 3339 text as an aware time in UTC.

    >>> utc("2026-06-01T08:00:00+08:00").isoformat()
    '2026-06-01T00:00:00+00:00'

    Raises ValueError for a text without an offset, since a guess would move evidence by hours, and for
    one that is out of range in UTC.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"a time needs an offset (Z or +08:00), got {text!r}")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"a time out of range: {text!r}") from error


def rfc3339(moment: datetime) -> str:
    """A time as RFC 3339 in UTC with a ``Z``; fractions only where there are any.

    >>> rfc3339(datetime(2026, 6, 1, tzinfo=UTC))
    '2026-06-01T00:00:00Z'
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
