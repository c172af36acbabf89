"""API keys of gateways: each is bound to the cameras it may push."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.errors import RequestRefused
from api.service import Service

_bearer = HTTPBearer(auto_error=False, description="A gateway's API key.")


def key_hash(key: str) -> str:
    """The form in which a key is kept: SHA-256, hex.

    A plain hash is right for keys of 128 random bits and more, which nobody can guess; it would not be
    for passwords.
    """
    return hashlib.sha256(key.encode()).hexdigest()


def cameras_of(key: str, gateway_keys: Mapping[str, frozenset[str]]) -> frozenset[str] | None:
    """The cameras that ``key`` may push, None if it is no key of ours.

    Every known hash is compared, each in constant time, so that the time taken tells nothing.
    """
    given = key_hash(key)
    found: frozenset[str] | None = None
    for known, cameras in gateway_keys.items():
        if hmac.compare_digest(given, known):
            found = cameras
    return found


def may_push(
    request: Request,
    camera_id: str,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    """Let a gateway's request through. Raises RequestRefused (401, 403)."""
    service: Service = request.app.state.service
    cameras = cameras_of(given.credentials, service.gateway_keys) if given else None
    if cameras is None:
        raise RequestRefused(
            "unauthorized",
            "no API key was sent" if given is None else "this API key is not known here",
            hint="send the header Authorization: Bearer <key>",
            headers={"WWW-Authenticate": 'Bearer realm="brimwatch"'},
        )
    if camera_id not in cameras:
        raise RequestRefused(
            "forbidden",
            f"this API key may not push camera {camera_id!r}",
            hint="bind the camera to the key in the configuration",
        )
