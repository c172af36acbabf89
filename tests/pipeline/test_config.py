"""The configuration: every error at its line, secrets elsewhere, the environment on top."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import load_config
from pipeline.domain import ZoneKind
from pipeline.errors import ConfigError

GOOD = """\
site: street-7
state: state
evidence:
  kind: folder
receivers:
  - name: county
    url: https://county.example/events
    secret_env: COUNTY_SECRET
gateways:
  - name: box-1
    secret_file: box-1.key
    cameras: [gate-cam]
points:
  - point_id: gate
    name: 老街垃圾房
    longitude: 106.55
    latitude: 29.56
    cameras:
      - camera_id: gate-cam
        url: push://
        zones:
          - zone_id: gate-bin
            kind: bin
            polygon: [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "brimwatch.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_good_one_becomes_points_in_the_domain_s_words(tmp_path: Path) -> None:
    loaded = load_config(written(tmp_path, GOOD), {})
    (point,) = loaded.config.domain_points()
    (camera,) = point.cameras
    assert (point.name, camera.camera_id, camera.look_every_s) == ("老街垃圾房", "gate-cam", 5.0)
    assert camera.zones[0].kind is ZoneKind.BIN
    assert loaded.base == tmp_path.resolve()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param(
            ("[[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]", "[[0.1, 0.1], [0.9, 0.1]]"),
            r"brimwatch\.yaml:24: points\[0\]\.cameras\[0\]\.zones\[0\]\.polygon: "
            r"a polygon needs at least 3 corners, got 2",
            id="two corners",
        ),
        pytest.param(("[0.5, 0.9]]", "[0.5, 1.9]]"), r":24: .*relative, 0\.\.1", id="in pixels"),
        pytest.param(("kind: bin", "kind: box"), r":23: .*kind: .*'bin'.*got 'box'", id="kind"),
        pytest.param(
            ("latitude: 29.56", "latitude: 129.56"),
            r":17: points\[0\]\.latitude: "
            r".*less than or equal to 90.*got 129.56",
            id="latitude",
        ),
        pytest.param(
            ("site: street-7", "sight: street-7"),
            r":1: sight: .*\n    hint: this name is not known here",
            id="misspelt",
        ),
        pytest.param(
            ("secret_env: COUNTY_SECRET", "timeout_s: 5"),
            r"receivers\[0\]: exactly one of secret_env and secret_file",
            id="no secret",
        ),
        pytest.param(
            ("cameras: [gate-cam]", "cameras: [gate-kam]"),
            r"gateway box-1: no such camera: gate-kam",
            id="unknown camera",
        ),
        pytest.param(
            ("url: https://county", "url: ftp://county"), r":7: receivers\[0\]\.url", id="not http"
        ),
        pytest.param(
            ("state: state", "time_zone: Mars/Base"),
            r":2: time_zone: not a time zone",
            id="time zone",
        ),
        pytest.param(
            ("site: street-7", "site: [street"), r"brimwatch\.yaml:\d+: not YAML", id="YAML"
        ),
    ],
)
def test_an_error_names_line_field_value_and_what_was_expected(
    tmp_path: Path, change: tuple[str, str], complaint: str
) -> None:
    assert change[0] in GOOD
    with pytest.raises(ConfigError, match=complaint):
        load_config(written(tmp_path, GOOD.replace(*change)), {})


def test_every_error_is_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("latitude: 29.56", "latitude: 129").replace("kind: bin", "kind: box")
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, text), {})
    assert ":17:" in str(caught.value)
    assert ":23:" in str(caught.value)


def test_the_same_camera_twice_is_refused(tmp_path: Path) -> None:
    again = "\n      - {camera_id: gate-cam, url: 'push://'}\n"
    with pytest.raises(ConfigError, match="each camera_id must be its own, twice: gate-cam"):
        load_config(written(tmp_path, GOOD.rstrip() + again), {})


def test_the_environment_overrides(tmp_path: Path) -> None:
    loaded = load_config(
        written(tmp_path, GOOD),
        {
            "BRIMWATCH_API__PORT": "9001",
            "BRIMWATCH_POINTS__0__NAME": "河边垃圾点",
            "BRIMWATCH_DATA": "/somewhere",
        },
    )
    assert loaded.config.api.port == 9001
    assert loaded.config.points[0].name == "河边垃圾点"


def test_the_environment_is_checked_like_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"api\.port: .*got 'many'"):
        load_config(written(tmp_path, GOOD), {"BRIMWATCH_API__PORT": "many"})
    with pytest.raises(ConfigError, match="there is no item 7 in points"):
        load_config(written(tmp_path, GOOD), {"BRIMWATCH_POINTS__7__NAME": "x"})


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read.*\n    hint: copy one from"):
        load_config(tmp_path / "none.yaml", {})


def test_secrets_come_from_environment_or_file_and_their_absence_is_told(tmp_path: Path) -> None:
    loaded = load_config(written(tmp_path, GOOD), {})
    receiver, gateway = loaded.config.receivers[0], loaded.config.gateways[0]
    assert receiver.read({"COUNTY_SECRET": " whsec_x "}, tmp_path) == "whsec_x"
    with pytest.raises(ConfigError, match="COUNTY_SECRET is not set"):
        receiver.read({}, tmp_path)
    with pytest.raises(ConfigError, match=r"box-1\.key cannot be read"):
        gateway.read({}, tmp_path)
    (tmp_path / "box-1.key").write_text("key\n", "utf-8")
    assert gateway.read({}, tmp_path) == "key"
