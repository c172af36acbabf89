"""Evidence pictures from the folder store: ``GET /evidence/{key}?expires&signature``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.errors import RequestRefused
from api.links import LIFETIME
from api.problems import problem_responses
from api.service import Service
from pipeline.store.keys import sha256_in

_CACHE_CONTROL = f"private, max-age={int(LIFETIME.total_seconds())}, immutable"
"""A picture never changes under its key; kept by the reader's own browser for as long as a link."""


def pictures_router(service: Service, link_check: Callable[[str, int, str], bool]) -> APIRouter:
    """The route that signed links lead to."""
    router = APIRouter(tags=["evidence"])

    @router.get(
        "/evidence/{key:path}",
        response_class=Response,
        responses={
            200: {"content": {"image/jpeg": {}}, "description": "The picture."},
            **problem_responses(403, 422, 500, 503),
        },
    )
    def get_picture(
        key: str,
        expires: Annotated[int, Query(ge=0, le=2**53, description="Unix seconds.")],
        signature: Annotated[str, Query(max_length=200)],
    ) -> Response:
        """One picture of an event, through a link that this service has signed."""
        if not _is_key(key) or not link_check(key, expires, signature):
            raise RequestRefused(
                "forbidden",
                "this link is not valid, or no longer",
                hint="reload the page, or ask /api/v1/events/{event_id} for a new link",
            )
        content = service.evidence.get(key)
        return Response(
            content,
            media_type="image/jpeg",
            headers={
                "Cache-Control": _CACHE_CONTROL,
                "ETag": f'"{sha256_in(key)}"',
                "Content-Disposition": "inline",
            },
        )

    return router


def _is_key(text: str) -> bool:
    try:
        sha256_in(text)
    except ValueError:
        return False
    return True
