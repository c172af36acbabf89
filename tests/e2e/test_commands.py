"""The commands as a user types them: exit codes, JSON on stdout, errors in words."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import av
import httpx
import pytest

from models.twin import footage_dir
from pipeline.domain import Image
from pipeline.pictures import encode_jpeg

KEY = "a-gateway-key-of-32-characters!!"
CONFIG = """\
state: state
api:
  port: {port}
receivers:
  - name: county
    url: http://127.0.0.1:1/events
    secret_env: COUNTY
gateways:
  - name: box
    secret_env: BOX
    cameras: [gate-cam]
points:
  - point_id: gate
    name: 大门
    cameras:
      - {{camera_id: gate-cam, url: "push://", look_every_s: 1}}
      - {{camera_id: lost-cam, url: no-such-folder/}}
"""
SECRETS = {"COUNTY": "whsec_" + "YWJj" * 11, "BOX": KEY}


def call(brimwatch: str, *words: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    done = subprocess.run(
        [brimwatch, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **(env or {})},
    )
    return done.returncode, done.stdout, done.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def footage_frame(point: str, index: int) -> Image:
    with av.open(str(footage_dir() / f"{point}.mp4")) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == index:
                image: Image = frame.to_ndarray(format="bgr24")
                return image
    raise AssertionError(f"{point} has no frame {index}")


def test_check_is_content_or_names_the_line(brimwatch: str, tmp_path: Path) -> None:
    config = tmp_path / "brimwatch.yaml"
    config.write_text(CONFIG.format(port=8080), "utf-8")
    code, out, _ = call(brimwatch, "check", "-c", str(config), env=SECRETS)
    assert (code, "1 points, 2 cameras" in out) == (0, True)
    config.write_text(CONFIG.format(port=808080), "utf-8")
    code, out, err = call(brimwatch, "check", "-c", str(config), env=SECRETS)
    assert code == 2
    assert "brimwatch.yaml:3: api.port" in err
    assert "Traceback" not in err


def test_a_secret_that_is_not_there_is_named_and_none_is_printed(
    brimwatch: str, tmp_path: Path
) -> None:
    config = tmp_path / "brimwatch.yaml"
    config.write_text(CONFIG.format(port=8080), "utf-8")
    code, _, err = call(brimwatch, "check", "-c", str(config), env={"COUNTY": SECRETS["COUNTY"]})
    assert code == 2
    assert "BOX is not set" in err
    assert SECRETS["COUNTY"] not in err


def test_the_example_configuration_is_good(brimwatch: str) -> None:
    example = Path(__file__).resolve().parents[2] / "deploy" / "brimwatch.example.yaml"
    code, _, err = call(
        brimwatch, "check", "-c", str(example), env={"COUNTY_SECRET": SECRETS["COUNTY"]}
    )
    assert code == 0, err


def test_replay_prints_the_agreed_json_and_judges_by_the_truth(brimwatch: str) -> None:
    clip = footage_dir() / "twin-01.mp4"
    code, out, err = call(brimwatch, "replay", str(clip), "--point", "twin-01", "--json")
    assert code == 0, err
    (event,) = json.loads(out)
    assert set(event) == {
        "event_id", "point_id", "camera_id", "zone_id", "suspected_at", "confirmed_at",
        "cleared_at", "severity", "peak_belief",
    }  # fmt: skip
    assert event["confirmed_at"].endswith("Z")

    config = footage_dir() / "points.yaml"
    truth = footage_dir() / "twin-01.truth.json"
    code, out, err = call(
        brimwatch, "replay", str(clip), "--point", "twin-01", "-c", str(config),
        "--truth", str(truth), "--json",
    )  # fmt: skip
    assert code == 0, err
    judged = json.loads(out)
    assert (judged["precision"], judged["recall"]) == (1.0, 1.0)
    assert judged["false_events_per_camera_day"] == 0
    assert 3 <= judged["minutes_to_confirm"] <= 10


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("replay", "no-such.mp4", "--point", "x"), "no-such.mp4"),
        (("run", "-c", "no-such.yaml"), "no-such.yaml: the configuration cannot be read"),
    ],
)
def test_what_is_missing_is_named_without_a_traceback(
    brimwatch: str, words: tuple[str, ...], complaint: str
) -> None:
    code, _, err = call(brimwatch, *words)
    assert code != 0
    assert complaint in err
    assert "Traceback" not in err


@contextmanager
def service(brimwatch: str, folder: Path) -> Iterator[str]:
    port = free_port()
    (folder / "brimwatch.yaml").write_text(CONFIG.format(port=port), "utf-8")
    process = subprocess.Popen(
        [brimwatch, "run", "-c", str(folder / "brimwatch.yaml")],
        env={**os.environ, **SECRETS},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 60
        while True:
            assert process.poll() is None, "the service ended"
            assert time.monotonic() < until
            try:
                if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        assert process.wait(30) == 0, "SIGTERM is an orderly end"


def test_run_takes_pushed_frames_while_another_camera_is_missing(
    brimwatch: str, tmp_path: Path
) -> None:
    with service(brimwatch, tmp_path) as url:
        now = datetime.now(UTC)
        answer = httpx.post(
            f"{url}/api/v1/cameras/gate-cam/frames",
            content=encode_jpeg(footage_frame("twin-01", 0)),
            headers={
                "Authorization": f"Bearer {KEY}",
                "Content-Type": "image/jpeg",
                "X-Captured-At": now.isoformat(),
                "X-Sequence": "1",
            },
            timeout=30,
        )
        assert answer.status_code == 202, answer.text
        until = time.monotonic() + 30
        look = 'brimwatch_looks_total{camera_id="gate-cam",quality="ok"} 1.0'
        while look not in (metrics := httpx.get(f"{url}/metrics", timeout=10).text):
            assert time.monotonic() < until, metrics
            time.sleep(0.1)
        assert "gate-cam" in metrics
        points = httpx.get(f"{url}/api/v1/points", timeout=10).text
        assert "no-such-folder" in points or "lost-cam" in points
        refused = httpx.post(f"{url}/api/v1/cameras/gate-cam/frames", content=b"x", timeout=10)
        assert refused.status_code == 401
