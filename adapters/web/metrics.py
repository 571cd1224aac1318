"""`/metrics`."""

from fastapi import APIRouter
from fastapi.responses import Response

from adapters.web.authentication import Known
from adapters.web.web_context import Context

router = APIRouter()


@router.get("/metrics", response_class=Response)
async def metrics(context: Context, _: Known) -> Response:
    """Everything that is measured, for Prometheus."""
    measured = context.core.metrics
    return Response(measured.exposition(), media_type=measured.content_type)
