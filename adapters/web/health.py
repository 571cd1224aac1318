"""`/health`."""

from typing import Any

from fastapi import APIRouter

from adapters.web.authentication import MaybeSomebody
from adapters.web.web_context import Context

router = APIRouter()


@router.get("/health")
async def health(context: Context, principal: MaybeSomebody) -> dict[str, Any]:
    """Whether it works, for monitors; what it does, for whoever has a key."""
    answer: dict[str, Any] = {"status": "ok"}
    if principal is not None:
        status = context.core.model.status()
        answer["engine"] = {
            "model": status.model,
            "loaded": status.loaded,
            "running": status.running,
            "waiting": status.waiting,
            "max_parallel": status.max_parallel,
            "n_ctx": status.n_ctx,
        }
    return answer
