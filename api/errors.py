"""The errors of the service, under the root of pipeline/errors.py.

BrimwatchError
├── RequestRefused       what was sent cannot be taken: the problem document says why
├── UnknownCamera        a frame for a camera that this process does not watch
└── Busy                 a camera's queue is full: send again after ``retry_after_s``
"""

from __future__ import annotations

from pipeline.errors import BrimwatchError


class RequestRefused(BrimwatchError):
    """A request that is answered with a problem document of ``kind`` (a key of `problems.KINDS`)."""

    def __init__(
        self, kind: str, message: str, *, hint: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.headers = headers or {}


class UnknownCamera(BrimwatchError):
    """A frame for a camera that this process does not watch. Raised by ``Service.offer_frame``."""


class Busy(BrimwatchError):
    """The camera's queue is full. Raised by ``Service.offer_frame``; the sender waits and repeats."""

    def __init__(self, message: str, *, hint: str = "", retry_after_s: int = 2) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s
