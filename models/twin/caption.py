"""What is burnt into every simulated frame: the point, the site's time, and that it is simulated."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import cv2

from pipeline.domain import Image

SITE_TIME = timezone(timedelta(hours=8))


def burn_in(picture: Image, point_id: str, moment: datetime) -> Image:
    """The picture (BGR uint8) with a caption top left; ``moment`` is aware."""
    local = moment.astimezone(SITE_TIME)
    text = f"{point_id.upper()} SIMULATED {local:%Y-%m-%d %H:%M:%S}"
    labelled = picture.copy()
    labelled[4:24, 4:372] //= 3
    cv2.putText(labelled, text, (8, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (235, 235, 235), 1,
                cv2.LINE_AA)  # fmt: skip
    return labelled
