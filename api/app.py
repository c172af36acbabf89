"""The FastAPI application, put together from its routers. Serves what `Service` holds."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from api.guard import Guard
from api.health import health_router
from api.ingest import ingest_router
from api.links import EvidenceLinks
from api.pages import STATIC, Pages, pages_router
from api.pictures import pictures_router
from api.problems import ProblemDocument, install_problems
from api.reading import reading_router
from api.service import Service

_DESCRIPTION = """\
Frames of sanitation points go in, confirmed overflow events come out.

Times are RFC 3339 in UTC. Every error is a problem document (RFC 9457) of media type
`application/problem+json`.
"""


class _Application(FastAPI):
    """FastAPI whose description knows the problem document that every route may answer with."""

    def openapi(self) -> dict[str, Any]:
        schema = super().openapi()
        models = schema.setdefault("components", {}).setdefault("schemas", {})
        models.setdefault("ProblemDocument", ProblemDocument.model_json_schema())
        return schema


def create_app(service: Service) -> FastAPI:
    """The service's HTTP side. Run it with uvicorn's own access log off: `api.guard` writes one.

    The interactive documentation is off, since it loads scripts from elsewhere, which the pages'
    policy forbids; the description is at /openapi.json.
    """
    app = _Application(
        title="Brimwatch",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        license_info={"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
    )
    app.state.service = service
    links = EvidenceLinks(service.evidence, same_origin=service.link_check is not None)
    pages = Pages(service, links)
    install_problems(app, pages.problem)
    app.include_router(ingest_router())
    app.include_router(reading_router(service, links))
    if service.link_check is not None:
        app.include_router(pictures_router(service, service.link_check))
    app.include_router(health_router(service))
    app.include_router(pages_router(pages))
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_middleware(Guard, picture_origin=service.picture_origin)
    return app
