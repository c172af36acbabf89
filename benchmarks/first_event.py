"""How long `make demo` takes on a fresh clone until the first event shows.

    python benchmarks/first_event.py [--json]

Clones this checkout into a temporary folder and runs ``make demo`` there: the virtual environment, the
packages (from wherever pip is set up to get them), the start, and the footage up to the first confirmed
event at the default speed. Counted in seconds of the wall clock.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 600.0


def measure() -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="brimwatch-first-") as name:
        began = time.monotonic()
        subprocess.run(["git", "clone", "--quiet", str(ROOT), f"{name}/clone"], check=True)
        process = subprocess.Popen(
            ["make", "demo", "ARGS=--port 0"],
            cwd=f"{name}/clone",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        playing = first = None
        assert process.stderr is not None
        try:
            for line in process.stderr:
                now = time.monotonic() - began
                if playing is None and "playing" in line:
                    playing = now
                if "●" in line:
                    first = now
                    break
                if now > LIMIT_S:
                    break
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
    if playing is None or first is None:
        raise SystemExit("the demo showed no event")
    return {"playing_after_s": round(playing, 1), "first_event_after_s": round(first, 1)}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--json", action="store_true")
    report = measure()
    if arguments.parse_args().json:
        print(json.dumps(report, indent=2))
    else:
        for what, value in report.items():
            print(f"{what:24} {value}")


if __name__ == "__main__":
    main()
