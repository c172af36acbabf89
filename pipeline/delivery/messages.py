"""What a message says about an event: the ``data`` of the default county profile.

Pure: values in, a JSON-able dict out. Expiring links are not in it, because a message may wait for
days: `cloud_events.encode` adds fresh ones at each attempt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from pipeline.domain import Event, EventKind, Evidence, Point, Severity, rfc3339

KIND_NAMES: Mapping[EventKind, str] = MappingProxyType(
    {EventKind.OVERFLOW: "垃圾满溢", EventKind.LITTER: "暴露垃圾"}
)
SEVERITY_NAMES: Mapping[Severity, str] = MappingProxyType(
    {Severity.MICRO: "微事", Severity.MINOR: "小事", Severity.MAJOR: "大事"}
)
DATUM = "WGS84"
"""What longitude and latitude refer to. GB/T 47678.5 wants CGCS2000: within a metre of it."""


@dataclass(frozen=True, slots=True)
class EventCode:
    """How a standard, or a county's own list, names a kind of event."""

    standard_ref: str
    code: str
    name: str


DEFAULT_CODES: Mapping[EventKind, EventCode] = MappingProxyType(
    {
        EventKind.OVERFLOW: EventCode("GB/T 47678.5-2026", "06042", "垃圾站（箱）满溢"),
        EventKind.LITTER: EventCode("GB/T 47678.5-2026", "06010", "暴露垃圾"),
    }
)
"""A start, from a secondary source. Counties differ, so configuration can replace each of them."""


def event_data(
    event: Event,
    evidence: Sequence[Evidence],
    point: Point,
    *,
    code: EventCode | None,
    simulated: bool,
) -> dict[str, Any]:
    """The data of a message about ``event``. Times RFC 3339 in UTC, coordinates in degrees.

    ``code`` None: the county has no code for this kind, and ``class_code`` is null. ``simulated``:
    the pictures come from the twin; a receiver must never take them for a real place.
    """
    return {
        "event_id": event.event_id,
        "kind": event.kind.value,
        "kind_name": KIND_NAMES[event.kind],
        "point": {
            "id": point.point_id,
            "name": point.name,
            "community": point.community,
            "grid_code": point.grid_code,
        },
        "location": {
            "longitude": point.longitude,
            "latitude": point.latitude,
            "datum": DATUM,
        },
        "camera_id": event.camera_id,
        "zone_id": event.zone_id,
        "class_code": None
        if code is None
        else {"standard_ref": code.standard_ref, "code": code.code, "name": code.name},
        "state": event.state.value,
        "severity": event.severity.value,
        "severity_name": SEVERITY_NAMES[event.severity],
        "confidence": event.confidence,
        "peak_belief": event.peak_belief,
        "suspected_at": rfc3339(event.suspected_at),
        "confirmed_at": _time(event.confirmed_at),
        "cleared_at": _time(event.cleared_at),
        "model_hash": event.model_hash,
        "simulated": simulated,
        "evidence": [_picture(one) for one in evidence],
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def _picture(evidence: Evidence) -> dict[str, Any]:
    return {
        "role": evidence.role.value,
        "form": evidence.form.value,
        "key": evidence.key,
        "sha256": evidence.sha256,
        "size": evidence.size,
        "media_type": evidence.media_type,
        "captured_at": rfc3339(evidence.captured_at),
    }
