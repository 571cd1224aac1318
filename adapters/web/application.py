"""Puts routes, guards and error handling together."""

from fastapi import FastAPI, Request
from fastapi.responses import Response

from adapters.web import health
from adapters.web.api_error import ApiError
from adapters.web.web_context import WebContext
from bot import __version__


def create_app(context: WebContext) -> FastAPI:
    """The whole web application."""
    app = FastAPI(title="hearthbot", version=__version__, docs_url=None, redoc_url=None)
    app.state.context = context
    app.add_exception_handler(ApiError, _answer_error)
    for each in (health,):
        app.include_router(each.router)
    return app


async def _answer_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise error
    return error.response()
