"""How fast the service starts, and what it takes with eight points.

    python benchmarks/service.py [--seconds 60] [--json]

Eight 1080p25 H.264 cameras from a real RTSP server on 127.0.0.1 (a process of its own), one look every
5 s, nothing changes. Counted is the process of ``brimwatch run``: seconds from its start until /readyz
answers 200, resident memory at its highest after that, CPU seconds per camera and minute.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml
from one_point import BIT_RATE, FPS, KEY_EVERY_S, LOOK_EVERY_S, static_scene

from camera_adapters.testing import RtspServer, write_video

POINTS = 8
_SETTLE_S = 15.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def configuration(folder: Path, urls: list[str], port: int) -> Path:
    path = folder / "brimwatch.yaml"
    points = [
        {
            "point_id": f"p{number}",
            "name": f"点位 {number}",
            "cameras": [{"camera_id": f"p{number}-cam", "url": url, "look_every_s": LOOK_EVERY_S}],
        }
        for number, url in enumerate(urls)
    ]
    path.write_text(yaml.safe_dump({"api": {"port": port}, "points": points}), "utf-8")
    return path


def measure(config: Path, port: int, seconds: float) -> dict[str, Any]:
    command = [str(Path(sys.executable).parent / "brimwatch"), "run", "-c", str(config)]
    began = time.monotonic()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=dict(os.environ))
    try:
        while True:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=1).status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            if process.poll() is not None or time.monotonic() - began > 60:
                raise SystemExit("the service did not start")
            time.sleep(0.02)
        ready = time.monotonic() - began
        seen = psutil.Process(process.pid)
        time.sleep(_SETTLE_S)
        before, at, peak = seen.cpu_times(), time.monotonic(), 0
        while time.monotonic() - at < seconds:
            time.sleep(0.5)
            peak = max(peak, seen.memory_info().rss)
        after, wall = seen.cpu_times(), time.monotonic() - at
        cpu = after.user + after.system - before.user - before.system
        looks = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
        counted = sum(
            float(line.rsplit(" ", 1)[1])
            for line in looks.splitlines()
            if line.startswith("brimwatch_looks_total{")
        )
    finally:
        process.terminate()
        process.wait(20)
    return {
        "points": POINTS,
        "ready_s": round(ready, 2),
        "rss_mb": round(peak / 2**20, 1),
        "cpu_s_per_camera_minute": round(cpu / wall * 60 / POINTS, 3),
        "share_of_one_core_per_camera": round(cpu / wall / POINTS, 4),
        "looks": int(counted),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--seconds", type=float, default=60.0)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    if reason := RtspServer.missing():
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory(prefix="brimwatch-bench-") as name:
        folder = Path(name)
        clip = write_video(
            folder / "clip.mp4",
            static_scene(),
            fps=FPS,
            key_every=round(KEY_EVERY_S * FPS),
            bit_rate=BIT_RATE,
        )
        port = free_port()
        with RtspServer({f"/{number}": clip for number in range(POINTS)}) as server:
            urls = [server.url(f"/{number}") for number in range(POINTS)]
            report = measure(configuration(folder, urls, port), port, given.seconds)
    if given.json:
        print(json.dumps(report, indent=2))
    else:
        for what, value in report.items():
            print(f"{what:32} {value}")


if __name__ == "__main__":
    main()
