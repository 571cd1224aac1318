"""`/v1/embeddings`."""

from typing import Annotated, Literal, NoReturn

from fastapi import APIRouter
from pydantic import Field

from adapters.web.api_error import ApiError
from adapters.web.authentication import Known
from adapters.web.refusals import ErrorObject, refusals
from adapters.web.v1.fields import ApiRequest, ShortText
from adapters.web.web_context import Context

router = APIRouter(prefix="/v1", tags=["embeddings"])


class EmbeddingsRequest(ApiRequest):
    """Texts to be turned into vectors."""

    model: ShortText | None = None
    input: str | Annotated[list[str] | list[int] | list[list[int]], Field(min_length=1, max_length=2048)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    user: ShortText | None = None


@router.post("/embeddings", status_code=400, response_model=ErrorObject, responses=refusals(400, 401, 403, 404, 413))
async def create_embeddings(body: EmbeddingsRequest, context: Context, _: Known) -> NoReturn:
    """Refused: the model that writes here makes no embeddings."""
    name = context.model_names.check(body.model)
    raise ApiError(400, f"{name} writes text and makes no embeddings.", code="embeddings_not_supported", param="model")
