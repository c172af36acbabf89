"""The demonstration, as its user meets it; and killed at ten random moments."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from api.county_server import STORE_NAME
from api.demo import demo_running, outcome, prepare
from models.twin import footage_dir
from pipeline.domain import CLASSES, Detections, Image, MessageType, utc
from pipeline.errors import ConfigError

CLEAN = {"twin-07", "twin-08"}
FULL = {f"twin-0{number}" for number in range(1, 7)}
KILLS = 10


def played(brimwatch: str, state: Path) -> dict[str, Any]:
    done = subprocess.run(
        [brimwatch, "demo", "--once", "--json", "--port", "0", "--state", str(state)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def without_ids(result: dict[str, Any]) -> dict[str, Any]:
    return {
        point: [
            {name: value for name, value in one.items() if name != "event_id"} for one in events
        ]
        for point, events in result["points"].items()
    }


def check_whole(result: dict[str, Any]) -> None:
    """Six points with one event each, delivered once and cleared; none at the clean ones."""
    assert set(result["points"]) == CLEAN | FULL
    assert all(result["points"][point] == [] for point in CLEAN)
    for point in FULL:
        (event,) = result["points"][point]
        assert event["delivered"] == 1
        assert event["cleared_at"] is not None


@pytest.fixture(scope="module")
def first(brimwatch: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return played(brimwatch, tmp_path_factory.mktemp("demo") / "first")


def test_six_points_have_an_event_each_and_the_clean_two_none(first: dict[str, Any]) -> None:
    check_whole(first)
    assert first["duplicates"] == 0
    assert first["messages_sent"] == first["messages_received"] >= 12


def test_events_are_confirmed_while_the_bin_overflows_and_cleared_after(
    first: dict[str, Any],
) -> None:
    for point in FULL:
        (event,) = first["points"][point]
        (truth,) = json.loads((footage_dir() / f"{point}.truth.json").read_text("utf-8"))
        assert event["zone_id"] == truth["zone_id"]
        assert utc(truth["from"]) < utc(event["confirmed_at"]) < utc(truth["to"])
        assert utc(truth["to"]) < utc(event["cleared_at"])


def test_a_second_run_gives_the_same_events(
    first: dict[str, Any], brimwatch: str, tmp_path: Path
) -> None:
    assert without_ids(played(brimwatch, tmp_path / "second")) == without_ids(first)


class BlindDetector:
    """Never finds anything."""

    classes = CLASSES
    model_hash = "blind"

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        return [Detections.empty() for _ in frames]


def test_a_blind_detector_gives_no_event_at_all(tmp_path: Path) -> None:
    with demo_running(
        tmp_path / "blind", speed=0, host="127.0.0.1", port=0, detector=BlindDetector()
    ) as running:
        until = time.monotonic() + 200
        while not running.finished:
            assert time.monotonic() < until
            time.sleep(0.1)
        result = outcome(running)
    assert all(events == [] for events in result["points"].values())
    assert result["messages_sent"] == result["messages_received"] == 0


def confirmed_by_event(state: Path) -> Counter[str]:
    """How often the county stand-in took a confirmation of each event, read from its own store."""
    store = state / "county" / STORE_NAME
    if not store.is_file():
        return Counter()
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        tables = {row[0] for row in database.execute("select name from sqlite_master")}
        if "received" not in tables:
            return Counter()
        rows = database.execute(
            "select subject, count(*) from received where type = ? group by subject",
            (f"cn.brimwatch.{MessageType.EVENT_CONFIRMED}.v1",),
        ).fetchall()
    return Counter(dict(rows))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_ten_random_moments_the_county_has_every_event_once(
    brimwatch: str, tmp_path: Path
) -> None:
    moments = random.Random()
    seed = moments.randrange(2**32)
    moments.seed(seed)
    kills, demos = 0, 0
    while kills < KILLS:
        demos += 1
        state = tmp_path / f"demo-{demos}"
        while kills < KILLS:
            process = subprocess.Popen(
                [brimwatch, "demo", "--once", "--json", "--port", "0", "--state", str(state)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                process.wait(moments.uniform(0.5, 7.0))
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                kills += 1
            counts = confirmed_by_event(state)
            assert all(count == 1 for count in counts.values()), f"seed {seed}, kill {kills}"
        check_whole(played(brimwatch, state))


def test_a_folder_that_no_demo_made_is_never_emptied(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", "utf-8")
    with pytest.raises(ConfigError, match="is not empty and no demo made it"):
        prepare(tmp_path, fresh=True)
    assert (tmp_path / "thesis.txt").is_file()


def test_an_interrupted_demo_is_taken_up_and_an_ended_one_starts_anew(tmp_path: Path) -> None:
    state = tmp_path / "demo"
    assert not prepare(state, fresh=False)
    (state / "ledger.sqlite").touch()
    assert prepare(state, fresh=False)
    assert not prepare(state, fresh=True)
    assert not (state / "ledger.sqlite").exists()
