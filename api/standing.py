"""Where things stand, in one word each: a point for its tile, an event for its delivery. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from pipeline.domain import Message, MessageState, Point, Quality
from pipeline.engine.status import CameraStatus


class PointState(StrEnum):
    """What a point's tile says."""

    OK = "ok"
    OVERFLOWING = "overflowing"
    NO_PICTURE = "no_picture"


class DeliveryState(StrEnum):
    """How far an event's messages have come. ``none``: it has no message."""

    NONE = "none"
    WAITING = "waiting"
    DELIVERED = "delivered"
    ATTENTION = "attention"


def gives_pictures(status: CameraStatus | None, now: datetime, stale_after: timedelta) -> bool:
    """Whether a camera can be judged now: a recent frame, of good quality, no fault."""
    return (
        status is not None
        and not status.fault
        and status.quality is Quality.OK
        and status.last_frame_at is not None
        and now - status.last_frame_at <= stale_after
    )


def point_state(
    point: Point,
    statuses: Mapping[str, CameraStatus],
    open_points: frozenset[str],
    now: datetime,
    stale_after: timedelta,
) -> PointState:
    """``overflowing`` while an event is open there, also when its camera has gone away since: nobody
    has seen it emptied. ``no_picture`` when none of its cameras can be judged.
    """
    if point.point_id in open_points:
        return PointState.OVERFLOWING
    if any(
        gives_pictures(statuses.get(camera.camera_id), now, stale_after) for camera in point.cameras
    ):
        return PointState.OK
    return PointState.NO_PICTURE


def newest_frame_at(point: Point, statuses: Mapping[str, CameraStatus]) -> datetime | None:
    """When the newest frame of any of the point's cameras was captured."""
    times = [
        status.last_frame_at
        for camera in point.cameras
        if (status := statuses.get(camera.camera_id)) is not None
        and status.last_frame_at is not None
    ]
    return max(times, default=None)


def delivery_state(messages: Sequence[Message]) -> DeliveryState:
    """One dead message needs a person, else one waiting makes the whole wait."""
    states = _states(messages)
    if MessageState.DEAD in states:
        return DeliveryState.ATTENTION
    if MessageState.WAITING in states:
        return DeliveryState.WAITING
    return DeliveryState.DELIVERED if states else DeliveryState.NONE


def _states(messages: Iterable[Message]) -> frozenset[MessageState]:
    return frozenset(message.state for message in messages)
