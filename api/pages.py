"""The first plain pages: the events, and one event. They work without JavaScript."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.cursor import cursor_after, read_cursor
from api.links import EvidenceLinks
from api.problems import problem_responses
from api.queries import find_event, find_point, open_events, point_states
from api.service import Service
from api.views import Reader, all_figures, event_card, message_row, tile
from api.wording import Language, Words, choose_language
from pipeline.domain import EventState, MessageState
from pipeline.store import EventQuery

STATIC = Path(__file__).parent / "static"
_TEMPLATES = Path(__file__).parent / "templates"
_PER_PAGE = 20
_NEAR_CARDS = 3
"""Cards whose pictures are loaded at once; those further down wait until they are scrolled to."""


class Filter(StrEnum):
    """Which events the page lists."""

    ALL = "all"
    OPEN = "open"
    CLEARED = "cleared"


_STATES = {
    Filter.ALL: frozenset[EventState](),
    Filter.OPEN: frozenset({EventState.CONFIRMED}),
    Filter.CLEARED: frozenset({EventState.CLEARED}),
}


class Pages:
    """Renders the pages of one service."""

    def __init__(self, service: Service, links: EvidenceLinks) -> None:
        self._service = service
        self._links = links
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["asset"] = {
            path.name: f"/static/{path.name}?v={hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
            for path in STATIC.iterdir()
        }

    def reader(self, request: Request) -> Reader:
        """Who asks, from the address and the browser's languages."""
        asked = request.query_params.get("lang")
        language = choose_language(asked, request.headers.get("accept-language", ""))
        return Reader(
            words=Words(language),
            now=self._service.clock(),
            zone=self._service.site_zone,
            asked_language=asked in ("zh", "en"),
        )

    def events(
        self, request: Request, listed: Filter, point_id: str | None, cursor: str | None
    ) -> HTMLResponse:
        """The page of events. Raises what the ledger raises, and RequestRefused for a bad cursor."""
        service, reader = self._service, self.reader(request)
        open_now = open_events(service)
        statuses = service.camera_status()
        records = service.ledger.events(
            EventQuery(
                states=_STATES[listed],
                point_id=point_id,
                before=read_cursor(cursor) if cursor else None,
                limit=_PER_PAGE + 1,
            )
        )
        shown = records[:_PER_PAGE]
        only = find_point(service, point_id) if point_id else None
        query = {"show": listed.value if listed is not Filter.ALL else None, "point_id": point_id}
        return self._render(
            "events.html",
            request,
            reader,
            cards=[
                event_card(one, find_point(service, one.event.point_id), reader, self._links.link)
                for one in shown
            ],
            tiles=[
                tile(point, state, statuses, reader)
                for point, state in point_states(service, statuses, open_now)
            ],
            near_cards=_NEAR_CARDS,
            open_count=len(open_now),
            dead_count=service.outbox.counts().get(MessageState.DEAD, 0),
            filters=[
                (
                    reader.words(f"filter.{one}"),
                    reader.href(
                        "/", show=one.value if one is not Filter.ALL else None, point_id=point_id
                    ),
                    one is listed,
                )
                for one in Filter
            ],
            only_point=(only.name if only else point_id),
            every_point=reader.href("/", show=query["show"]),
            filtered=listed is not Filter.ALL or point_id is not None,
            everything=reader.href("/"),
            older=(
                reader.href("/", cursor=cursor_after(shown[-1].event), **query)
                if len(records) > _PER_PAGE
                else None
            ),
            newest=reader.href("/", **query) if cursor else None,
        )

    def event(self, request: Request, event_id: str) -> HTMLResponse:
        """The page of one event. Raises RequestRefused (404)."""
        service, reader = self._service, self.reader(request)
        record = find_event(service, event_id)
        point = find_point(service, record.event.point_id)
        return self._render(
            "event.html",
            request,
            reader,
            card=event_card(record, point, reader, self._links.link),
            event=record.event,
            point=point,
            figures=all_figures(record, point, reader, self._links.link),
            messages=[message_row(message, reader) for message in record.messages],
            home=reader.href("/"),
        )

    def problem(self, request: Request, status: int, detail: str, hint: str) -> HTMLResponse:
        """An error as a page: in plain words first, then what the API would say."""
        reader = self.reader(request)
        key = f"problem.{status}" if status in (404, 422, 500, 503) else "problem.other"
        return self._render(
            "problem.html",
            request,
            reader,
            status,
            text=reader.words(key),
            code=status,
            detail=detail,
            hint=hint,
            home=reader.href("/"),
        )

    def _render(
        self, template: str, request: Request, reader: Reader, status: int = 200, **values: object
    ) -> HTMLResponse:
        kept = {name: value for name, value in request.query_params.items() if name != "lang"}
        other: Language = reader.words.other
        body = self._templates.get_template(template).render(
            t=reader.words,
            reader=reader,
            simulated=self._service.simulated,
            updated=reader.moment("updated", reader.now),
            home_link=reader.href("/"),
            other_language=Reader(Words(other), reader.now, reader.zone, True).href(
                request.url.path, **kept
            ),
            other_tag=Words(other).tag,
            **values,
        )
        return HTMLResponse(body, status, headers={"Vary": "Accept-Language"})


def pages_router(pages: Pages) -> APIRouter:
    """The routes of the pages; they are not part of the API's description."""
    router = APIRouter(include_in_schema=False, responses=problem_responses(404, 422, 503))

    @router.get("/", response_class=HTMLResponse)
    def events_page(
        request: Request,
        show: Filter = Filter.ALL,
        point_id: Annotated[str | None, Query(max_length=100)] = None,
        cursor: str | None = None,
    ) -> HTMLResponse:
        """The events, newest first."""
        return pages.events(request, show, point_id, cursor)

    @router.get("/events/{event_id}", response_class=HTMLResponse)
    def event_page(request: Request, event_id: str) -> HTMLResponse:
        """One event."""
        return pages.event(request, event_id)

    return router
