"""`/v1/models`."""

from typing import Literal

from fastapi import APIRouter
from typing_extensions import TypedDict

from adapters.web.authentication import Known
from adapters.web.refusals import refusals
from adapters.web.web_context import Context, WebContext

router = APIRouter(prefix="/v1", tags=["models"])


class ModelMeta(TypedDict):
    """What else is known."""

    n_ctx: int


class ModelObject(TypedDict):
    """A model."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    meta: ModelMeta


class ModelList(TypedDict):
    """All of them."""

    object: Literal["list"]
    data: list[ModelObject]


@router.get("/models", responses=refusals(401, 403))
async def list_models(context: Context, _: Known) -> ModelList:
    """The names under which the model may be asked for."""
    return ModelList(object="list", data=[_model(context, name) for name in context.model_names.names])


@router.get("/models/{name:path}", responses=refusals(401, 403, 404))
async def get_model(name: str, context: Context, _: Known) -> ModelObject:
    """One name."""
    context.model_names.check(name)
    return _model(context, name)


def _model(context: WebContext, name: str) -> ModelObject:
    return ModelObject(
        id=name,
        object="model",
        created=context.model_names.since,
        owned_by="hearthbot",
        meta=ModelMeta(n_ctx=context.core.model.n_ctx),
    )
