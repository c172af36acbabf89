"""Everything that Brimwatch counts, under its Prometheus names.

The engine and the delivery call the methods; the service shows the registry at ``/metrics``. Labels
are ids from the configuration and members of enumerations only, so their number is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from pipeline.domain import EventKind, EventState, MessageState, Quality
from pipeline.errors import StoreError

# One call of a 640×640 network takes 10 to 60 ms on two CPU cores, a full batch up to a second.
_DETECT_BUCKETS_S = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12)
_BATCH_BUCKETS = (1, 2, 4, 8, 16, 32)


class Metrics:
    """The counters of one process, made once for each registry.

    ``message_counts`` (`Outbox.counts`) is asked at each scrape, so that ``brimwatch_messages`` is
    what the outbox holds now, whoever put it there; leave it out where there is no outbox.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        message_counts: Callable[[], Mapping[MessageState, int]] | None = None,
    ) -> None:
        self._frames = Counter(
            "brimwatch_frames", "Frames that came in.", ["camera_id"], registry=registry
        )
        self._looks = Counter(
            "brimwatch_looks",
            "Frames that were looked at, by what their picture was worth.",
            ["camera_id", "quality"],
            registry=registry,
        )
        self._events = Counter(
            "brimwatch_events",
            "Steps in the life of an event, by the state it went into.",
            ["kind", "state"],
            registry=registry,
        )
        self._detect_seconds = Histogram(
            "brimwatch_detect_seconds",
            "Time of one call of the detector (a batch of frames).",
            buckets=_DETECT_BUCKETS_S,
            registry=registry,
        )
        self._detect_batch = Histogram(
            "brimwatch_detect_batch_frames",
            "Frames in one call of the detector.",
            buckets=_BATCH_BUCKETS,
            registry=registry,
        )
        self._belief = Gauge(
            "brimwatch_belief",
            "Probability that the zone is overflowing now.",
            ["camera_id", "zone_id"],
            registry=registry,
        )
        self._attempts = Counter(
            "brimwatch_delivery_attempts",
            "Attempts to deliver a message, by how they ended.",
            ["receiver", "outcome"],
            registry=registry,
        )
        if message_counts is not None:
            registry.register(_MessagesCollector(message_counts))

    def frame(self, camera_id: str) -> None:
        """A frame came in."""
        self._frames.labels(camera_id).inc()

    def look(self, camera_id: str, quality: Quality) -> None:
        """A frame was looked at."""
        self._looks.labels(camera_id, quality.value).inc()

    def transition(self, kind: EventKind, state: EventState) -> None:
        """An event went into ``state``."""
        self._events.labels(kind.value, state.value).inc()

    def detect(self, seconds: float, batch: int) -> None:
        """One call of the detector took ``seconds`` for ``batch`` frames."""
        self._detect_seconds.observe(seconds)
        self._detect_batch.observe(batch)

    def belief(self, camera_id: str, zone_id: str, value: float) -> None:
        """The belief of a zone is now ``value`` (0..1)."""
        self._belief.labels(camera_id, zone_id).set(value)

    def attempt(self, receiver: str, ok: bool) -> None:
        """One attempt to deliver a message ended."""
        self._attempts.labels(receiver, "delivered" if ok else "failed").inc()


class _MessagesCollector(Collector):
    """``brimwatch_messages{state}``: a gauge read from the outbox at each scrape."""

    def __init__(self, counts: Callable[[], Mapping[MessageState, int]]) -> None:
        self._counts = counts

    def describe(self) -> Iterator[GaugeMetricFamily]:
        # Named here, so that registering does not already ask a ledger that may be away.
        yield self._family()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = self._family()
        try:
            counts = self._counts()
        except StoreError:
            # The other figures are wanted most when the ledger is away; /readyz says that it is.
            return
        for state in MessageState:
            family.add_metric([state.value], counts.get(state, 0))
        yield family

    @staticmethod
    def _family() -> GaugeMetricFamily:
        return GaugeMetricFamily(
            "brimwatch_messages", "Messages in the outbox, by state.", labels=["state"]
        )
