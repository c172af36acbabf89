"""For machines that look after machines: /livez, /readyz, /metrics."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel

from api.problems import problem_response, problem_responses
from api.service import Service


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """Nothing keeps the service from working."""

    status: Literal["ready"] = "ready"


def health_router(service: Service) -> APIRouter:
    """The routes. /livez asks nobody: a store that is away is no reason to restart the process."""
    router = APIRouter(tags=["health"])

    @router.get("/livez")
    async def livez() -> Alive:
        """Whether the process answers at all."""
        return Alive()

    @router.get("/readyz", response_model=Ready, responses=problem_responses(503))
    def readyz(request: Request) -> Ready | Response:
        """Whether the service can work; if not, what is wrong and what to do (``problems``)."""
        problems = service.readiness()
        if not problems:
            return Ready()
        return problem_response(
            request,
            "not-ready",
            "; ".join(f"{problem.name}: {problem.what}" for problem in problems),
            extension={
                "problems": [
                    {"name": problem.name, "what": problem.what, "hint": problem.hint}
                    for problem in problems
                ]
            },
        )

    @router.get("/metrics", response_class=Response)
    def metrics(request: Request) -> Response:
        """All counters, in Prometheus's text format or OpenMetrics as asked."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(service.registry), headers={"Content-Type": content_type})

    return router
