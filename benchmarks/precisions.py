"""What fewer bits cost and save: f32, f16, bf16 and int8 side by side, accuracy and time.

    python benchmarks/precisions.py WEIGHTS.pt --data DIR [--quantise-on val] [--split test] [--json]

The weights are exported three times into a scratch folder; bf16 is the f32 export computed with
OpenVINO's bf16 hint. Accuracy is that of `brimwatch evaluate`. A look is the detector's whole work on
one 1920×1080 picture: fitting it in, the network, reading the boxes. Looks are timed in rounds, one
round of every precision after the other, so that a busy neighbour hits all alike; given are the median
over all looks with its quartiles by the wall clock, and the mean CPU time of all threads, which a busy
neighbour moves less. int8 is worth being the default when it loses at most 0.01 mAP50
against f32 on every split.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from models.dataset import read_truths
from models.evaluation import EVALUATION_FLOOR, Thresholds, evaluate, judge
from models.exporting import export
from models.manifest import Precision
from models.openvino_runtime import Arithmetic, OpenVinoDetector
from models.quantising import Samples
from pipeline.domain import Image
from pipeline.pictures import decode_picture

MOST_LOST = 0.01
"""mAP50 that int8 may lose against f32 and still be the default."""

LOOKS = 15
"""Looks of one contender in one round."""

CONTENDERS: Mapping[str, tuple[Precision, Arithmetic]] = {
    "f32": (Precision.F32, "f32"),
    "f16": (Precision.F16, "f32"),
    "bf16": (Precision.F32, "bf16"),
    "int8": (Precision.INT8, "f32"),
}

Row = dict[str, Any]


def exported(weights: Path, scratch: Path, *, size: int, samples: Samples) -> dict[Precision, Path]:
    for precision in Precision:
        export(
            weights,
            scratch / precision,
            input_size=size,
            precision=precision,
            samples=samples if precision is Precision.INT8 else None,
        )
    return {precision: scratch / precision for precision in Precision}


def accuracy(folder: Path, arithmetic: Arithmetic, data: Path, split: str) -> Row:
    detector = OpenVinoDetector(folder, floor=EVALUATION_FLOOR, arithmetic=arithmetic)
    # Average precision knows no threshold, so any will do.
    figures = evaluate(list(judge(detector, data, split)), Thresholds(0.5, 0.5))
    return {
        "map50": round(figures.map50, 4),
        "map50_95": round(figures.map50_95, 4),
        **{f"ap50_{name}": one.ap50 for name, one in figures.classes.items()},
    }


def street_pictures(data: Path, split: str, count: int = 5) -> list[Image]:
    """Real pictures at the size that most cameras send: what is in them costs time, too."""
    pictures = [truth.picture for truth in read_truths(data, split)][:count]
    frames = [decode_picture(picture.read_bytes()) for picture in pictures]
    return [cv2.resize(frame, (1920, 1080)).astype(np.uint8) for frame in frames]


def milliseconds(
    folders: Mapping[Precision, Path], frames: Sequence[Image], threads: int, rounds: int
) -> dict[str, Row]:
    """Median, quartiles and CPU time of a look, by contender, on so many threads."""
    cv2.setNumThreads(threads)
    detectors = {
        name: OpenVinoDetector(folders[precision], threads=threads, arithmetic=arithmetic)
        for name, (precision, arithmetic) in CONTENDERS.items()
    }
    taken: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    cpu = dict.fromkeys(CONTENDERS, 0.0)
    for _ in range(rounds):
        for name, detector in detectors.items():
            detector.detect([frames[0]])  # its caches are warm again
            cpu_start = time.process_time()
            for look in range(LOOKS):
                start = time.perf_counter()
                detector.detect([frames[look % len(frames)]])
                taken[name].append((time.perf_counter() - start) * 1000)
            cpu[name] += (time.process_time() - cpu_start) * 1000
    result: dict[str, Row] = {}
    for name, times in taken.items():
        low, median, high = np.percentile(times, [25, 50, 75])
        result[name] = {
            "median_ms": round(float(median), 2),
            "quartiles_ms": [round(float(low), 2), round(float(high), 2)],
            "cpu_ms": round(cpu[name] / len(times), 2),
            "looks": len(times),
        }
    return result


def machine() -> Row:
    flags = Path("/proc/cpuinfo").read_text().split() if Path("/proc/cpuinfo").exists() else []
    told = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16")
    return {
        "cores": os.cpu_count(),
        "processor_has": [flag for flag in told if flag in flags],
        "load_at_start": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: version(name) for name in ("openvino", "nncf", "torch", "ultralytics", "numpy")},
    }


def measure(
    weights: Path, data: Path, splits: Sequence[str], samples: Samples, *, size: int, rounds: int
) -> Row:
    told = machine()
    with tempfile.TemporaryDirectory() as scratch:
        with contextlib.redirect_stdout(sys.stderr):  # ultralytics and nncf say much
            folders = exported(weights, Path(scratch), size=size, samples=samples)
        rows: dict[str, Row] = {
            name: {
                "megabytes": round((folders[precision] / "model.bin").stat().st_size / 1e6, 2),
                **{
                    split: accuracy(folders[precision], arithmetic, data, split) for split in splits
                },
            }
            for name, (precision, arithmetic) in CONTENDERS.items()
        }
        frames = street_pictures(data, splits[0])
        for threads in sorted({1, os.cpu_count() or 1}):
            for name, times in milliseconds(folders, frames, threads, rounds).items():
                rows[name][f"threads_{threads}"] = times
    lost = {
        split: round(rows["f32"][split]["map50"] - rows["int8"][split]["map50"], 4)
        for split in splits
    }
    return {
        "machine": told,
        "input_size": size,
        "quantised_on": f"{samples.data.name}/{samples.split}",
        "precisions": rows,
        "int8_loses_map50": lost,
        "int8_may_be_default": all(loss <= MOST_LOST for loss in lost.values()),
    }


def table(result: Row, splits: Sequence[str]) -> str:
    """The result as a Markdown table."""
    threads = [key for key in result["precisions"]["f32"] if key.startswith("threads_")]
    head = ["", "MB", *(f"ms, {key.removeprefix('threads_')} thread(s)" for key in threads)]
    head += [f"{split} {figure}" for split in splits for figure in ("mAP50", "mAP50-95")]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, row in result["precisions"].items():
        cells = [name, f"{row['megabytes']:.1f}"]
        cells += [
            "{median_ms} ({0}–{1}), CPU {cpu_ms}".format(*row[key]["quartiles_ms"], **row[key])
            for key in threads
        ]
        cells += [
            f"{row[split][figure]:.4f}" for split in splits for figure in ("map50", "map50_95")
        ]
        lines.append("| " + " | ".join(cells) + " |")
    said = "may be" if result["int8_may_be_default"] else "must not be"
    lines += ["", f"int8 loses {result['int8_loses_map50']} mAP50: it {said} the default."]
    lines.append(json.dumps(result["machine"]))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path, help="a .pt file")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--quantise-on", default="val", help="split that int8 is measured on")
    parser.add_argument("--split", action="append", help="split to measure; test by default")
    parser.add_argument("--size", type=int, default=416)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    splits = given.split or ["test"]
    samples = Samples(given.data, given.quantise_on)
    result = measure(
        given.weights, given.data, splits, samples, size=given.size, rounds=given.rounds
    )
    print(json.dumps(result, indent=2) if given.json else table(result, splits))


if __name__ == "__main__":
    main()
