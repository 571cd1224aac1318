"""`/health`."""

from typing import Literal, NotRequired

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from typing_extensions import TypedDict

from adapters.web.authentication import MaybeSomebody
from adapters.web.refusals import refusals
from adapters.web.web_context import Context, WebContext

router = APIRouter(tags=["watching"])


class EngineHealth(TypedDict):
    """What the engine is doing."""

    model: str
    loaded: bool
    running: int
    waiting: int
    max_parallel: int
    n_ctx: int


class AdapterHealth(TypedDict):
    """How one adapter is doing."""

    phase: str
    since: str


class Health(TypedDict):
    """`degraded` means that an adapter is not up. The rest is for whoever has a key."""

    status: Literal["ok", "degraded"]
    engine: NotRequired[EngineHealth]
    adapters: NotRequired[dict[str, AdapterHealth]]


@router.get("/health", response_model=Health, responses=refusals(401, 403))
async def health(context: Context, principal: MaybeSomebody) -> Response:
    """Whether it works, for monitors; what it does, for whoever has a key."""
    up = all(each.phase in {"up", "left"} for each in context.core.adapters)
    answer = Health(status="ok" if up else "degraded")
    if principal is not None:
        answer["engine"] = _engine(context)
        answer["adapters"] = {
            each.name: AdapterHealth(phase=each.phase, since=each.since.isoformat()) for each in context.core.adapters
        }
    return JSONResponse(answer)


def _engine(context: WebContext) -> EngineHealth:
    status = context.core.model.status()
    return EngineHealth(
        model=context.model_names.own,
        loaded=status.loaded,
        running=status.running,
        waiting=status.waiting,
        max_parallel=status.max_parallel,
        n_ctx=status.n_ctx,
    )
