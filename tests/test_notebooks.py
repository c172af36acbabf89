"""The notebooks run from top to bottom, on the footage that comes with the code; their claims hold."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

_MISSING = "is not installed: pip install '.[dev]' brings what runs notebooks"
nbformat = pytest.importorskip("nbformat", reason=f"nbformat {_MISSING}")
nbclient = pytest.importorskip("nbclient", reason=f"nbclient {_MISSING}")
pytest.importorskip("ipykernel", reason=f"ipykernel {_MISSING}")
pytest.importorskip("matplotlib", reason=f"matplotlib {_MISSING}")

_ROOT = Path(__file__).resolve().parent.parent
_NOTEBOOKS = sorted((_ROOT / "notebooks").glob("*.ipynb"))


def _kernel_of_this_interpreter(folder: Path) -> object:
    """A kernel that is this very Python, whatever kernels the machine has registered."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    (folder / "this").mkdir(parents=True)
    (folder / "this" / "kernel.json").write_text(
        json.dumps(
            {
                "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                "display_name": "this interpreter",
                "language": "python",
            }
        ),
        "utf-8",
    )
    found = KernelSpecManager(kernel_dirs=[str(folder)], ensure_native_kernel=False)
    return AsyncKernelManager(kernel_name="this", kernel_spec_manager=found)


def test_the_four_notebooks_are_there() -> None:
    assert [path.stem for path in _NOTEBOOKS] == [
        "01-data",
        "02-errors",
        "03-belief",
        "04-calibration",
    ]


@pytest.mark.parametrize("path", _NOTEBOOKS, ids=lambda path: path.stem)
def test_is_committed_without_outputs(path: Path) -> None:
    """Outputs would bring pictures along, perhaps real ones, and a difference at each run."""
    cells = nbformat.read(path, as_version=4).cells
    assert [cell.id for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []


@pytest.mark.slow
@pytest.mark.parametrize("path", _NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_from_top_to_bottom(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    (tmp_path / "runtime").mkdir()
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        km=_kernel_of_this_interpreter(tmp_path / "kernels"),
        timeout=250,
        resources={"metadata": {"path": str(_ROOT)}},
    )
    # Small inputs: the footage, also where the real pictures are at hand.
    environment = {name: text for name, text in os.environ.items() if name != "BRIMWATCH_DATA"}

    client.execute(env=environment | {"IPYTHONDIR": str(tmp_path / "ipython")}, cleanup_kc=True)

    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert all(cell.execution_count for cell in code)
    outputs = [output for cell in code for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs), "no plot was drawn"
    shown = [output.text for output in outputs if output.get("name") == "stderr"]
    assert shown == [], "the notebook warned of something"
