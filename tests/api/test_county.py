from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer import Typer
from typer.testing import CliRunner

from api.county import create_county_app
from api.county_command import county_command, read_secrets
from api.county_server import STORE_NAME, county_running, run_county
from pipeline.delivery import signature
from pipeline.errors import ConfigError, StoreUnavailable

NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
SECRET = signature.new_secret(bytes(range(32)))
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


def event(id_: str = "m1", *, type_: str = "confirmed", **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id_,
        "source": "urn:brimwatch:hehe-street",
        "type": f"cn.brimwatch.event.{type_}.v1",
        "subject": "event-1",
        "time": "2026-06-01T03:59:00Z",
        "datacontenttype": "application/json",
        "data": {"event_id": "event-1", "point": {"name": "人民路小学东侧"}, **data},
    }


def post(client: httpx.Client, document: dict[str, Any], **changes: str) -> httpx.Response:
    body = json.dumps(document).encode()
    headers = signature.headers([SECRET], str(document["id"]), NOW, body)
    return client.post(
        "/events", content=body, headers={"content-type": CONTENT_TYPE, **headers, **changes}
    )


@contextmanager
def county(
    keep: Path | None = None, secrets: tuple[str, ...] = (SECRET,)
) -> Iterator[httpx.Client]:
    with (
        county_running(secrets, keep, clock=lambda: NOW) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


def problem(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    content: dict[str, Any] = response.json()
    assert content["status"] == response.status_code
    return content


def test_a_message_is_kept_and_shown() -> None:
    with county() as client:
        answer = post(client, event())
        assert (answer.status_code, answer.json()) == (
            201,
            {"accepted": True, "disposal": "accepted"},
        )
        (kept,) = client.get("/received.json").json()
    assert kept == {
        "id": "m1",
        "source": "urn:brimwatch:hehe-street",
        "type": "cn.brimwatch.event.confirmed.v1",
        "subject": "event-1",
        "time": "2026-06-01T03:59:00Z",
        "received_at": "2026-06-01T04:00:00Z",
        "duplicates": 0,
        "data": {"event_id": "event-1", "point": {"name": "人民路小学东侧"}},
    }


def test_a_repetition_is_counted_and_not_kept_again() -> None:
    with county() as client:
        post(client, event())
        for _ in range(2):
            again = post(client, event())
            assert again.status_code == 200
            assert again.json()["duplicate"] is True
        other_site = event() | {"source": "urn:brimwatch:elsewhere"}
        assert post(client, other_site).status_code == 201
        assert client.get("/counts.json").json() == {"received": 2, "duplicates": 2, "refused": 0}
        assert [one["duplicates"] for one in client.get("/received.json").json()] == [2, 0]


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    with county(keep) as client:
        post(client, event())
    with county(keep) as client:
        assert post(client, event()).json()["duplicate"] is True
        assert client.get("/counts.json").json()["received"] == 1


@pytest.mark.parametrize(
    ("changes", "status", "title"),
    [
        ({"webhook-signature": "v1,AAAA"}, 401, "The signature is not valid"),
        ({"webhook-signature": ""}, 401, "The signature is not valid"),
        ({"webhook-id": "m2"}, 401, "The signature is not valid"),
        ({"webhook-timestamp": "1"}, 401, "The signature is not valid"),
        ({"content-type": "application/json"}, 415, "The body is of another type"),
    ],
)
def test_what_is_refused(changes: dict[str, str], status: int, title: str) -> None:
    with county() as client:
        answer = post(client, event(), **changes)
        assert answer.status_code == status
        assert problem(answer)["title"] == title
        assert client.get("/counts.json").json() == {"received": 0, "duplicates": 0, "refused": 1}


def test_a_signed_body_that_is_no_cloud_event_is_told_why() -> None:
    with county() as client:
        answer = post(client, event() | {"specversion": "0.3"})
    assert answer.status_code == 400
    assert problem(answer)["detail"] == "specversion must be '1.0', got '0.3'"


def test_the_signed_id_must_be_the_events_own() -> None:
    body = json.dumps(event("m1")).encode()
    headers = signature.headers([SECRET], "m2", NOW, body) | {"content-type": CONTENT_TYPE}
    with county() as client:
        answer = client.post("/events", content=body, headers=headers)
    assert (answer.status_code, problem(answer)["title"]) == (400, "The ids differ")


def test_a_body_over_the_limit_is_refused_before_anything_is_looked_at() -> None:
    with county() as client:
        answer = post(client, event(note="x" * 20_000))
        assert answer.status_code == 413
        assert "at most 20000 bytes" in problem(answer)["detail"]


def test_both_secrets_are_good_while_one_is_being_changed() -> None:
    new = signature.new_secret(bytes(32))
    with county(secrets=(new, SECRET)) as client:
        assert post(client, event()).status_code == 201


def test_a_store_that_cannot_keep_it_means_come_again(tmp_path: Path) -> None:
    with county(tmp_path) as client:
        with closing(sqlite3.connect(tmp_path / STORE_NAME)) as other:
            other.execute("DROP TABLE received")
        assert problem(post(client, event()))["status"] == 503


def test_the_page_is_chinese_first_and_says_what_it_is() -> None:
    with county() as client:
        empty = client.get("/").text
        post(client, event())
        cleared = event("m2", type_="cleared", simulated=True)
        cleared["data"]["evidence"] = [
            {"key": "k", "role": "after", "form": "raw", "url": "https://p.example/1.jpg"},
            {"key": "l", "role": "after", "form": "annotated", "url": "javascript:alert(1)"},
        ]
        post(client, cleared)
        answer = client.get("/")
    assert "还没有收到消息" in empty
    assert "示例接收方" in answer.text
    assert "不是任何县的真实系统" in answer.text
    assert "模拟" in answer.text
    assert answer.text.count("<article>") == 1, "one event, told of twice"
    assert answer.text.index("已确认") < answer.text.index("已清除")
    assert 'src="https://p.example/1.jpg"' in answer.text
    assert "javascript:" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_page_shows_what_a_sender_wrote_as_text_only() -> None:
    nasty = event(
        point={"name": "<script>alert(1)</script>"}, location=7, evidence="none", kind_name=[]
    )
    with county() as client:
        assert post(client, nasty).status_code == 201
        page = client.get("/").text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_unusable_secrets_and_folders_are_told_at_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least one secret"):
        create_county_app(secrets=[], store_path=None, clock=lambda: NOW)
    with pytest.raises(ConfigError, match="whsec_"):
        create_county_app(secrets=["hunter2"], store_path=None, clock=lambda: NOW)
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        create_county_app(secrets=[SECRET], store_path=blocked / "x.sqlite", clock=lambda: NOW)


def test_a_port_that_is_taken_is_a_clear_error() -> None:
    with (
        county() as client,
        pytest.raises(ConfigError, match=r"cannot listen on 127\.0\.0\.1 port"),
    ):
        run_county("127.0.0.1", client.base_url.port or 0, [SECRET], None)


def test_secrets_come_from_file_and_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BRIMWATCH_COUNTY_SECRET", raising=False)
    assert read_secrets(None, "BRIMWATCH_COUNTY_SECRET") == []
    monkeypatch.setenv("BRIMWATCH_COUNTY_SECRET", "whsec_new")
    file = tmp_path / "secret"
    file.write_text("whsec_old\n")
    assert read_secrets(file, "BRIMWATCH_COUNTY_SECRET") == ["whsec_old", "whsec_new"]
    file.write_text(" \n")
    with pytest.raises(ConfigError, match="is empty"):
        read_secrets(file, "BRIMWATCH_COUNTY_SECRET")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_secrets(tmp_path / "nowhere", "BRIMWATCH_COUNTY_SECRET")


def test_the_command_makes_a_secret_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[tuple[object, ...]] = []

    def serve(*args: object, on_listening: Any) -> None:
        served.append(args)
        on_listening("http://127.0.0.1:8090")

    monkeypatch.delenv("BRIMWATCH_COUNTY_SECRET", raising=False)
    monkeypatch.setattr("api.county_command.run_county", serve)
    app = Typer()
    app.command()(county_command)
    result = CliRunner().invoke(app, ["--port", "0"])
    assert result.exit_code == 0, result.output
    ((host, port, secrets, keep),) = served
    assert (host, port, keep) == ("127.0.0.1", 0, None)
    assert isinstance(secrets, list)
    assert result.output.count(secrets[0]) == 1
    assert "http://127.0.0.1:8090/events" in result.output
    monkeypatch.setenv("BRIMWATCH_COUNTY_SECRET", SECRET)
    assert SECRET not in CliRunner().invoke(app, []).output


def test_old_attempts_are_refused() -> None:
    body = json.dumps(event()).encode()
    headers = signature.headers([SECRET], "m1", NOW - timedelta(minutes=6), body)
    with county() as client:
        answer = client.post("/events", content=body, headers=headers)
    assert answer.status_code == 401
    assert "360 s behind our clock" in problem(answer)["detail"]
