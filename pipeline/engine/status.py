"""What the engine last knew of each camera: read by the service, written by the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.domain import Quality


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """One camera as of its last look.

    ``last_frame_at`` (UTC): when its newest frame was captured, None before the first one;
    ``quality``: of that frame; ``belief``: the probability (0..1) of overflow by zone id;
    ``fault``: what is wrong with the source, in words for an operator, empty when nothing is. It is
    shown on the page, so it must name no password: leave the camera's URL out.
    """

    camera_id: str
    last_frame_at: datetime | None = None
    quality: Quality = Quality.OK
    belief: Mapping[str, float] = field(default_factory=dict)
    fault: str = ""
