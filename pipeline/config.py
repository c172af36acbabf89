"""The configuration: one YAML file, checked whole, with every error at its line.

Every value can be overridden in the environment: ``BRIMWATCH_`` and the path with ``__`` between its
parts (``BRIMWATCH_API__PORT=8081``, ``BRIMWATCH_POINTS__0__NAME=…``). Secrets never stand in the file:
it names an environment variable (``secret_env``) or a file (``secret_file``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipeline.domain import WHOLE_VIEW, Camera, Point, Zone, ZoneKind
from pipeline.errors import ConfigError

_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_PREFIX = "BRIMWATCH_"
_HINTS = {
    "extra_forbidden": "this name is not known here: check its spelling and its indentation",
    "missing": "add it",
}

Id = Annotated[str, Field(pattern=_ID)]
Seconds = Annotated[float, Field(gt=0, le=86_400 * 31)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Secret(_Part):
    """Where a secret is: an environment variable or a file, never the value itself."""

    secret_env: str | None = None
    secret_file: Path | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.secret_env is None) == (self.secret_file is None):
            raise ValueError("exactly one of secret_env and secret_file is needed")
        return self

    def read(self, environment: Mapping[str, str], base: Path) -> str:
        """The secret. Raises ConfigError when it is not there; the value is never in the message."""
        if self.secret_env is not None:
            value = environment.get(self.secret_env, "").strip()
            if not value:
                raise ConfigError(
                    f"the environment variable {self.secret_env} is not set",
                    hint=f"export {self.secret_env}=… before starting",
                )
            return value
        assert self.secret_file is not None, "validated: one of the two is given"
        try:
            value = (base / self.secret_file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(
                f"the secret file {self.secret_file} cannot be read: {error.strerror}",
                hint="create it, readable by the service only (chmod 600)",
            ) from error
        if not value:
            raise ConfigError(f"the secret file {self.secret_file} is empty")
        return value


class ZoneConfig(_Part):
    """A polygon on a camera's view, corners relative to width and height."""

    zone_id: Id
    kind: ZoneKind
    polygon: list[tuple[float, float]]

    @field_validator("polygon")
    @classmethod
    def _has_area(cls, corners: list[tuple[float, float]]) -> list[tuple[float, float]]:
        if len(corners) < 3:
            raise ValueError(f"a polygon needs at least 3 corners, got {len(corners)}")
        for x, y in corners:
            if not (0 <= x <= 1 and 0 <= y <= 1):
                raise ValueError(f"corners are relative, 0..1 of width and height, got [{x}, {y}]")
        return corners

    @field_validator("zone_id")
    @classmethod
    def _not_reserved(cls, zone_id: str) -> str:
        if zone_id == WHOLE_VIEW:
            raise ValueError(f"{WHOLE_VIEW!r} is the name of a view without zones")
        return zone_id


class CameraConfig(_Part):
    """One view of a point. ``url``: a folder, a video file, rtsp://, http://, push://"""

    camera_id: Id
    url: str = Field(min_length=1)
    look_every_s: Seconds = 5.0
    zones: list[ZoneConfig] = []


class PointConfig(_Part):
    """A monitored sanitation point; longitude and latitude in WGS 84 degrees."""

    point_id: Id
    name: str = Field(min_length=1)
    community: str = ""
    grid_code: str = ""
    longitude: float | None = Field(default=None, ge=-180, le=180)
    latitude: float | None = Field(default=None, ge=-90, le=90)
    cameras: list[CameraConfig] = Field(min_length=1)


class ReceiverConfig(Secret):
    """A system that gets events, over HTTP."""

    name: Id
    url: str = Field(pattern=r"^https?://")
    push: Literal["confirmed"] = "confirmed"
    timeout_s: float = Field(default=15.0, gt=0, le=60)


class GatewayConfig(Secret):
    """A box that pushes frames. Its secret is its API key."""

    name: Id
    cameras: list[Id] = Field(min_length=1)


class FolderConfig(_Part):
    """Evidence in a folder."""

    kind: Literal["folder"] = "folder"
    path: Path = Path("evidence")


class S3Config(Secret):
    """Evidence in S3 or MinIO. The secret is the secret key; ``access_key`` is not secret."""

    kind: Literal["s3"]
    endpoint: str = Field(pattern=r"^[^/]+$")
    bucket: str = Field(min_length=3, max_length=63)
    access_key: str
    secure: bool = True
    region: str | None = None


class DetectorConfig(_Part):
    """``weights``: a weights folder or a ``.pt``, None for those that come along.

    ``calibration``: the JSON of `brimwatch calibrate`; a weights folder has its own. ``threads``: None
    for all cores.

    ``registry``: the folder of `brimwatch models`; the model that is promoted there is used instead of
    ``weights`` and its ``calibration``, and is looked for every ``registry_check_s`` seconds. Lower: a
    promotion is taken up sooner; each look reads one small file.
    """

    weights: Path | None = None
    calibration: Path | None = None
    registry: Path | None = None
    registry_check_s: Seconds = 30.0
    threads: int | None = Field(default=None, ge=1)


class ApiConfig(_Part):
    """Where the service listens. ``public_url``: how receivers reach it, for evidence links."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str | None = Field(default=None, pattern=r"^https?://")


class RulesConfig(_Part):
    """How sure, and for how long, before something is said. See `pipeline.events.EventRules`."""

    confirm_after_s: Seconds = 180.0
    clear_after_s: Seconds = 120.0
    expire_after_s: Seconds = 86_400.0
    tau_s: Seconds = 60.0
    frozen_after_s: Seconds = 1800.0


class Config(_Part):
    """The whole of it.

    ``state``: the folder for the ledger, the evidence folder, their keys, and the spool.
    ``spool_mb``: what the pictures of decisions may weigh that wait there for a store to return.
    """

    site: Id = "site"
    time_zone: str = "Asia/Shanghai"
    state: Path = Path("state")
    spool_mb: int = Field(1024, ge=0)
    ledger: str | None = None
    evidence: Annotated[FolderConfig | S3Config, Field(discriminator="kind")] = FolderConfig()
    detector: DetectorConfig = DetectorConfig()
    api: ApiConfig = ApiConfig()
    rules: RulesConfig = RulesConfig()
    receivers: list[ReceiverConfig] = []
    gateways: list[GatewayConfig] = []
    points: list[PointConfig] = Field(min_length=1)
    simulated: bool = False

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"not a time zone: {name!r}; for example Asia/Shanghai") from error
        return name

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        cameras = [camera.camera_id for point in self.points for camera in point.cameras]
        for what, ids in (
            ("point_id", [point.point_id for point in self.points]),
            ("camera_id", cameras),
            ("receiver", [receiver.name for receiver in self.receivers]),
            ("gateway", [gateway.name for gateway in self.gateways]),
        ):
            twice = {name for name in ids if ids.count(name) > 1}
            if twice:
                raise ValueError(f"each {what} must be its own, twice: {', '.join(sorted(twice))}")
        for point in self.points:
            for camera in point.cameras:
                zones = [zone.zone_id for zone in camera.zones]
                if len(set(zones)) != len(zones):
                    raise ValueError(f"camera {camera.camera_id}: each zone_id must be its own")
        for gateway in self.gateways:
            unknown = set(gateway.cameras) - set(cameras)
            if unknown:
                raise ValueError(
                    f"gateway {gateway.name}: no such camera: {', '.join(sorted(unknown))}"
                )
        return self

    def domain_points(self) -> tuple[Point, ...]:
        """The points in the words of the domain."""
        return tuple(
            Point(
                point.point_id,
                point.name,
                point.community,
                point.grid_code,
                point.longitude,
                point.latitude,
                tuple(_camera(camera) for camera in point.cameras),
            )
            for point in self.points
        )


def _camera(camera: CameraConfig) -> Camera:
    zones = tuple(
        Zone(zone.zone_id, zone.kind, tuple((x, y) for x, y in zone.polygon))
        for zone in camera.zones
    )
    return Camera(camera.camera_id, camera.url, zones, camera.look_every_s)


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration and the folder that its relative paths start from."""

    config: Config
    base: Path


def load_config(path: Path, environment: Mapping[str, str]) -> LoadedConfig:
    """Read, override from the environment, and check. Raises ConfigError naming each wrong line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(
            f"{path}: the configuration cannot be read: {reason}",
            hint="copy one from deploy/brimwatch.example.yaml",
        ) from error
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        raise ConfigError(
            f"{path}{line}: not YAML: {getattr(error, 'problem', None) or 'cannot be parsed'}",
            hint="indent with spaces, two a level; quote texts that contain ': '",
        ) from error
    if not isinstance(data, dict):
        raise ConfigError(
            f"{path}:1: a mapping (name: value) is expected, got {type(data).__name__}"
        )
    for name, value in environment.items():
        if name.startswith(_PREFIX) and name != _PREFIX:
            _override(data, name, value)
    return LoadedConfig(parse_config(data, str(path), tree), path.resolve().parent)


def parse_config(
    data: Mapping[str, Any], source: str = "configuration", tree: yaml.Node | None = None
) -> Config:
    """Check plain values. ``tree``: the YAML they came from, for line numbers."""
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        lines = []
        for problem in error.errors(include_url=False, include_context=False):
            where = tuple(part for part in problem["loc"] if part not in ("folder", "s3"))
            line = _line_of(tree, where)
            given = problem["input"]
            got = f", got {given!r}" if isinstance(given, str | int | float | bool) else ""
            message = problem["msg"].removeprefix("Value error, ")
            text = f"{source}{f':{line}' if line else ''}: {_path(where)}: {message}{got}"
            hint = _HINTS.get(problem["type"])
            lines.append(f"{text}\n    hint: {hint}" if hint else text)
        raise ConfigError("\n".join(lines)) from error


def seconds(value: float) -> timedelta:
    """A configured number of seconds as a time span."""
    return timedelta(seconds=value)


_SET_ELSEWHERE = frozenset({"BRIMWATCH_DATA"})
"""Variables with our prefix that are not configuration."""


def _override(data: dict[str, Any], name: str, value: str) -> None:
    """Put one environment value in its place. YAML's rules say what kind of value the text is."""
    path = name.removeprefix(_PREFIX).lower().split("__")
    if name in _SET_ELSEWHERE or path[0] not in Config.model_fields:
        return
    here: Any = data
    for index, part in enumerate(path):
        last = index == len(path) - 1
        key: str | int = int(part) if isinstance(here, list) and part.isdecimal() else part
        if isinstance(here, list) and not (isinstance(key, int) and key < len(here)):
            raise ConfigError(f"{name}: there is no item {part} in {'.'.join(path[:index])}")
        if last:
            here[key] = yaml.safe_load(value)
            return
        if isinstance(here, dict) and not isinstance(here.get(part), dict | list):
            here[part] = {}
        here = here[key]


def _path(where: tuple[str | int, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where)
    return re.sub(r"^\.", "", text) or "(top)"


def _line_of(node: yaml.Node | None, where: tuple[str | int, ...]) -> int | None:
    """The line (from 1) of the value at ``where``, or of the nearest thing around it."""
    if node is None:
        return None
    line = node.start_mark.line + 1
    for part in where:
        child = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == part:
                    line, child = key.start_mark.line + 1, value
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value)
        ):
            child = node.value[part]
            line = child.start_mark.line + 1
        if child is None:
            break
        node = child
    return int(line)
