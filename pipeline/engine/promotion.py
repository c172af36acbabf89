"""Takes up a newly promoted model while the service runs.

A thread of its own looks which model is promoted, and loads a new one beside the old; only what is
loaded and has answered on a picture is handed to the decider, which changes over between two looks. A
model that cannot be used is told once and refused, and the old one stays.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from pipeline.belief import Likelihood
from pipeline.domain import Detector
from pipeline.errors import ModelError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A detector with what was measured on it; the one is of no use without the other.

    ``seen_confidence``: see `pipeline.zones.observe`.
    """

    detector: Detector
    likelihood: Likelihood
    seen_confidence: float


class PromotionFollower:
    """Keeps a decider at the promoted model.

    ``promoted``: the name of the promoted model, None when none is; ``load``: the model of a name,
    ready to answer; both may raise ModelError. ``adopt`` gets each new one. ``current``: the name of
    the model that is in use now, None for one that comes from no registry.
    """

    def __init__(
        self,
        promoted: Callable[[], str | None],
        load: Callable[[str], Model],
        adopt: Callable[[Model], None],
        *,
        current: str | None,
    ) -> None:
        self._promoted = promoted
        self._load = load
        self._adopt = adopt
        self._current = current
        self._refused = ""

    def run(self, stop: threading.Event, every_s: float) -> None:
        """Look every ``every_s`` seconds until ``stop`` is set."""
        while not stop.wait(every_s):
            try:
                self.look()
            except Exception:  # whatever it was, the next promotion may be a good one
                log.exception("promotion_not_followed")

    def look(self) -> bool:
        """Look once. True when a new model was handed over.

        A model that is refused raises nothing. It is tried again at the next look, since a share may
        have been away or a copy not have been finished, but told again only for another reason.
        """
        try:
            name = self._promoted()
            model = self._load(name) if name is not None and name != self._current else None
        except ModelError as error:
            if str(error) != self._refused:
                log.error(
                    "model_refused", error=str(error), stays=self._current or "the configured one"
                )
            self._refused = str(error)
            return False
        self._refused = ""
        if model is None:
            return False
        self._adopt(model)
        log.info("model_adopted", model=name, model_hash=model.detector.model_hash)
        self._current = name
        return True
