"""How often real pictures end in the right event: closed, overflowing, closed bins, drawn at random.

    python benchmarks/real_sequences.py --data "$BRIMWATCH_DATA/datasets/bin-overflow-cn"
        [--split test] [--sequences 200] [--seed 1]

Each sequence is one picture of a closed bin for 10 minutes, one of an overflowing bin for 15 and one of
a closed bin for 10, a look every 30 s, watched whole. Right is: one event, confirmed while the second
picture shows, cleared while the third does. Labels decide which pictures are closed (a bin, no overflow)
or overflowing; nothing is left out for being hard.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from models.loading import load_calibration, load_detector
from pipeline.belief import DEFAULT_RATES, Likelihood
from pipeline.domain import CLASSES, Camera, Detections, Frame, Image
from pipeline.engine.watch import CameraState, Watch, WatchRules, conclude, glance
from pipeline.pictures import decode_picture
from pipeline.wiring import new_id

START = datetime(2026, 6, 1, 1, tzinfo=UTC)
LOOK_EVERY = timedelta(seconds=30)
MINUTES = (10, 15, 10)


def pictures(data: Path, split: str) -> tuple[list[Path], list[Path]]:
    """Those that show a closed bin, and those that show an overflowing one."""
    closed, full = [], []
    for path in sorted((data / split / "images").iterdir()):
        lines = (data / split / "labels" / f"{path.stem}.txt").read_text("utf-8").splitlines()
        names = {CLASSES[int(line.split()[0])] for line in lines if line.strip()}
        if "overflow" in names:
            full.append(path)
        elif "garbage_bin" in names:
            closed.append(path)
    return closed, full


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--split", default="test")
    arguments.add_argument("--sequences", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()

    detector, calibration = load_detector(), load_calibration()
    likelihood = Likelihood(calibration.edges, calibration.overflowing, calibration.clear)
    rules = WatchRules(DEFAULT_RATES, likelihood, seen_confidence=calibration.seen_confidence)
    watch = Watch("point", Camera("camera", "folder"), rules, new_id, detector.model_hash)
    seen: dict[Path, tuple[Image, Detections]] = {}

    def look_at(path: Path) -> tuple[Image, Detections]:
        if path not in seen:
            image = decode_picture(path.read_bytes())
            seen[path] = image, detector.detect([image])[0]
        return seen[path]

    def told(sequence: tuple[Path, ...]) -> tuple[str, ...]:
        state, at, messages = CameraState(), START, []
        for shown, (path, minutes) in enumerate(zip(sequence, MINUTES, strict=True)):
            image, detections = look_at(path)
            for _ in range(minutes * 2):
                at += LOOK_EVERY
                judged = glance(watch, state, Frame("camera", at, 1, image))
                look = conclude(watch, state, judged, detections if judged.wants_detector else None)
                state = look.state
                messages += [
                    f"{one.event.state} {shown}"
                    for one in look.transitions
                    if one.message is not None and "updated" not in one.message
                ]
        return tuple(messages)

    closed, full = pictures(given.data, given.split)
    draw = random.Random(given.seed)
    ends = Counter(
        told((draw.choice(closed), draw.choice(full), draw.choice(closed)))
        for _ in range(given.sequences)
    )
    right = ends[("confirmed 1", "cleared 2")]
    report = {
        "sequences": given.sequences,
        "right": right / given.sequences,
        "ends": {", ".join(end) or "nothing": count for end, count in ends.most_common()},
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
