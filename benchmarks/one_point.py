"""What one camera costs: CPU seconds per minute of one 1080p25 H.264 stream, one look every 5 s.

    python benchmarks/one_point.py [--path whole] [--seconds 60] [--json]

A static scene with sensor noise at about 3 Mbit/s and a key frame every 5 s is served by a real RTSP
server on 127.0.0.1 in a process of its own. Each contender reads it in a process of its own, one after
the other; counted is that process's CPU time (all its threads) from its first frame on. The rival is
what most programs do: OpenCV's read loop, which decodes every frame.

``--path`` chooses how much of Brimwatch is measured; `PATHS` says what there is.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil

from camera_adapters import open_camera
from camera_adapters.testing import RtspServer, write_video
from models.loading import load_calibration, load_detector
from pipeline.belief import DEFAULT_RATES, Likelihood
from pipeline.clocks import system_clock
from pipeline.domain import Camera, Image
from pipeline.engine.decider import Decider
from pipeline.engine.recorder import Recorder
from pipeline.engine.watch import Watch, WatchRules
from pipeline.store.memory import MemoryEvidence, MemoryLedger
from pipeline.wiring import new_id

WIDTH, HEIGHT, FPS = 1920, 1080, 25
KEY_EVERY_S = LOOK_EVERY_S = 5.0
BIT_RATE = 3_000_000
CLIP_S = 10

Measured = dict[str, float]


def static_scene() -> Iterator[Image]:
    """A wall, a ground and boxes that never move, under noise that never rests."""
    rng = np.random.default_rng(7)
    coarse = rng.normal(110, 28, (HEIGHT // 12, WIDTH // 12, 3)).clip(0, 255).astype(np.uint8)
    scene = cv2.GaussianBlur(cv2.resize(coarse, (WIDTH, HEIGHT)), (0, 0), 2)
    for left in range(200, 1700, 300):
        cv2.rectangle(scene, (left, 500), (left + 180, 800), (60, 90, 50), -1)
    grains = [rng.normal(0, 3, (HEIGHT // 2, WIDTH // 2)).round() for _ in range(8)]
    noises = [cv2.resize(grain, (WIDTH, HEIGHT)).astype(np.int16)[..., None] for grain in grains]
    for index in range(CLIP_S * FPS):
        noise = np.roll(noises[index % 8], 97 * index, axis=1)
        yield (scene.astype(np.int16) + noise).clip(0, 255).astype(np.uint8)


class Meter:
    """CPU time of this process from its first frame on, for a given time of the wall clock."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._born_cpu = time.process_time()
        self._cpu = self._wall = 0.0
        self.frames = 0

    def one_more(self) -> bool:
        """Counts a frame; false when the time is over."""
        self.frames += 1
        if self.frames == 1:
            self._cpu, self._wall = time.process_time(), time.monotonic()
        return time.monotonic() - self._wall < self._seconds

    def result(self) -> Measured:
        """What it cost so far."""
        wall = time.monotonic() - self._wall
        cpu = time.process_time() - self._cpu
        return {
            "cpu_s_per_minute": round(cpu / wall * 60, 3),
            "opening_cpu_s": round(self._cpu - self._born_cpu, 3),
            "frames": self.frames,
            "seconds": round(wall, 1),
            "rss_mb": round(psutil.Process().memory_info().rss / 2**20, 1),
        }


def camera_path(url: str, seconds: float) -> Measured:
    """The camera adapter alone: what reaches the pipeline as a BGR picture, and nothing after."""
    source = open_camera(
        Camera("bench", url, look_every_s=LOOK_EVERY_S),
        base=Path(),
        clock=lambda: datetime.now(UTC),
        on_fault=lambda fault: print(fault, file=sys.stderr),
    )
    meter = Meter(seconds)
    for _ in source.frames():
        if not meter.one_more():
            break
    return meter.result()


def opencv_read_loop(url: str, seconds: float) -> Measured:
    """Every frame read, as `while True: ok, frame = capture.read()` does."""
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "rtsp_transport;tcp"
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
    meter = Meter(seconds)
    while True:
        whole, _ = capture.read()
        if not whole:
            raise SystemExit("OpenCV lost the stream")
        if not meter.one_more():
            break
    capture.release()
    return meter.result()


def whole_path(url: str, seconds: float) -> Measured:
    """Camera, quality, change gate, the bundled detector, zones, belief and event; stores in memory."""
    detector = load_detector(threads=1)
    calibration = load_calibration()
    likelihood = Likelihood(calibration.edges, calibration.overflowing, calibration.clear)
    rules = WatchRules(DEFAULT_RATES, likelihood, seen_confidence=calibration.seen_confidence)
    camera = Camera("bench", url, look_every_s=LOOK_EVERY_S)
    ledger = MemoryLedger()
    recorder = Recorder(
        ledger,
        MemoryEvidence(),
        receivers=(),
        describe=lambda _event, _evidence: {},
        new_id=new_id,
        clock=system_clock,
        on_recorded=lambda _transition: None,
    )
    decider = Decider(
        [Watch("bench", camera, rules, new_id, detector.model_hash)], detector, recorder, ledger
    )
    detector.detect([np.zeros((HEIGHT, WIDTH, 3), np.uint8)])  # compile for this shape first
    source = open_camera(camera, base=Path(), clock=system_clock, on_fault=lambda _fault: None)
    meter = Meter(seconds)
    for frame in source.frames():
        decider.decide([frame])
        if not meter.one_more():
            break
    return meter.result()


PATHS: dict[str, Callable[[str, float], Measured]] = {"camera": camera_path, "whole": whole_path}
"""How far a frame goes in what is measured. A longer way is one more function of this kind."""

RIVALS: dict[str, Callable[[str, float], Measured]] = {"opencv-read-loop": opencv_read_loop}


def measured_apart(name: str, url: str, seconds: float) -> Measured:
    """One contender in a fresh process, so that nobody else's memory or threads count."""
    done = subprocess.run(
        [sys.executable, __file__, "--measure", name, "--url", url, "--seconds", str(seconds)],
        check=True,
        stdout=subprocess.PIPE,
        timeout=seconds + 60,
    )
    result: Measured = json.loads(done.stdout)
    return result


def run(path: str, seconds: float) -> dict[str, Any]:
    """Makes the clip, serves it, measures the path and its rivals."""
    if reason := RtspServer.missing():
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory(prefix="brimwatch-bench-") as folder:
        clip = write_video(
            Path(folder) / "camera.mp4",
            static_scene(),
            fps=FPS,
            key_every=int(KEY_EVERY_S * FPS),
            bit_rate=BIT_RATE,
        )
        rate = clip.stat().st_size * 8 / CLIP_S
        with RtspServer({"/camera": clip}) as server:
            url = server.url("/camera")
            ours = measured_apart(path, url, seconds)
            theirs = {name: measured_apart(name, url, seconds) for name in RIVALS}
    cost = ours["cpu_s_per_minute"]
    return {
        "machine": {"cpus": os.cpu_count(), "arch": platform.machine(), "load": os.getloadavg()[0]},
        "stream": {"size": f"{WIDTH}x{HEIGHT}", "fps": FPS, "mbit_s": round(rate / 1e6, 2)},
        "look_every_s": LOOK_EVERY_S,
        "path": path,
        "brimwatch": ours,
        "share_of_one_core": round(cost / 60, 4),
        "rivals": theirs,
        "ratios": {
            name: round(rival["cpu_s_per_minute"] / cost, 1) for name, rival in theirs.items()
        },
    }


def show(report: dict[str, Any]) -> None:
    stream, ours = report["stream"], report["brimwatch"]
    print(f"one {stream['size']} camera, {stream['fps']} fps, {stream['mbit_s']} Mbit/s, H.264")
    print(f"{'':24}{'CPU s a minute':>16}{'frames':>8}{'RSS MB':>8}")
    for name, row in {f"brimwatch ({report['path']})": ours, **report["rivals"]}.items():
        print(f"{name:24}{row['cpu_s_per_minute']:>16}{row['frames']:>8}{row['rss_mb']:>8}")
    print(f"{100 * report['share_of_one_core']:.2f} % of one core; ratios: {report['ratios']}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--path", choices=sorted(PATHS), default="whole")
    arguments.add_argument("--seconds", type=float, default=60.0)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--measure", choices=sorted(PATHS | RIVALS), help=argparse.SUPPRESS)
    arguments.add_argument("--url", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.measure:
        print(json.dumps((PATHS | RIVALS)[given.measure](given.url, given.seconds)))
        return
    report = run(given.path, given.seconds)
    if given.json:
        print(json.dumps(report))
    else:
        show(report)


if __name__ == "__main__":
    main()
