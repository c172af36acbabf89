"""The delivery: takes due messages out of the outbox and posts them to their receivers.

One thread looks into the outbox and hands each receiver its messages; each receiver has a thread of
its own while it has work, so one that hangs holds up nobody else. At least once: a message that was
posted but could not be noted is noted later, and after a crash in between it is posted again with
the same id.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog

from pipeline.delivery import cloud_events, signature
from pipeline.delivery.breaker import Breaker
from pipeline.delivery.cloud_events import Links, MessageTooLarge
from pipeline.delivery.post import Transport, post
from pipeline.delivery.receivers import check_receiver
from pipeline.delivery.schedule import Outcome, Result, judge
from pipeline.domain import Message, Receiver, rfc3339
from pipeline.errors import ConfigError, StoreError
from pipeline.store import EvidenceStore, Outbox

LINK_LIFETIME = timedelta(days=7)
"""How long a receiver can open a picture. Shorter than its holidays and links die unread; longer
and a leaked message shows pictures for longer. A link is made anew at each attempt."""

POLL = timedelta(seconds=2)
"""At most this long until a message that another process recorded is noticed."""

STORE_PAUSE = timedelta(seconds=30)
"""How long to leave a store alone that just failed."""

_ROUND = 20
"""Messages taken in one go."""
_GRACE_S = 3.0
"""How long a stop waits for posts under way. One cut off stays in the outbox and is sent again."""

_log = structlog.get_logger(__name__)


class Delivery:
    """Delivers what is due, once (`deliver_due`) or until stopped (`run`).

    ``outbox`` and ``evidence_store`` are used from several threads at once. ``source`` names this
    system to receivers: ``urn:brimwatch:<site>``. ``clock`` tells the real time in UTC (receivers
    refuse signatures more than five minutes off, so never a clock that runs faster); ``random``
    gives numbers in [0, 1). ``on_attempt`` is told of each attempt, from a delivery thread, after
    it was noted. ``transport`` None: the network.

    Raises ConfigError when a receiver cannot be sent to.
    """

    def __init__(
        self,
        outbox: Outbox,
        evidence_store: EvidenceStore,
        receivers: Mapping[str, Receiver],
        *,
        source: str,
        clock: Callable[[], datetime],
        random: Callable[[], float],
        link_lifetime: timedelta = LINK_LIFETIME,
        transport: Transport | None = None,
        on_attempt: Callable[[Message, Outcome], None] | None = None,
    ) -> None:
        for name, receiver in receivers.items():
            if name != receiver.name:
                raise ConfigError(f"receiver {receiver.name!r} is listed under the name {name!r}")
            check_receiver(receiver)
        self._outbox = outbox
        self._evidence_store = evidence_store
        self._receivers = dict(receivers)
        self._source = source
        self._clock = clock
        self._random = random
        self._link_lifetime = link_lifetime
        self._transport = transport
        self._on_attempt = on_attempt
        self._breakers = dict.fromkeys(self._receivers, Breaker())
        self._busy: dict[str, threading.Thread] = {}
        self._unnoted: dict[str, Outcome] = {}
        self._warned_of: set[str] = set()
        self._woken = threading.Event()
        self._stopping = threading.Event()

    def wake(self) -> None:
        """Look into the outbox now: something was recorded. Cheap, from any thread."""
        self._woken.set()

    def deliver_due(self) -> int:
        """Try each message that is due now once; how many were delivered.

        Receivers go side by side; returns when the slowest is done. Not to be called while `run`
        runs. Raises StoreError when the outbox cannot be read.
        """
        self._stopping.clear()
        lanes = self._due(self._clock())
        if not lanes:
            return 0
        with ThreadPoolExecutor(len(lanes), thread_name_prefix="deliver") as pool:
            return sum(pool.map(self._deliver, lanes, lanes.values()))

    def run(self, stop: threading.Event) -> None:
        """Deliver until ``stop`` is set (noticed within `POLL`, at once with a `wake` after it).

        An outbox that fails is logged and looked into again after `STORE_PAUSE`.
        """
        self._stopping.clear()
        while not stop.is_set():
            self._woken.clear()
            try:
                self._start_lanes()
                pause = self._pause()
            except StoreError as error:
                pause = STORE_PAUSE
                _log.warning("outbox_failed", error=str(error), again_in_s=pause.total_seconds())
            self._rest(pause, stop)
        self._stopping.set()
        end = time.monotonic() + _GRACE_S
        for thread in list(self._busy.values()):
            thread.join(max(0.0, end - time.monotonic()))

    def _start_lanes(self) -> None:
        for name, messages in self._due(self._clock()).items():
            # A daemon: a receiver that hangs must not keep the process from ending.
            thread = threading.Thread(
                target=self._work, args=(name, messages), name=f"deliver-{name}", daemon=True
            )
            self._busy[name] = thread
            thread.start()

    def _work(self, name: str, messages: Sequence[Message]) -> None:
        try:
            self._deliver(name, messages)
        finally:
            self._busy.pop(name, None)
            self.wake()

    def _pause(self) -> timedelta:
        now = self._clock()
        times = [self._outbox.next_due_at(), *(b.open_until for b in self._breakers.values())]
        return min([POLL, *(t - now for t in times if t is not None and t > now)])

    def _rest(self, pause: timedelta, stop: threading.Event) -> None:
        # In steps, so that a stop without a wake is noticed; a wake ends it.
        left = pause.total_seconds()
        while left > 0 and not stop.is_set():
            step = min(left, POLL.total_seconds())
            if self._woken.wait(step):
                return
            left -= step

    def _due(self, now: datetime) -> dict[str, list[Message]]:
        """Messages to try now by receiver, oldest first, for receivers free and not paused.

        The outbox is asked again without those found, until nobody else has anything: so one
        receiver's backlog, or one that is down, cannot hide the messages of the others.
        """
        # Asked before the outbox is read: a receiver that gets free in between has just delivered
        # messages that this reading still shows as waiting.
        busy = set(self._busy)
        held = {name for name, breaker in self._breakers.items() if not breaker.allows(now)}
        passed_over = busy | held | self._warned_of
        lanes: dict[str, list[Message]] = defaultdict(list)
        while True:
            messages = self._outbox.due(now, limit=_ROUND, besides=passed_over)
            for message in messages:
                if message.receiver in self._receivers:
                    lanes[message.receiver].append(message)
                else:
                    self._warn_of_unknown(message)
            if len(messages) < _ROUND:
                return lanes
            passed_over |= {message.receiver for message in messages}

    def _warn_of_unknown(self, message: Message) -> None:
        if message.receiver not in self._warned_of:
            self._warned_of.add(message.receiver)
            _log.warning(
                "receiver_not_configured",
                receiver=message.receiver,
                message_id=message.message_id,
                hint="its messages wait: configure the receiver again to deliver them",
            )

    def _deliver(self, name: str, messages: Sequence[Message]) -> int:
        delivered = 0
        for message in messages:
            if self._stopping.is_set() or not self._breakers[name].allows(self._clock()):
                break
            try:
                outcome = self._unnoted.get(message.message_id) or self._attempt(message)
                self._note(message, outcome)
            except StoreError as error:
                self._breakers[name] = self._breakers[name].held(self._clock() + STORE_PAUSE)
                _log.warning(
                    "store_failed",
                    receiver=name,
                    message_id=message.message_id,
                    error=str(error),
                    again_in_s=STORE_PAUSE.total_seconds(),
                )
                break
            delivered += outcome.result is Result.DELIVERED
        return delivered

    def _attempt(self, message: Message) -> Outcome:
        """Post one message once. Raises StoreError when its links cannot be made."""
        receiver = self._receivers[message.receiver]
        attempt = message.attempts + 1
        try:
            body = cloud_events.encode(message, source=self._source, links=self._links(message))
            signed = signature.headers([receiver.secret], message.message_id, self._clock(), body)
        except (MessageTooLarge, ValueError) as error:
            return Outcome(Result.DEAD, attempt, error=f"cannot be sent: {error}")
        headers = {"content-type": cloud_events.CONTENT_TYPE, "user-agent": "Brimwatch", **signed}
        answer = post(receiver, headers, body, self._transport)
        now = self._clock()
        outcome = judge(answer, attempt=attempt, now=now, random=self._random())
        self._breakers[receiver.name] = self._breakers[receiver.name].after(outcome, now)
        return outcome

    def _links(self, message: Message) -> Links:
        expires = self._clock() + self._link_lifetime
        return {
            key: (self._evidence_store.url(key, self._link_lifetime), expires)
            for key in cloud_events.evidence_keys(message)
        }

    def _note(self, message: Message, outcome: Outcome) -> None:
        """Write the outcome down; if that fails, keep it to be written next time, not posted."""
        self._unnoted[message.message_id] = outcome
        now = self._clock()
        if outcome.result is Result.DELIVERED:
            self._outbox.mark_delivered(message.message_id, now)
        else:
            self._outbox.mark_failed(
                message.message_id,
                at=now,
                next_attempt_at=outcome.next_attempt_at,
                error=outcome.error,
            )
        del self._unnoted[message.message_id]
        _log_outcome(message, outcome)
        if self._on_attempt is not None:
            self._on_attempt(message, outcome)


def _log_outcome(message: Message, outcome: Outcome) -> None:
    about = _log.bind(
        message_id=message.message_id,
        type=message.type.value,
        subject=message.subject,
        receiver=message.receiver,
        status=outcome.status,
        attempt=outcome.attempt,
    )
    if outcome.result is Result.DELIVERED:
        about.info("message_delivered")
    elif outcome.next_attempt_at is not None:
        again = rfc3339(outcome.next_attempt_at)
        about.warning("message_failed", error=outcome.error, next_attempt_at=again)
    else:
        about.error(
            "message_dead", error=outcome.error, hint="it stays in the outbox: ask the receiver why"
        )
