from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from models.curves import draw_curves, read_results
from pipeline.errors import ModelError

NAMES = (
    "epoch",
    "time",
    *(f"{kind}/{loss}_loss" for kind in ("train", "val") for loss in ("box", "cls", "dfl")),
    "metrics/mAP50(B)",
    "metrics/mAP50-95(B)",
)


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([",".join(NAMES), *rows]) + "\n")
    return path


def test_both_halves_are_drawn_with_a_mark_an_epoch(tmp_path: Path) -> None:
    results = write(
        tmp_path / "results.csv", "1,9,3,2,1,4,3,2,0.5,0.3", "2,18,2,1,1,3,2,2,0.75,0.4"
    )
    root = ET.fromstring(draw_curves(read_results(results)))
    marks = root.findall("{http://www.w3.org/2000/svg}circle")
    assert len(marks) == 2 * (6 + 2)
    words = " ".join(str(text.text) for text in root.iter("{http://www.w3.org/2000/svg}text"))
    assert "mAP50 0.750, best 0.750" in words


def test_a_loss_that_blew_up_leaves_the_rest_readable(tmp_path: Path) -> None:
    results = write(tmp_path / "results.csv", "1,9,3,2,1,4,3,2,0.5,0.3", "2,18,nan,inf,1,3,2,2,0,0")
    assert "nan" not in draw_curves(read_results(results)).lower()


@pytest.mark.parametrize(
    ("row", "said"),
    [("1,2,x,4,5,6,7,8,9,10", r"results\.csv:2: .*'x'"), ("1,2,3", r"results\.csv:2: 3 values")],
)
def test_a_broken_row_is_named(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        read_results(write(tmp_path / "results.csv", row))


def test_no_results_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.csv"):
        read_results(tmp_path / "absent.csv")
    with pytest.raises(ModelError, match="nothing was trained"):
        draw_curves(read_results(write(tmp_path / "results.csv")))
    (tmp_path / "other.csv").write_text("epoch,accuracy\n1,0.5\n")
    with pytest.raises(ModelError, match="without a column"):
        draw_curves(read_results(tmp_path / "other.csv"))
