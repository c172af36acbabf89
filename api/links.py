"""Links to evidence that stay the same for a while, so that a browser keeps what it has loaded."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

from pipeline.store import EvidenceStore

LIFETIME = timedelta(hours=2)
"""How long a link on a page works: longer than a page is left open without being refreshed."""
_RENEW_AFTER_S = LIFETIME.total_seconds() / 2
_KEPT = 4096
"""Links remembered, about 1 MB: some hundred events' pictures."""


class EvidenceLinks:
    """Signs links for pages and answers of the API, anew only when half of their life is over.

    With ``same_origin`` the scheme and host of a link are left out: the page asks the service it came
    from, whatever name the operator reached it by. ``monotonic`` counts seconds of real time: a
    demo's clock, which may run fast or stand still, says nothing of how old a link is. Safe to call
    from several threads.
    """

    def __init__(
        self,
        evidence: EvidenceStore,
        *,
        same_origin: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._evidence = evidence
        self._monotonic = monotonic
        self._same_origin = same_origin
        self._links: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._lock = threading.Lock()

    def link(self, key: str) -> str:
        """A link to the picture under ``key``. Raises what the evidence store raises."""
        now = self._monotonic()
        with self._lock:
            made_at, link = self._links.get(key, (now, ""))
            if link and now - made_at < _RENEW_AFTER_S:
                return link
        link = self._evidence.url(key, LIFETIME)
        if self._same_origin:
            link = urlunsplit(("", "", *urlsplit(link)[2:]))
        with self._lock:
            self._links[key] = (now, link)
            self._links.move_to_end(key)
            while len(self._links) > _KEPT:
                self._links.popitem(last=False)
        return link
