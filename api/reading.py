"""The API's reading side: events and points."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator, AwareDatetime

from api.cursor import cursor_after, read_cursor
from api.links import EvidenceLinks
from api.problems import problem_responses
from api.queries import find_event, find_point, open_events, point_states
from api.schemas import (
    EventDetail,
    EventList,
    PointList,
    event_detail,
    event_summary,
    point_standing,
)
from api.service import Service
from pipeline.domain import EventState
from pipeline.store import EventQuery


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("outside of the years 1 to 9999 in UTC") from error


UtcTime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time with an offset in the query, as the middle wants it: in UTC."""


def reading_router(service: Service, links: EvidenceLinks) -> APIRouter:
    """The routes. They are plain functions: the framework runs them in worker threads."""
    router = APIRouter(prefix="/api/v1")

    @router.get("/events", tags=["events"], responses=problem_responses(422, 503))
    def list_events(  # noqa: PLR0917 - the framework calls it by keyword
        state: Annotated[
            list[EventState] | None,
            Query(description="May be repeated; without it, all but suspicions."),
        ] = None,
        point_id: Annotated[str | None, Query(max_length=100)] = None,
        since: Annotated[
            UtcTime | None, Query(description="Suspected at this time or later.")
        ] = None,
        until: Annotated[UtcTime | None, Query(description="Suspected before this time.")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(description="next_cursor of the page before.")] = None,
    ) -> EventList:
        """A page of events, newest suspicion first."""
        records = service.ledger.events(
            EventQuery(
                states=frozenset(state or ()),
                point_id=point_id,
                since=since,
                until=until,
                before=read_cursor(cursor) if cursor else None,
                limit=limit + 1,
            )
        )
        page = records[:limit]
        return EventList(
            events=[event_summary(one, find_point(service, one.event.point_id)) for one in page],
            next_cursor=cursor_after(page[-1].event) if len(records) > limit else None,
            simulated=service.simulated,
        )

    @router.get("/events/{event_id}", tags=["events"], responses=problem_responses(404, 422, 503))
    def get_event(event_id: str) -> EventDetail:
        """One event with links to its evidence and its messages."""
        record = find_event(service, event_id)
        point = find_point(service, record.event.point_id)
        return event_detail(record, point, links, simulated=service.simulated)

    @router.get("/points", tags=["points"], responses=problem_responses(503))
    def list_points() -> PointList:
        """Every point and how it stands."""
        statuses = dict(service.camera_status())
        standing = point_states(service, statuses, open_events(service))
        return PointList(
            points=[point_standing(point, statuses, state) for point, state in standing],
            simulated=service.simulated,
        )

    return router
