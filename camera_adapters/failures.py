"""FFmpeg's errors in our words, and URLs without their secrets."""

from __future__ import annotations

import re

import av.error

from pipeline.errors import SourceError, SourceMissing, SourceUnreadable

_USER_INFO = re.compile(r"(?<=://).*@")
_SECRET = re.compile(
    r"(?i)\b(user(?:name)?|usr|pass(?:word|wd)?|pwd|psw|token|secret|api_?key|key|auth|sig(?:nature)?)"
    r"=[^&/?#\s]*"
)


def redact(url: str) -> str:
    """The URL with all that may be a secret replaced by ``***``. Rather too much than too little.

    >>> redact("rtsp://admin:p@ss/w0rd@10.0.0.8:554/Streaming/101?token=abc&channel=1")
    'rtsp://***@10.0.0.8:554/Streaming/101?token=***&channel=1'
    >>> redact("rtsp://10.0.0.8/user=admin&password=x&channel=1")
    'rtsp://10.0.0.8/user=***&password=***&channel=1'
    """
    return _SECRET.sub(r"\1=***", _USER_INFO.sub("***@", url))


_MISSING: tuple[tuple[type[Exception], str, str], ...] = (
    (av.error.ConnectionRefusedError, "nothing listens there", "check host and port"),
    (
        av.error.HTTPNotFoundError,
        "no such stream there (404)",
        "check the path in the camera's url",
    ),
    (av.error.HTTPBadRequestError, "refused as a bad request (400)", "check the path in the url"),
)
_REFUSED = (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)
_SILENT = (av.error.ExitError, av.error.TimeoutError)
_NOT_VIDEO = (
    av.error.InvalidDataError,
    av.error.DecoderNotFoundError,
    av.error.DemuxerNotFoundError,
)


def stream_failure(
    error: av.error.FFmpegError, name: str, doing: str, limit_s: float, *, silent: bool
) -> SourceError:
    """What an FFmpeg error on a network stream means.

    ``name``: the camera, with a redacted URL (FFmpeg's own message holds the whole URL and is not
    used); ``doing``: "opening" or "reading"; ``limit_s``: the time that it was given; ``silent``: all
    of that time has passed (FFmpeg's RTSP reports an answer that never came as invalid data).
    """
    for kind, what, hint in _MISSING:
        if isinstance(error, kind):
            return SourceMissing(f"{name}: {what}", hint=hint)
    if isinstance(error, _REFUSED):
        return SourceError(f"{name}: the camera refuses us", hint="check user name and password")
    if silent or isinstance(error, _SILENT):
        return SourceError(
            f"{name}: no answer within {limit_s:g} s while {doing}",
            hint="check the camera's network and power; it is tried again",
        )
    if isinstance(error, _NOT_VIDEO):
        return SourceUnreadable(
            f"{name}: what comes is not video that can be decoded",
            hint="open the address in a player; H.264, H.265 and MJPEG are read",
        )
    reason = error.strerror or type(error).__name__
    return SourceError(
        f"{name}: {reason} while {doing}", hint="check the camera's address and network"
    )
