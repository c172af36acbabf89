from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from api.problems import KINDS
from api.service import Problem
from pipeline.errors import StoreUnavailable
from pipeline.metrics import Metrics


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nothing", 404, "not-found"),
        ("GET", "/docs", 404, "not-found"),
        ("GET", "/static/nothing.css", 404, "not-found"),
        ("GET", "/static/../app.py", 404, "not-found"),
        ("GET", "/static/..%2fapp.py", 404, "not-found"),
        ("DELETE", "/api/v1/events", 405, "method-not-allowed"),
        ("GET", "/api/v1/cameras/p1-c1/frames", 405, "method-not-allowed"),
        ("GET", "/?cursor=broken", 422, "invalid"),
        ("GET", "/?show=broken", 422, "invalid"),
    ],
)
def test_every_error_is_a_problem_document(
    site: Any, problem: Any, *, method: str, path: str, status: int, kind: str
) -> None:
    problem(site.client().request(method, path), status, kind)


def test_every_kind_of_problem_is_documented() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    for kind, (status, _title) in KINDS.items():
        assert f"| `{kind}` | {status} |" in documented


def test_a_method_that_is_not_allowed_says_which_are(site: Any) -> None:
    assert site.client().request("DELETE", "/api/v1/events").headers["allow"] == "GET"


def test_what_was_given_wrongly_is_not_repeated(site: Any) -> None:
    answer = site.client().get("/api/v1/events?limit=a-secret-in-the-wrong-place")
    assert answer.status_code == 422
    assert "a-secret" not in answer.text


def test_an_unexpected_error_is_told_in_general_words_and_logged_whole(
    site: Any, problem: Any
) -> None:
    def broken() -> dict[str, Any]:
        raise RuntimeError("the password is swordfish")

    client = site.client(camera_status=broken)
    with capture_logs() as logs:
        answer = client.get("/api/v1/points")
    document = problem(answer, 500, "internal")
    assert "swordfish" not in answer.text
    assert answer.headers["x-request-id"] in document["hint"]
    assert answer.headers["content-security-policy"]
    assert [one["event"] for one in logs] == ["request failed", "request"]
    assert logs[0]["exc_info"]


def test_a_browser_gets_errors_as_a_page(site: Any) -> None:
    headers = {"Accept": "text/html,*/*;q=0.8"}
    answer = site.client().get("/events/nothing?lang=zh", headers=headers)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "没有这一页，或这个事件不存在" in answer.text
    site.ledger.fault = StoreUnavailable("db.internal does not answer")
    answer = site.client().get("/?lang=en", headers=headers)
    assert answer.status_code == 503
    assert "Events cannot be read right now" in answer.text
    assert "db.internal" not in answer.text


@pytest.mark.parametrize("path", ["/", "/livez", "/nothing", "/static/page.css", "/openapi.json"])
def test_every_answer_has_the_safe_headers(site: Any, path: str) -> None:
    headers = site.client().get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith(
        "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'"
    )
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-request-id"]


def test_pictures_from_the_s3_server_are_let_in(site: Any) -> None:
    answer = site.client(picture_origin="https://s3.example.org").get("/")
    assert "img-src 'self' https://s3.example.org;" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1.2_3", True), ("a b", False), ("a\tb", False), ("x" * 65, False)]
)
def test_a_request_id_is_kept_if_it_is_harmless(site: Any, given: str, kept: bool) -> None:
    answer = site.client().get("/livez", headers={"X-Request-Id": given})
    assert (answer.headers["x-request-id"] == given) is kept


def test_each_request_is_one_line_without_its_query(site: Any) -> None:
    with capture_logs() as logs:
        site.client().get("/api/v1/events?cursor=secret", headers={"X-Request-Id": "r1"})
        site.client().get("/livez")
    lines = [one for one in logs if one["event"] == "request"]
    assert [(one["path"], one["status"], one["log_level"]) for one in lines] == [
        ("/api/v1/events", 422, "info"),
        ("/livez", 200, "debug"),
    ]
    assert "secret" not in str(lines)


def test_ready_or_not_with_what_to_do(site: Any, problem: Any) -> None:
    assert site.client().get("/livez").json() == {"status": "alive"}
    assert site.client().get("/readyz").json() == {"status": "ready"}
    wrong = [Problem("ledger", "does not answer", "start PostgreSQL"), Problem("p1-c1", "no frame")]
    client = site.client(readiness=lambda: wrong)
    document = problem(client.get("/readyz"), 503, "not-ready")
    assert document["detail"] == "ledger: does not answer; p1-c1: no frame"
    assert document["problems"][0] == {
        "name": "ledger",
        "what": "does not answer",
        "hint": "start PostgreSQL",
    }
    assert client.get("/livez").status_code == 200


def test_metrics_are_those_of_the_registry(site: Any) -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry, message_counts=site.ledger.counts)
    metrics.frame("p1-c1")
    site.add_event()
    answer = site.client(registry=registry).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'brimwatch_frames_total{camera_id="p1-c1"} 1.0' in answer.text
    assert 'brimwatch_messages{state="delivered"} 1.0' in answer.text


def test_the_description_names_every_route_and_its_problems(site: Any) -> None:
    schema = site.client().get("/openapi.json").json()
    assert set(schema["paths"]) == {
        "/api/v1/cameras/{camera_id}/frames",
        "/api/v1/events",
        "/api/v1/events/{event_id}",
        "/api/v1/points",
        "/evidence/{key}",
        "/livez",
        "/metrics",
        "/readyz",
    }
    push = schema["paths"]["/api/v1/cameras/{camera_id}/frames"]["post"]
    assert list(push["requestBody"]["content"]) == ["image/jpeg"]
    assert push["security"] == [{"HTTPBearer": []}]
    for status in ("401", "413", "422"):
        assert list(push["responses"][status]["content"]) == ["application/problem+json"]
    models = schema["components"]["schemas"]
    assert "ProblemDocument" in models
    assert "HTTPValidationError" not in models
    assert all(
        "example" in models[name] for name in ("EventSummary", "FrameTaken", "PointStanding")
    )
