from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from pipeline.domain import EventState, MessageState, Quality
from pipeline.errors import StoreUnavailable


def test_events_come_newest_first_and_without_suspicions(site: Any) -> None:
    site.add_event(1, minutes_ago=50, state=EventState.CLEARED)
    site.add_event(2, minutes_ago=5)
    site.add_event(3, minutes_ago=2, state=EventState.SUSPECTED)
    site.add_event(4, minutes_ago=90, state=EventState.DISMISSED)
    answer = site.client().get("/api/v1/events").json()
    assert [one["event_id"][-1] for one in answer["events"]] == ["2", "1"]
    assert answer["next_cursor"] is None
    assert answer["simulated"] is False
    assert answer["events"][0] | {"event_id": ""} == {
        "event_id": "",
        "kind": "overflow",
        "state": "confirmed",
        "severity": "minor",
        "point_id": "p1",
        "point_name": "东门垃圾收集点",
        "community": "和平社区",
        "grid_code": "330106001",
        "camera_id": "p1-c1",
        "zone_id": "bins",
        "suspected_at": "2026-06-01T00:55:00Z",
        "confirmed_at": "2026-06-01T00:58:00Z",
        "cleared_at": None,
        "ended_at": None,
        "peak_belief": 0.997,
        "confidence": 0.91,
        "delivery": "delivered",
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=confirmed", "21"),
        ("state=cleared&state=suspected", "43"),
        ("point_id=p2", "3"),
        ("point_id=nowhere", ""),
        ("since=2026-06-01T08:35:00%2B08:00", "21"),
        ("until=2026-06-01T00:45:00Z", "3"),
        ("limit=1", "2"),
    ],
)
def test_events_can_be_chosen(site: Any, query: str, expected: str) -> None:
    site.add_event(1, minutes_ago=15)
    site.add_event(2, minutes_ago=5)
    site.add_event(3, minutes_ago=50, state=EventState.CLEARED, point_id="p2")
    site.add_event(4, minutes_ago=1, state=EventState.SUSPECTED)
    answer = site.client().get(f"/api/v1/events?{query}").json()
    assert "".join(one["event_id"][-1] for one in answer["events"]) == expected


def test_cursors_lead_through_every_event_once_also_when_new_ones_come(site: Any) -> None:
    for number in range(1, 8):
        site.add_event(number, minutes_ago=10 + number // 2, pictures=False)  # some at equal times
    client, seen, cursor = site.client(), [], ""
    while True:
        answer = client.get(f"/api/v1/events?limit=2{cursor}").json()
        seen += [one["event_id"] for one in answer["events"]]
        if answer["next_cursor"] is None:
            break
        cursor = f"&cursor={answer['next_cursor']}"
        site.add_event(90 + len(seen), minutes_ago=1, pictures=False)
    assert len(seen) == len(set(seen)) == 7


@pytest.mark.parametrize(
    "query",
    [
        "state=broken",
        "limit=0",
        "limit=201",
        "since=2026-06-01T00:00:00",
        "since=yesterday",
        "since=0001-01-01T00:00:00%2B14:00",
        "cursor=%00",
        "cursor=aGFsbG8",
        "cursor=" + base64.urlsafe_b64encode(b'["2026-06-01", 1]').decode(),
        "cursor=" + base64.urlsafe_b64encode(b'{"a": 1}').decode(),
        "cursor=" + 500 * "a",
    ],
)
def test_a_wrong_choice_is_named(site: Any, problem: Any, query: str) -> None:
    document = problem(site.client().get(f"/api/v1/events?{query}"), 422, "invalid")
    assert f"query.{query.partition('=')[0]}" in document["detail"]


def test_one_event_has_its_evidence_and_messages(site: Any) -> None:
    event = site.add_event(
        state=EventState.CLEARED, messages=(MessageState.DELIVERED, MessageState.WAITING)
    )
    client = site.client()
    answer = client.get(f"/api/v1/events/{event.event_id}").json()
    assert {(one["role"], one["form"]) for one in answer["evidence"]} == {
        (role, form) for role in ("before", "confirmed", "after") for form in ("raw", "annotated")
    }
    assert answer["delivery"] == "waiting"
    assert [one["state"] for one in answer["messages"]] == ["delivered", "waiting"]
    assert answer["longitude"] == 120.13
    picture = client.get(answer["evidence"][0]["url"])
    assert picture.status_code == 200


def test_an_event_of_a_point_that_was_removed_is_still_shown(site: Any) -> None:
    site.add_event(point_id="gone")
    (event,) = site.client().get("/api/v1/events").json()["events"]
    assert event["point_name"] == "gone"


def test_an_unknown_event_is_not_found(site: Any, problem: Any) -> None:
    problem(site.client().get("/api/v1/events/nothing"), 404, "not-found")


def test_a_ledger_that_is_away_is_told_without_its_address(site: Any, problem: Any) -> None:
    site.ledger.fault = StoreUnavailable("postgresql://user:pw@db.internal does not answer")
    answer = site.client().get("/api/v1/events")
    problem(answer, 503, "store-unavailable")
    assert "db.internal" not in answer.text


def test_points_say_how_they_stand(site: Any) -> None:
    site.camera("p1-c1", belief={"bins": 0.02})
    site.camera("p2-c1", quality=Quality.DARK)
    answer = site.client().get("/api/v1/points")
    east, west = answer.json()["points"]
    assert (east["state"], west["state"]) == ("ok", "no_picture")
    assert east["cameras"] == [
        {
            "camera_id": "p1-c1",
            "last_frame_at": "2026-06-01T01:00:00Z",
            "quality": "ok",
            "fault": "",
            "belief": {"bins": 0.02},
        }
    ]
    assert "rtsp" not in answer.text


@pytest.mark.parametrize(
    ("camera", "overflowing", "expected"),
    [
        ({}, False, "ok"),
        ({"last_frame_at": None}, False, "no_picture"),
        ({"fault": "RTSP: no answer"}, False, "no_picture"),
        ({"quality": Quality.BLOCKED}, False, "no_picture"),
        ({"age": timedelta(minutes=6)}, False, "no_picture"),
        ({}, True, "overflowing"),
        ({"fault": "RTSP: no answer"}, True, "overflowing"),
    ],
)
def test_a_point_is_overflowing_ok_or_without_a_picture(
    site: Any, camera: dict[str, Any], overflowing: bool, expected: str
) -> None:
    if "age" in camera:
        camera = {"last_frame_at": site.now - camera["age"]}
    site.camera("p1-c1", **camera)
    if overflowing:
        site.add_event(pictures=False)
    site.add_event(2, state=EventState.CLEARED, pictures=False)
    assert site.client().get("/api/v1/points").json()["points"][0]["state"] == expected


def test_evidence_opens_by_its_link_alone(site: Any, problem: Any) -> None:
    event = site.add_event()
    client = site.client()
    url = client.get(f"/api/v1/events/{event.event_id}").json()["evidence"][0]["url"]
    answer = client.get(url)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, max-age=7200, immutable"
    assert answer.content.startswith(b"\xff\xd8\xff")
    path = urlsplit(url).path
    problem(client.get(url[:-1] + ("0" if url[-1] != "0" else "1")), 403, "forbidden")
    problem(client.get(url.replace("expires=", "expires=1")), 403, "forbidden")
    problem(client.get(path), 422, "invalid")
    problem(client.get("/evidence/../secret?expires=1&signature=a"), 404, "not-found")
    problem(client.get("/evidence/..%2fsecret?expires=1&signature=a"), 403, "forbidden")
    site.now += timedelta(hours=3)
    problem(client.get(url), 403, "forbidden")


def test_damaged_evidence_is_never_served(site: Any, problem: Any) -> None:
    event = site.add_event()
    client = site.client()
    url = client.get(f"/api/v1/events/{event.event_id}").json()["evidence"][0]["url"]
    path = site.evidence.root / urlsplit(url).path.removeprefix("/evidence/")
    path.write_bytes(b"something else")
    answer = client.get(url)
    problem(answer, 500, "evidence-damaged")
    assert str(site.evidence.root) not in answer.text


def test_evidence_in_s3_is_not_served_here(site: Any, problem: Any) -> None:
    problem(site.client(link_check=None).get("/evidence/a?expires=1"), 404, "not-found")
