"""From a network in 32 bits to one that computes mostly in 8: nncf's post-training quantisation."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.dataset import read_truths
from models.openvino_runtime import network_input
from pipeline.errors import ConfigError, ModelError, PictureError
from pipeline.pictures import decode_picture

MOST_SAMPLES = 300
"""Pictures that are looked at, evenly spread over the split. Too few miss how bright or full streets
get, and ranges are cut; more take longer and change nothing (nncf's own default is 300)."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Pictures on which the ranges of the network's numbers are measured: one split of a data set.

    Never the split that one reports on.
    """

    data: Path
    split: str = "val"
    most: int = MOST_SAMPLES

    def pictures(self) -> list[Path]:
        """The pictures, by name. Raises ConfigError as `models.dataset.read_truths` does."""
        every = [truth.picture for truth in read_truths(self.data, self.split)]
        step = max(1, -(-len(every) // self.most))
        return every[::step]


def quantise(network: Any, pictures: Sequence[Path], *, input_size: int, head: str) -> Any:  # noqa: ANN401
    """The OpenVINO ``network`` with weights and activations in 8 bits. It is not changed itself.

    Pictures are fitted in as the runtime does it. ``head``: name of the network's last module; what
    it does after its convolutions (boxes from distances, confidences) stays in 32 bits, since a box's
    corner would else move in steps of pixels.

    Raises ModelError when nncf is not installed, ConfigError for a picture that cannot be used.
    """
    # nncf would report its use over the network; it keeps still where it takes itself to be tested.
    os.environ.setdefault("NNCF_CI", "1")
    try:
        import nncf
    except ImportError as error:
        raise ModelError(
            f"int8 needs nncf: {error}", hint="pip install 'brimwatch[models]', or use f16"
        ) from error

    def fitted(picture: Path) -> Any:  # noqa: ANN401
        try:
            frame = decode_picture(picture.read_bytes())
        except (OSError, PictureError) as error:
            raise ConfigError(f"{picture}: {error}") from error
        return network_input(frame, input_size)

    nncf.set_log_level(logging.ERROR)
    name = re.escape(head)
    return nncf.quantize(
        network,
        nncf.Dataset(list(pictures), fitted),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(pictures),
        ignored_scope=nncf.IgnoredScope(patterns=[rf"{name}/.*", rf"{name}\.dfl.*"]),
    )
