"""The one key picture between a stream's reader thread and whoever looks: the newest."""

from __future__ import annotations

import threading
from collections.abc import Callable

from camera_adapters.decoding import KeyPicture
from pipeline.errors import SourceError

NO_KEY_HINT = "set the camera's I-frame interval to at most 10 s, and check that it sends at all"


class NewestKeyPicture:
    """Holds at most one picture; a newer one takes its place. Safe between two threads.

    ``patience_s``: how long `take` waits with no picture coming in at all before it fails.
    """

    def __init__(self, *, monotonic: Callable[[], float], patience_s: float) -> None:
        self._monotonic = monotonic
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._picture: KeyPicture | None = None
        self._heard_at = monotonic()
        self._failure: SourceError | None = None
        self._closed = False

    def put(self, picture: KeyPicture) -> None:
        """Replaces what is held."""
        with self._changed:
            self._picture = picture
            self._heard_at = self._monotonic()
            self._changed.notify_all()

    def fail(self, failure: SourceError) -> None:
        """Nothing more will come, for this reason. The first reason stands."""
        with self._changed:
            self._failure = self._failure or failure
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody wants any more: `take` gives None from now on."""
        with self._changed:
            self._closed = True
            self._picture = None
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def take(self, *, due: float, name: str) -> KeyPicture | None:
        """The newest picture, not before ``due`` (on the monotonic clock); None once closed.

        After a failure what is held is given at once, then the failure is raised. Also raises
        SourceError naming ``name`` when no picture has come in for ``patience_s``.
        """
        with self._changed:
            while not self._closed:
                now = self._monotonic()
                if self._picture is not None and (now >= due or self._failure is not None):
                    picture, self._picture = self._picture, None
                    return picture
                if self._failure is not None:
                    raise self._failure
                until = due if self._picture is not None else self._heard_at + self._patience_s
                if self._picture is None and now >= until:
                    raise SourceError(
                        f"{name}: no key frame for {self._patience_s:g} s", hint=NO_KEY_HINT
                    )
                self._changed.wait(until - now)
            return None
