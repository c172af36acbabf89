from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import standardwebhooks
from delivery_desk import NOON, SECRET, Desk, receiver
from faulty_receiver import (
    FaultyReceiver,
    close_without_answer,
    drip_headers,
    hang,
    ok_then_close,
    reply,
    slow,
)
from structlog.testing import capture_logs

from api.county_server import county_running
from pipeline.delivery import cloud_events
from pipeline.delivery.schedule import Result
from pipeline.delivery.sender import Delivery
from pipeline.domain import MessageState, MessageType
from pipeline.errors import ConfigError, StoreUnavailable
from pipeline.store.memory import MemoryEvidence, MemoryLedger
from pipeline.store.sql import SqlLedger

Faulty = Callable[..., FaultyReceiver]


@contextmanager
def running(delivery: Delivery) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=delivery.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        delivery.wake()
        thread.join(10)
        assert not thread.is_alive(), "a stop must end the delivery"


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_the_county_gets_a_confirmed_event_once(desk: Desk) -> None:
    with county_running([SECRET], None, clock=desk.clock) as url:
        (message_id,) = desk.tell("county")
        delivery = desk.delivery(receiver("county", f"{url}/events"))
        assert delivery.deliver_due() == 1
        assert delivery.deliver_due() == 0
        (got,) = httpx.get(f"{url}/received.json", trust_env=False).json()
        counts = httpx.get(f"{url}/counts.json", trust_env=False).json()
    assert got["id"] == message_id
    assert got["type"] == "cn.brimwatch.event.confirmed.v1"
    assert got["data"]["point"]["name"] == "人民路小学东侧"
    assert got["data"]["evidence"][0]["url"].startswith("memory:")
    assert counts == {"received": 1, "duplicates": 0, "refused": 0}
    assert desk.message(message_id).state is MessageState.DELIVERED
    assert desk.message(message_id).delivered_at == desk.clock.now


def test_what_is_sent_is_what_the_standard_asks_for(desk: Desk, faulty: Faulty) -> None:
    county = faulty(reply(204))
    (message_id,) = desk.tell("county")
    desk.clock.now = desk.clock.now.now(desk.clock.now.tzinfo)  # the library reads the real clock
    assert desk.delivery(receiver("county", county.url)).deliver_due() == 1
    (request,) = county.requests
    assert request.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert request.headers["webhook-id"] == message_id
    event = standardwebhooks.Webhook(SECRET).verify(request.body, dict(request.headers))
    assert event["source"] == "urn:brimwatch:test"
    assert event["data"]["kind_name"] == "垃圾满溢"


def test_cleared_follows_confirmed(desk: Desk) -> None:
    with county_running([SECRET], None, clock=desk.clock) as url:
        desk.tell("county")
        desk.tell("county", type_=MessageType.EVENT_CLEARED)
        delivery = desk.delivery(receiver("county", f"{url}/events"))
        assert [delivery.deliver_due() for _ in range(3)] == [1, 1, 0]
        got = httpx.get(f"{url}/received.json", trust_env=False).json()
    assert [one["type"].split(".")[3] for one in got] == ["confirmed", "cleared"]


def test_a_receiver_that_fails_once_gets_the_same_message_again(desk: Desk, faulty: Faulty) -> None:
    county = faulty(reply(500, body=b"  out of\norder "), reply(200))
    (message_id,) = desk.tell("county")
    delivery = desk.delivery(receiver("county", county.url))
    with capture_logs() as logs:
        assert delivery.deliver_due() == 0
        failed = desk.message(message_id)
        assert failed.state is MessageState.WAITING
        assert failed.last_error == "answered 500: out of order"
        assert failed.next_attempt_at == NOON + timedelta(seconds=5)
        desk.clock.forward(seconds=4)
        assert delivery.deliver_due() == 0
        desk.clock.forward(seconds=1)
        assert delivery.deliver_due() == 1
    first, second = county.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == message_id
    assert int(second.headers["webhook-timestamp"]) == int(first.headers["webhook-timestamp"]) + 5
    assert b"2026-06-08T04:00:05Z" in second.body, "links are made anew at each attempt"
    assert [(line["event"], line["attempt"]) for line in logs] == [
        ("message_failed", 1),
        ("message_delivered", 2),
    ]
    assert logs[0]["receiver"] == "county"
    assert logs[0]["next_attempt_at"] == "2026-06-01T04:00:05Z"
    assert SECRET not in repr(logs)
    assert [outcome.result for _, outcome in desk.attempts] == [Result.FAILED, Result.DELIVERED]


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (close_without_answer(), "RemoteProtocolError"),
        (ok_then_close(), "RemoteProtocolError"),
        (hang(), "no complete answer within 1 s"),
        (drip_headers(0.05), "no complete answer within 1 s"),
        (reply(302, {"location": "/elsewhere"}), "a redirect: not followed"),
        (reply(404), "answered 404"),
    ],
)
def test_what_is_no_success_is_tried_again(
    desk: Desk, faulty: Faulty, behaviour: Callable[..., None], says: str
) -> None:
    county = faulty(behaviour)
    (message_id,) = desk.tell("county")
    assert desk.delivery(receiver("county", county.url, timeout_s=1)).deliver_due() == 0
    assert says in desk.message(message_id).last_error
    assert desk.message(message_id).next_attempt_at == desk.clock.now + timedelta(seconds=5)
    assert [request.path for request in county.requests] == ["/events"], "no redirect is followed"


def test_nobody_listening(desk: Desk, faulty: Faulty) -> None:
    with FaultyReceiver([reply(200)]) as gone:
        url = gone.url
    (message_id,) = desk.tell("county")
    assert desk.delivery(receiver("county", url)).deliver_due() == 0
    assert "ConnectError" in desk.message(message_id).last_error


def test_an_endless_answer_is_not_read_to_its_end(desk: Desk, faulty: Faulty) -> None:
    county = faulty(reply(200, {"content-type": "text/plain"}, b"x" * 20_000_000))
    desk.tell("county")
    assert desk.delivery(receiver("county", county.url)).deliver_due() == 1


def test_410_ends_the_message(desk: Desk, faulty: Faulty) -> None:
    county = faulty(reply(410))
    (message_id,) = desk.tell("county")
    with capture_logs() as logs:
        assert desk.delivery(receiver("county", county.url)).deliver_due() == 0
    assert desk.message(message_id).state is MessageState.DEAD
    assert "the receiver disabled it" in desk.message(message_id).last_error
    assert logs[0]["event"] == "message_dead"


def test_a_revived_message_comes_again_under_its_id_and_lets_those_behind_it_follow(
    desk: Desk, faulty: Faulty
) -> None:
    county = faulty(reply(410), reply(200))
    (confirmed,) = desk.tell("county")
    (cleared,) = desk.tell("county", type_=MessageType.EVENT_CLEARED)
    delivery = desk.delivery(receiver("county", county.url))
    assert delivery.deliver_due() == 0
    desk.clock.forward(hours=1)
    assert delivery.deliver_due() == 0, "a dead message holds back the later one of its event"

    assert desk.ledger.revive(confirmed, desk.clock.now)
    assert [delivery.deliver_due() for _ in range(2)] == [1, 1]
    ids = [request.headers["webhook-id"] for request in county.requests]
    assert ids == [confirmed, confirmed, cleared]


def test_retry_after_is_obeyed_for_all_messages_of_the_receiver(desk: Desk, faulty: Faulty) -> None:
    county = faulty(reply(429, {"retry-after": "120"}), reply(200))
    desk.tell("county", number=1)
    desk.tell("county", number=2)
    delivery = desk.delivery(receiver("county", county.url))
    assert delivery.deliver_due() == 0
    assert len(county.requests) == 1
    desk.clock.forward(seconds=119)
    assert delivery.deliver_due() == 0
    desk.clock.forward(seconds=1)
    assert delivery.deliver_due() == 2


def test_a_receiver_that_is_down_does_not_use_up_the_attempts(desk: Desk, faulty: Faulty) -> None:
    county = faulty(reply(503))
    for number in range(10):
        desk.tell("county", number=number)
    delivery = desk.delivery(receiver("county", county.url))
    delivery.deliver_due()
    delivery.deliver_due()
    assert len(county.requests) == 3


def test_a_message_too_large_is_given_up_with_a_reason(desk: Desk, faulty: Faulty) -> None:
    county = faulty(reply(200))
    (message_id,) = desk.tell("county")
    delivery = desk.delivery(receiver("county", county.url), source="urn:brimwatch:" + "x" * 20_000)
    assert delivery.deliver_due() == 0
    assert desk.message(message_id).state is MessageState.DEAD
    assert "at most 20000 are sent" in desk.message(message_id).last_error
    assert county.requests == []


def test_a_hanging_receiver_holds_up_nobody_else(desk: Desk, faulty: Faulty) -> None:
    stuck, county = faulty(hang()), faulty(reply(200))
    desk.tell("stuck", "county", number=1)
    delivery = desk.delivery(
        receiver("stuck", stuck.url, timeout_s=60), receiver("county", county.url)
    )
    with running(delivery):
        until(lambda: len(county.requests) == 1 and len(stuck.requests) == 1)
        for number in range(2, 30):  # more than one look into the outbox shows
            desk.tell("stuck", number=number)
        desk.tell("county", number=30)
        delivery.wake()
        until(lambda: len(county.requests) == 2)
        assert len(stuck.requests) == 1
        stuck.release()


def test_a_stop_does_not_wait_for_a_receiver_that_hangs(
    desk: Desk, faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.delivery.sender._GRACE_S", 0.1)
    stuck = faulty(hang())
    (message_id,) = desk.tell("stuck")
    with running(desk.delivery(receiver("stuck", stuck.url, timeout_s=60))):
        until(lambda: len(stuck.requests) == 1)
    assert desk.message(message_id).state is MessageState.WAITING
    stuck.release()


def test_a_wake_delivers_at_once(
    desk: Desk, faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.delivery.sender.POLL", timedelta(minutes=1))
    county = faulty(reply(200))
    delivery = desk.delivery(receiver("county", county.url))
    with running(delivery):
        time.sleep(0.1)
        desk.tell("county")
        delivery.wake()
        until(lambda: desk.ledger.counts()[MessageState.DELIVERED] == 1)


def test_what_another_process_recorded_is_noticed(
    desk: Desk, faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.delivery.sender.POLL", timedelta(seconds=0.1))
    county = faulty(reply(200))
    with running(desk.delivery(receiver("county", county.url))):
        time.sleep(0.2)
        desk.tell("county")
        until(lambda: len(county.requests) == 1)


def test_a_look_that_was_overtaken_by_a_delivery_sends_nothing_twice(faulty: Faulty) -> None:
    class Overtaken(MemoryLedger):
        looks = 0

        def due(self, *args: object, **options: object) -> list[object]:  # type: ignore[override]
            found = super().due(*args, **options)  # type: ignore[arg-type]
            self.looks += 1
            if self.looks == 2:
                until(lambda: self.counts()[MessageState.DELIVERED] == 1)
                time.sleep(0.1)
            return found  # type: ignore[return-value]

    desk = Desk(ledger=Overtaken())
    county = faulty(slow(0.3, reply(200)))
    desk.tell("county")
    delivery = desk.delivery(receiver("county", county.url))
    with running(delivery):
        until(lambda: len(county.requests) == 1)
        delivery.wake()
        until(lambda: desk.ledger.looks >= 3)  # type: ignore[union-attr]
        time.sleep(0.1)
    assert len(county.requests) == 1


def test_an_idle_delivery_hardly_looks_into_the_outbox(faulty: Faulty) -> None:
    class Counted(MemoryLedger):
        looks = 0

        def due(self, *args: object, **options: object) -> list[object]:  # type: ignore[override]
            self.looks += 1
            return super().due(*args, **options)  # type: ignore[arg-type,return-value]

    desk = Desk(ledger=Counted())
    county = faulty(hang())
    desk.tell("county", "nobody")
    with running(desk.delivery(receiver("county", county.url, timeout_s=60))), capture_logs():
        time.sleep(0.7)
        county.release()
    assert desk.ledger.looks <= 4  # type: ignore[attr-defined]


def test_a_receiver_gone_from_the_configuration_is_warned_of_once(
    desk: Desk, faulty: Faulty
) -> None:
    county = faulty(reply(200))
    waiting = [id_ for number in range(30) for id_ in desk.tell("closed-county", number=number)]
    desk.tell("county", number=31)
    delivery = desk.delivery(receiver("county", county.url))
    with capture_logs() as logs:
        assert delivery.deliver_due() == 1, "its messages must not hide those of others"
        assert delivery.deliver_due() == 0
    warnings = [line for line in logs if line["event"] == "receiver_not_configured"]
    assert [line["receiver"] for line in warnings] == ["closed-county"]
    assert {desk.message(id_).state for id_ in waiting} == {MessageState.WAITING}
    assert {desk.message(id_).attempts for id_ in waiting} == {0}


def test_the_backlog_of_a_receiver_hides_nobody(desk: Desk, faulty: Faulty) -> None:
    down, city, village = faulty(reply(503)), faulty(reply(200)), faulty(reply(200))
    for number in range(60):
        desk.tell("county", number=number)
        desk.clock.forward(seconds=1)
    delivery = desk.delivery(
        *(
            receiver(name, each.url)
            for name, each in {"county": down, "city": city, "village": village}.items()
        )
    )
    assert delivery.deliver_due() == 0
    for number in range(60, 90):
        desk.tell("city", number=number)
    desk.tell("village", number=90)
    assert delivery.deliver_due() == 21, "a round of the city's, and the village's one"
    assert len(village.requests) == 1


def test_an_outbox_that_fails_is_looked_into_again(
    desk: Desk, faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.delivery.sender.STORE_PAUSE", timedelta(seconds=0.1))
    county = faulty(reply(200))
    desk.tell("county")
    desk.ledger.fault = StoreUnavailable("the database is away")
    with capture_logs() as logs, running(desk.delivery(receiver("county", county.url))):
        until(lambda: any(line["event"] == "outbox_failed" for line in logs))
        desk.ledger.fault = None
        until(lambda: len(county.requests) == 1)


def test_a_delivery_that_could_not_be_noted_is_noted_later_and_not_sent_again(
    faulty: Faulty,
) -> None:
    class FullAfterwards(MemoryLedger):
        full = True

        def mark_delivered(self, *args: object, **options: object) -> None:
            if self.full:
                raise StoreUnavailable("no space left")
            super().mark_delivered(*args, **options)  # type: ignore[arg-type]

    desk = Desk(ledger=FullAfterwards())
    county = faulty(reply(200))
    (message_id,) = desk.tell("county")
    delivery = desk.delivery(receiver("county", county.url))
    assert delivery.deliver_due() == 0
    desk.ledger.full = False  # type: ignore[attr-defined]
    desk.clock.forward(seconds=30)
    assert delivery.deliver_due() == 1
    assert len(county.requests) == 1
    assert desk.message(message_id).state is MessageState.DELIVERED


def test_no_link_no_message_until_the_store_is_back(faulty: Faulty) -> None:
    class Away(MemoryEvidence):
        away = True

        def url(self, key: str, lifetime: timedelta) -> str:
            if self.away:
                raise StoreUnavailable("the evidence store does not answer")
            return super().url(key, lifetime)

    desk = Desk(evidence=Away())
    county = faulty(reply(200))
    (message_id,) = desk.tell("county")
    delivery = desk.delivery(receiver("county", county.url))
    assert delivery.deliver_due() == 0
    assert desk.message(message_id).attempts == 0, "our own fault costs no attempt"
    assert county.requests == []
    desk.evidence.away = False  # type: ignore[attr-defined]
    desk.clock.forward(seconds=30)
    assert delivery.deliver_due() == 1


def test_after_a_crash_between_sending_and_noting_the_county_knows_the_repetition(
    desk: Desk,
) -> None:
    with county_running([SECRET], None, clock=desk.clock) as url:
        desk.tell("county")
        desk.delivery(receiver("county", f"{url}/events")).deliver_due()
        restarted = Desk(clock=desk.clock)  # its outbox never heard of the delivery
        restarted.tell("county")
        assert restarted.delivery(receiver("county", f"{url}/events")).deliver_due() == 1
        counts = httpx.get(f"{url}/counts.json", trust_env=False).json()
    assert counts == {"received": 1, "duplicates": 1, "refused": 0}


def test_with_the_real_ledger_each_receiver_gets_every_message_once(tmp_path: Path) -> None:
    with closing(SqlLedger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")) as ledger:
        desk = Desk(ledger=ledger)
        with (
            county_running([SECRET], tmp_path / "first", clock=desk.clock) as first,
            county_running([SECRET], tmp_path / "second", clock=desk.clock) as second,
        ):
            delivery = desk.delivery(
                receiver("first", f"{first}/events"), receiver("second", f"{second}/events")
            )
            with running(delivery):
                for number in range(15):
                    desk.tell("first", "second", number=number)
                    desk.tell("first", "second", number=number, type_=MessageType.EVENT_CLEARED)
                    delivery.wake()
                until(lambda: ledger.counts()[MessageState.DELIVERED] == 60, 60)
            for url in (first, second):
                counts = httpx.get(f"{url}/counts.json", trust_env=False).json()
                assert counts == {"received": 30, "duplicates": 0, "refused": 0}
                told: dict[str, list[str]] = {}
                for got in httpx.get(f"{url}/received.json", trust_env=False).json():
                    told.setdefault(got["subject"], []).append(got["type"].split(".")[3])
                assert list(told.values()) == [["confirmed", "cleared"]] * 15


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://county.example/events", "http:// or https://"),
        ("file:///etc/passwd", "http:// or https://"),
        ("county.example/events", "http:// or https://"),
        ("http://", "http:// or https://"),
        ("http://[::1/events", "not a URL"),
        ("http://county.example:99999/", "not a URL"),
        ("http://user:pass@county.example/", "no user name or password"),
        ("https://county.example/#part", "no #fragment"),
        ("http://169.254.169.254/latest/meta-data", "their own credentials"),
        ("http://[fe80::1]/", "their own credentials"),
        ("http://[::ffff:169.254.169.254]/", "their own credentials"),
        ("http://100.100.100.200/latest/meta-data", "their own credentials"),
    ],
)
def test_a_receiver_that_must_not_be_sent_to(desk: Desk, url: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        desk.delivery(receiver("county", url))
    assert "receiver 'county'" in str(caught.value)
    assert "pass@" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://10.3.0.9:8080/push", "https://county.example/a?b=c"])
def test_private_addresses_are_allowed(desk: Desk, url: str) -> None:
    desk.delivery(receiver("county", url))


def test_a_receiver_with_an_unusable_secret_or_time_out(desk: Desk) -> None:
    fine = receiver("county", "https://county.example/")
    with pytest.raises(ConfigError, match="receiver 'county': secret"):
        desk.delivery(type(fine)("county", fine.url, "hunter2"))
    with pytest.raises(ConfigError, match="timeout_s must be over 0"):
        desk.delivery(type(fine)("county", fine.url, SECRET, 0))


def test_bodies_stay_under_the_standards_limit() -> None:
    assert cloud_events.BODY_LIMIT <= 20 * 1024
