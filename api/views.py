"""What a page shows, as plain values for the templates: every text chosen, every time said. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from api.standing import PointState, delivery_state, newest_frame_at
from api.wording import Words
from pipeline.domain import (
    Event,
    EventState,
    Evidence,
    EvidenceForm,
    EvidenceRole,
    Message,
    Point,
    Quality,
    rfc3339,
)
from pipeline.engine.status import CameraStatus
from pipeline.store import EventRecord

_VERSION_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the page: the language, now, the site's zone, and what links carry along.

    ``asked_language`` is true when ``?lang=`` chose the language: then links keep it.
    """

    words: Words
    now: datetime
    zone: ZoneInfo
    asked_language: bool

    def href(self, path: str, **query: str | None) -> str:
        """A link within the service, in the language that was asked for."""
        kept = {name: value for name, value in query.items() if value}
        if self.asked_language:
            kept.setdefault("lang", self.words.language)
        return f"{path}?{urlencode(kept)}" if kept else path

    def moment(self, label: str, at: datetime) -> Moment:
        """A labelled time."""
        return Moment(
            label=self.words(label),
            iso=rfc3339(at),
            text=self.words.time(at, self.now, self.zone),
            ago=self.words.ago(at, self.now),
        )


@dataclass(frozen=True, slots=True)
class Moment:
    """A time with its label: for machines, in the site's zone, and how long ago."""

    label: str
    iso: str
    text: str
    ago: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One place for a picture; ``link`` is empty when there is none, and ``missing`` says why."""

    role: str
    caption: str
    time: str = ""
    link: str = ""
    alt: str = ""
    sha256: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message of an event."""

    what: str
    receiver: str
    state: str
    state_text: str
    attempts: int
    moment: Moment
    last_error: str


@dataclass(frozen=True, slots=True)
class EventCard:
    """One event. ``version`` changes whenever the card would look different, apart from "ago"."""

    event_id: str
    version: str
    href: str
    details_label: str
    point_name: str
    place: str
    kind_text: str
    state: str
    state_text: str
    severity: str
    severity_text: str
    delivery: str
    delivery_text: str
    moments: tuple[Moment, ...]
    lasted: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Tile:
    """One point in the strip at the top."""

    point_id: str
    version: str
    href: str
    name: str
    state: str
    state_text: str
    note: str


def _version(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:_VERSION_LENGTH]


def event_card(
    record: EventRecord, point: Point | None, reader: Reader, link: Callable[[str], str]
) -> EventCard:
    """A card; ``link`` makes the address of a picture from its evidence key."""
    words, event = reader.words, record.event
    name = point.name if point else event.point_id
    place = " · ".join(text for text in (point.community, point.grid_code) if text) if point else ""
    delivery = delivery_state(record.messages).value
    today = reader.now.astimezone(reader.zone).date()
    noticed = words.time(event.suspected_at, reader.now, reader.zone)
    figures = tuple(
        _missing(role, event, words)
        if (picture := _best(record.evidence, role)) is None
        else _figure(picture, words(f"role.{role}"), name, reader, link)
        for role in EvidenceRole
    )
    return EventCard(
        event_id=event.event_id,
        version=_version(event, name, place, delivery, figures, words.language, today),
        href=reader.href(f"/events/{event.event_id}"),
        details_label=words("details_of", point=name, time=noticed),
        point_name=name,
        place=place,
        kind_text=words(f"kind.{event.kind}"),
        state=event.state.value,
        state_text=words(f"state.{event.state}"),
        severity=event.severity.value,
        severity_text=words(f"severity.{event.severity}"),
        delivery=delivery,
        delivery_text=words(f"delivery.{delivery}"),
        moments=_moments(event, reader),
        lasted=words.span((event.cleared_at or event.ended_at or reader.now) - event.suspected_at),
        figures=figures,
    )


def _moments(event: Event, reader: Reader) -> tuple[Moment, ...]:
    ended = event.ended_at if event.ended_at != event.cleared_at else None
    steps = (
        ("suspected_at", event.suspected_at),
        ("confirmed_at", event.confirmed_at),
        ("cleared_at", event.cleared_at),
        ("ended_at", ended),
    )
    return tuple(reader.moment(label, at) for label, at in steps if at is not None)


def _best(evidence: tuple[Evidence, ...], role: EvidenceRole) -> Evidence | None:
    """The annotated picture of a role, else the raw one."""
    of_role = [picture for picture in evidence if picture.role is role]
    annotated = [picture for picture in of_role if picture.form is EvidenceForm.ANNOTATED]
    return next(iter(annotated or of_role), None)


def _missing(role: EvidenceRole, event: Event, words: Words) -> Figure:
    still_open = role is EvidenceRole.AFTER and event.state is EventState.CONFIRMED
    why = words("not_yet.after" if still_open else f"no_picture.{role}")
    return Figure(role=role.value, caption=words(f"role.{role}"), missing=why)


def _figure(
    picture: Evidence, caption: str, point_name: str, reader: Reader, link: Callable[[str], str]
) -> Figure:
    time = reader.words.time(picture.captured_at, reader.now, reader.zone)
    return Figure(
        role=picture.role.value,
        caption=caption,
        time=time,
        link=link(picture.key),
        alt=reader.words("picture_alt", point=point_name, role=caption, time=time),
        sha256=picture.sha256,
    )


def all_figures(
    record: EventRecord, point: Point | None, reader: Reader, link: Callable[[str], str]
) -> tuple[Figure, ...]:
    """Every picture of an event, for its own page, each with its form in the caption."""
    words = reader.words
    name = point.name if point else record.event.point_id
    order = list(EvidenceRole)
    pictures = sorted(
        record.evidence,
        key=lambda one: (order.index(one.role), one.form is EvidenceForm.RAW, one.captured_at),
    )
    return tuple(
        _figure(
            one, f"{words(f'role.{one.role}')} · {words(f'form.{one.form}')}", name, reader, link
        )
        for one in pictures
    )


def message_row(message: Message, reader: Reader) -> MessageRow:
    """One message in an event's list."""
    words = reader.words
    at = message.delivered_at or message.created_at
    return MessageRow(
        what=words(f"type.{message.type}"),
        receiver=message.receiver,
        state=message.state.value,
        state_text=words(f"message.{message.state}"),
        attempts=message.attempts,
        moment=reader.moment("standing", at),
        last_error=message.last_error,
    )


def tile(
    point: Point, state: PointState, statuses: Mapping[str, CameraStatus], reader: Reader
) -> Tile:
    """A point's tile: what is wrong with a camera goes before how old the picture is."""
    words = reader.words
    trouble = _trouble(point, statuses, words)
    newest = newest_frame_at(point, statuses)
    if trouble:
        note = trouble
    elif newest is None:
        note = words("picture_never")
    else:
        note = f"{words('picture_at')} {words.ago(newest, reader.now)}"
    return Tile(
        point_id=point.point_id,
        version=_version(point.name, state, trouble, newest is None, words.language),
        href=reader.href("/", point_id=point.point_id),
        name=point.name,
        state=state.value,
        state_text=words(f"point.{state}"),
        note=note,
    )


def _trouble(point: Point, statuses: Mapping[str, CameraStatus], words: Words) -> str:
    """What is wrong with the point's first impaired camera, empty when nothing is."""
    for camera in point.cameras:
        status = statuses.get(camera.camera_id)
        if status is None:
            continue
        if status.fault:
            return status.fault
        if status.quality is not Quality.OK:
            return words(f"quality.{status.quality}")
    return ""
