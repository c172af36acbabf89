"""What both the API and the pages ask of the stores."""

from __future__ import annotations

from collections.abc import Mapping

from api.errors import RequestRefused
from api.service import Service
from api.standing import PointState, point_state
from pipeline.domain import EventState, Point
from pipeline.engine.status import CameraStatus
from pipeline.store import EventQuery, EventRecord

_OPEN = EventQuery(states=frozenset({EventState.CONFIRMED}), limit=1000)
"""Open events: at most one a zone, so a thousand is every one of some hundred points."""


def open_events(service: Service) -> list[EventRecord]:
    """The events that wait for somebody, newest first."""
    return service.ledger.events(_OPEN)


def find_event(service: Service, event_id: str) -> EventRecord:
    """One event whole. Raises RequestRefused (404)."""
    record = service.ledger.event(event_id)
    if record is None:
        raise RequestRefused("not-found", f"there is no event {event_id[:100]!r}")
    return record


def find_point(service: Service, point_id: str) -> Point | None:
    """The configured point of that id."""
    return next((point for point in service.points if point.point_id == point_id), None)


def point_states(
    service: Service, statuses: Mapping[str, CameraStatus], open_now: list[EventRecord]
) -> list[tuple[Point, PointState]]:
    """Every point and how it stands, in the order of the configuration."""
    now = service.clock()
    open_points = frozenset(record.event.point_id for record in open_now)
    return [
        (point, point_state(point, statuses, open_points, now, service.stale_after))
        for point in service.points
    ]
