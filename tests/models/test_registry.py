"""The registry: which models there are, which one is in use, and how one goes back."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.calibration import Calibration
from models.manifest import CALIBRATION, GRAPH, WEIGHTS, Manifest, digest
from models.registry import PROMOTED, Registry
from pipeline.domain import CLASSES
from pipeline.errors import ModelError

NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)

MakeWeights = Callable[..., Path]


def weights_folder(folder: Path, content: str, classes: tuple[str, ...] = CLASSES) -> Path:
    """A weights folder with a manifest and a calibration that fit; the network is only some text."""
    folder.mkdir(parents=True)
    (folder / GRAPH).write_text("graph")
    (folder / WEIGHTS).write_text(content)
    sha256 = digest(folder)
    Manifest("small", sha256, classes, 64, calibration=CALIBRATION).write(folder)
    calibration = Calibration((0, 0.5, 1), (0.2, 0.8), (0.8, 0.2), 0.3, 0.4, 0.4, sha256, "val")
    calibration.write(folder / CALIBRATION)
    return folder


@pytest.fixture
def weights(tmp_path: Path) -> MakeWeights:
    def make(content: str, classes: tuple[str, ...] = CLASSES) -> Path:
        return weights_folder(tmp_path / "made" / content, content, classes)

    return make


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry")


def test_what_is_added_is_named_by_its_hash_and_not_yet_in_use(
    registry: Registry, weights: MakeWeights
) -> None:
    folder = weights("one")
    name = registry.add(folder)
    assert name == f"small-{digest(folder)[:12]}"
    assert registry.names() == (name,)
    assert digest(registry.path_of(name)) == digest(folder)
    assert registry.promoted() is None


def test_adding_again_changes_nothing(registry: Registry, weights: MakeWeights) -> None:
    folder = weights("one")
    assert registry.add(folder) == registry.add(folder)
    assert len(registry.names()) == 1


def test_the_same_weights_with_another_calibration_are_refused(
    registry: Registry, weights: MakeWeights
) -> None:
    folder = weights("one")
    registry.add(folder)
    path = folder / CALIBRATION
    path.write_text(json.dumps(json.loads(path.read_text()) | {"seen_confidence": 0.1}))
    with pytest.raises(ModelError, match="another calibration"):
        registry.add(folder)


@pytest.mark.parametrize("harm", ["weights", "manifest", "calibration", "foreign calibration"])
def test_weights_that_do_not_fit_together_are_refused_and_leave_nothing(
    harm: str, registry: Registry, weights: MakeWeights
) -> None:
    folder = weights("one")
    match harm:
        case "weights":
            (folder / WEIGHTS).write_text("other")
        case "manifest":
            (folder / "manifest.json").unlink()
        case "calibration":
            (folder / CALIBRATION).unlink()
        case _:
            shutil.copy(weights("two") / CALIBRATION, folder / CALIBRATION)
    with pytest.raises(ModelError):
        registry.add(folder)
    assert not registry.folder.exists()


def test_a_detector_that_does_not_know_overflow_is_refused(
    registry: Registry, weights: MakeWeights
) -> None:
    with pytest.raises(ModelError, match="overflow"):
        registry.add(weights("one", ("garbage", "garbage_bin")))


def test_a_rollback_goes_to_the_one_before_and_the_history_keeps_both(
    registry: Registry, weights: MakeWeights
) -> None:
    one, two = registry.add(weights("one")), registry.add(weights("two"))
    registry.promote(one, NOON)
    registry.promote(two, NOON + timedelta(hours=1))
    assert registry.roll_back(NOON + timedelta(hours=2)) == one
    assert registry.promoted() == one
    assert [(entry.name, entry.taken_back_at) for entry in registry.history()] == [
        (one, None),
        (two, NOON + timedelta(hours=2)),
    ]
    with pytest.raises(ModelError, match="first that was promoted"):
        registry.roll_back(NOON + timedelta(hours=3))
    assert registry.promoted() == one


def test_without_a_promotion_there_is_nothing_to_take_back(
    registry: Registry, weights: MakeWeights
) -> None:
    registry.add(weights("one"))
    with pytest.raises(ModelError, match="no model is in use"):
        registry.roll_back(NOON)


@pytest.mark.parametrize("name", ["nobody", "../made/one", "", "."])
def test_only_a_model_that_is_here_is_promoted(
    name: str, registry: Registry, weights: MakeWeights
) -> None:
    registry.add(weights("one"))
    with pytest.raises(ModelError, match="no model"):
        registry.promote(name, NOON)


def test_a_model_that_was_damaged_since_is_neither_promoted_nor_gone_back_to(
    registry: Registry, weights: MakeWeights
) -> None:
    one, two = registry.add(weights("one")), registry.add(weights("two"))
    registry.promote(one, NOON)
    registry.promote(two, NOON)
    (registry.path_of(one) / WEIGHTS).write_text("damaged")
    with pytest.raises(ModelError, match="do not match"):
        registry.promote(one, NOON)
    with pytest.raises(ModelError, match="do not match"):
        registry.roll_back(NOON)
    assert registry.promoted() == two


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"promotions": [{}]}',
        '{"promotions": [{"name": "a", "at": "2026-06-01", "taken_back_at": null}]}',
    ],
)
def test_a_damaged_list_of_promotions_is_told(text: str, registry: Registry) -> None:
    registry.folder.mkdir()
    (registry.folder / PROMOTED).write_text(text)
    with pytest.raises(ModelError, match="no list of promotions"):
        registry.promoted()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["one", "two", "three", "back"]), max_size=12))
def test_promotions_and_rollbacks_are_a_stack_over_restarts(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "registry"
        names = {
            content: Registry(place).add(weights_folder(Path(folder) / content, content))
            for content in ("one", "two", "three")
        }
        stack: list[str] = []
        for number, step in enumerate(steps):
            registry, at = Registry(place), NOON + timedelta(minutes=number)
            if step != "back":
                registry.promote(names[step], at)
                if not stack or stack[-1] != names[step]:
                    stack.append(names[step])
            elif len(stack) > 1:
                stack.pop()
                assert registry.roll_back(at) == stack[-1]
            else:
                with pytest.raises(ModelError):
                    registry.roll_back(at)
            assert registry.promoted() == (stack[-1] if stack else None)
