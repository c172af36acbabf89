from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from pipeline.domain import EventKind, EventState, MessageState, Quality
from pipeline.errors import StoreUnavailable
from pipeline.metrics import Metrics


def test_everything_is_counted_under_its_name() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.frame("c1")
    metrics.frame("c1")
    metrics.look("c1", Quality.DARK)
    metrics.transition(EventKind.OVERFLOW, EventState.CONFIRMED)
    metrics.detect(0.03, 4)
    metrics.belief("c1", "bins", 0.25)
    metrics.attempt("county", True)
    metrics.attempt("county", False)
    values = {
        ("brimwatch_frames_total", (("camera_id", "c1"),)): 2,
        ("brimwatch_looks_total", (("camera_id", "c1"), ("quality", "dark"))): 1,
        ("brimwatch_events_total", (("kind", "overflow"), ("state", "confirmed"))): 1,
        ("brimwatch_detect_seconds_bucket", (("le", "0.02"),)): 0,
        ("brimwatch_detect_seconds_bucket", (("le", "0.04"),)): 1,
        ("brimwatch_detect_batch_frames_sum", ()): 4,
        ("brimwatch_belief", (("camera_id", "c1"), ("zone_id", "bins"))): 0.25,
        (
            "brimwatch_delivery_attempts_total",
            (("outcome", "delivered"), ("receiver", "county")),
        ): 1,
        ("brimwatch_delivery_attempts_total", (("outcome", "failed"), ("receiver", "county"))): 1,
    }
    for (name, labels), expected in values.items():
        assert registry.get_sample_value(name, dict(labels)) == expected, (name, labels)


def test_messages_are_counted_when_asked_for_and_left_out_while_the_outbox_is_away() -> None:
    registry = CollectorRegistry()
    away = True

    def counts() -> dict[MessageState, int]:
        if away:
            raise StoreUnavailable("the ledger does not answer")
        return dict.fromkeys(MessageState, 3)

    Metrics(registry, message_counts=counts).frame("c1")
    text = generate_latest(registry).decode()
    assert "brimwatch_frames_total" in text
    assert "brimwatch_messages{" not in text
    away = False
    assert registry.get_sample_value("brimwatch_messages", {"state": "dead"}) == 3
