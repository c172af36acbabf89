"""The life of an event, as a street office clerk could read it; then its laws, for any interleaving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.belief import Likelihood, Rates
from pipeline.domain import (
    Event,
    EventKind,
    EventState,
    MessageType,
    Observation,
    Severity,
    Verdict,
)
from pipeline.events import (
    EventRules,
    Laws,
    Phase,
    Place,
    Transition,
    ZoneLife,
    advance,
    begin,
    pass_time,
    review,
)

START = datetime(2026, 6, 1, tzinfo=UTC)
LAWS = Laws(Rates.constant(0.25, 0.7), Likelihood((0.0, 0.5, 1.0), (0.1, 0.9), (0.95, 0.05)))
PLACE = Place("p1", "p1-cam", "p1-bin", EventKind.OVERFLOW)

S, C, X = EventState.SUSPECTED, EventState.CONFIRMED, EventState.CLEARED
D, R, E = EventState.DISMISSED, EventState.REJECTED, EventState.EXPIRED
LEGAL = {
    None: {S},
    S: {S, C, D, R},
    C: {C, X, R, E},
    E: {C, R},
    X: set(),
    D: set(),
    R: set(),
}


def ids() -> Callable[[datetime], str]:
    numbers = count(1)
    return lambda _at: f"id-{next(numbers)}"


class Story:
    """Tells a zone what happens, one look every ten seconds, and notes what it makes of it."""

    def __init__(self, laws: Laws = LAWS) -> None:
        self.laws = laws
        self.life: ZoneLife = begin(START, laws.rates)
        self.now = START
        self.told: list[Transition] = []
        self._new_id = ids()

    def _note(self, outcome: tuple[ZoneLife, tuple[Transition, ...]]) -> None:
        self.life, transitions = outcome
        self.told += transitions

    def looks(
        self, minutes: float, score: float | list[float], *, seen: bool = True, spill: float = 0.0
    ) -> Story:
        scores = score if isinstance(score, list) else [score]
        for index in range(round(minutes * 6)):
            self.now += timedelta(seconds=10)
            observation = Observation(
                "p1-bin", self.now, seen, scores[index % len(scores)], spill=spill
            )
            self._note(advance(self.life, observation, PLACE, self.laws, new_id=self._new_id))
        return self

    def full(self, minutes: float, spill: float = 0.0) -> Story:
        return self.looks(minutes, 0.9, spill=spill)

    def clear(self, minutes: float) -> Story:
        return self.looks(minutes, 0.0)

    def hidden(self, minutes: float) -> Story:
        return self.looks(minutes, 0.0, seen=False)

    def away(self, minutes: float) -> Story:
        self.now += timedelta(minutes=minutes)
        self._note(pass_time(self.life, self.now, self.laws.rules))
        return self

    def says(self, verdict: Verdict) -> Story:
        self._note(review(self.life, verdict, self.now))
        return self

    @property
    def states(self) -> list[str]:
        return [one.event.state.value for one in self.told]

    @property
    def messages(self) -> list[str]:
        return [one.message.value for one in self.told if one.message is not None]


@pytest.mark.parametrize(
    ("story", "messages"),
    [
        pytest.param(Story().clear(30), [], id="a clean bin"),
        pytest.param(
            Story().clear(5).full(10).clear(8),
            ["event.confirmed", "event.cleared"],
            id="overflow for 10 min, then emptied",
        ),
        pytest.param(
            Story().clear(5).hidden(5).clear(5), [], id="a person stands in front for 5 min"
        ),
        pytest.param(
            Story().clear(5).full(2).clear(10), [], id="a bag waits two minutes for its owner"
        ),
        pytest.param(
            Story().clear(5).full(8).away(20).full(10),
            ["event.confirmed"],
            id="overflow, camera lost for 20 min, still overflow",
        ),
        pytest.param(
            Story().clear(5).full(8).hidden(30),
            ["event.confirmed"],
            id="overflow, then a car in front: silence does not clear",
        ),
        pytest.param(
            Story().clear(5).full(3).hidden(60),
            [],
            id="suspected, then nothing is seen: silence does not confirm",
        ),
        pytest.param(
            Story().clear(5).full(3).away(60),
            [],
            id="suspected, then the camera is away: silence does not confirm",
        ),
        pytest.param(
            Story().clear(5).looks(60, [0.9, 0.0, 0.0]),
            [],
            id="flicker: one look in three says overflow",
        ),
        pytest.param(
            Story().clear(5).full(8).away(25 * 60),
            ["event.confirmed", "event.updated"],
            id="overflow, then the camera is away for a day",
        ),
        pytest.param(
            Story().clear(5).full(8).away(25 * 60).full(5),
            ["event.confirmed", "event.updated", "event.updated"],
            id="away for a day, and it still overflows: the same event goes on",
        ),
        pytest.param(
            Story().clear(5).full(8).away(25 * 60).clear(5).full(10),
            ["event.confirmed", "event.updated", "event.confirmed"],
            id="away for a day, clear, then full again: a new event",
        ),
        pytest.param(
            Story().clear(5).full(8).says(Verdict.REJECT).full(60),
            ["event.confirmed", "event.retracted"],
            id="rejected: nothing new while it was not seen clear",
        ),
        pytest.param(
            Story().clear(5).full(8).says(Verdict.REJECT).clear(5).full(10),
            ["event.confirmed", "event.retracted", "event.confirmed"],
            id="rejected, seen clear, full again: a new event",
        ),
        pytest.param(
            Story().clear(5).full(8).says(Verdict.CONFIRM).says(Verdict.UNSURE).clear(8),
            ["event.confirmed", "event.cleared"],
            id="a yes changes nothing",
        ),
        pytest.param(
            Story().clear(5).full(8).full(5, spill=0.9).clear(8),
            ["event.confirmed", "event.updated", "event.cleared"],
            id="rubbish spreads beside the bin: the severity rises",
        ),
    ],
)
def test_stories(story: Story, messages: list[str]) -> None:
    assert story.messages == messages


def test_an_expired_event_that_goes_on_keeps_its_id() -> None:
    story = Story().clear(5).full(8).away(25 * 60).full(5)
    assert {one.event.event_id for one in story.told} == {"id-1"}
    assert story.states == ["suspected", "confirmed", "expired", "confirmed"]


def test_confirmation_takes_the_dwell_and_clearing_too() -> None:
    story = Story().clear(5).full(12).clear(10)
    suspected, confirmed, cleared = (one.event for one in story.told)
    assert confirmed.confirmed_at is not None
    assert confirmed.confirmed_at - confirmed.suspected_at == timedelta(minutes=3)
    assert cleared.cleared_at is not None
    assert cleared.cleared_at - (START + timedelta(minutes=17)) >= timedelta(minutes=2)
    assert suspected.suspected_at == confirmed.suspected_at == cleared.suspected_at


def test_dwell_pauses_while_a_passer_by_hides_the_bin() -> None:
    direct = Story().clear(5).full(12)
    hidden = Story().clear(5).full(3).hidden(2).full(12)
    waited = [
        one.event.confirmed_at - one.event.suspected_at
        for story in (direct, hidden)
        for one in story.told
        if one.event.confirmed_at is not None
    ]
    assert waited[1] - waited[0] >= timedelta(minutes=2)


def test_severity_only_rises_within_an_event() -> None:
    story = Story().clear(5).full(6, spill=0.9).full(6, spill=0.0)
    assert [one.event.severity for one in story.told][-1] is Severity.MAJOR


def test_messages_of_an_event_are_numbered_from_one() -> None:
    story = Story().clear(5).full(8).full(5, spill=0.9).clear(8)
    assert [one.sequence for one in story.told if one.message is not None] == [1, 2, 3]


def test_rules_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="clear_at < dismiss_under"):
        EventRules(suspect_at=0.99)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("look"), st.integers(-60, 400), st.floats(0, 1), st.booleans()),
        st.tuples(st.just("run"), st.integers(5, 60), st.floats(0, 1), st.booleans()),
        st.tuples(st.just("away"), st.integers(0, 3 * 86_400)),
        st.tuples(st.just("review"), st.sampled_from(list(Verdict))),
    ),
    max_size=40,
)


def play(script: list[tuple[object, ...]]) -> list[Transition]:
    life, now, told, new_id = begin(START, LAWS.rates), START, [], ids()
    for step in script:
        outcome: tuple[ZoneLife, tuple[Transition, ...]] = (life, ())
        match step:
            case ("look", int(gap), float(score), bool(seen)):
                now += timedelta(seconds=gap)
                outcome = advance(
                    life, Observation("z", now, seen, score), PLACE, LAWS, new_id=new_id
                )
            case ("run", int(gap), float(score), bool(seen)):
                for _ in range(30):
                    now += timedelta(seconds=gap)
                    life, some = advance(
                        life, Observation("z", now, seen, score), PLACE, LAWS, new_id=new_id
                    )
                    told += some
                outcome = (life, ())
            case ("away", int(gap)):
                now += timedelta(seconds=gap)
                outcome = pass_time(life, now, LAWS.rules)
            case ("review", Verdict() as verdict):
                outcome = review(life, verdict, now)
        life, some = outcome
        told += some
    return told


@given(steps)
def test_event_order_is_legal_for_any_interleaving(script: list[tuple[object, ...]]) -> None:
    states: dict[str, EventState | None] = {}
    open_events: set[str] = set()
    sequences: dict[str, int] = {}
    for one in play(script):
        event = one.event
        before = states.get(event.event_id)
        assert event.state in LEGAL[before], f"{before} → {event.state}"
        states[event.event_id] = event.state
        (open_events.add if event.state in (S, C) else open_events.discard)(event.event_id)
        assert len(open_events) <= 1, "one open event a zone, ever"
        if one.message is not None:
            sequences[event.event_id] = sequences.get(event.event_id, 0) + 1
            assert one.sequence == sequences[event.event_id]
            assert (one.message is MessageType.EVENT_CONFIRMED) == (
                event.state is C and one.sequence == 1
            )


@given(steps)
def test_the_same_observations_give_the_same_events_ids_apart(
    script: list[tuple[object, ...]],
) -> None:
    def without_ids(told: list[Transition]) -> list[Transition]:
        return [replace(one, event=replace(one.event, event_id="")) for one in told]

    assert without_ids(play(script)) == without_ids(play(script))


@given(st.floats(0, 1), st.integers(1, 200), st.integers(1, 7200))
def test_unseen_nothing_is_confirmed_or_cleared(score: float, looks: int, gap: int) -> None:
    for before in (Story().clear(5), Story().clear(5).full(4), Story().clear(5).full(8)):
        told = len(before.told)
        for _ in range(looks):
            before.looks(1 / 6, score, seen=False)
            before.now += timedelta(seconds=gap)
        after: list[Event] = [one.event for one in before.told[told:]]
        assert not [event for event in after if event.state in (C, X)]
        assert before.life.phase in (Phase.WATCHING, Phase.SUSPECTED, Phase.CONFIRMED)
