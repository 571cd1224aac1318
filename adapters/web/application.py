"""Puts routes, guards and error handling together."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from adapters.web import health
from adapters.web.api_error import ApiError
from adapters.web.v1 import chat_completions, models
from adapters.web.validation import explain
from adapters.web.web_context import WebContext
from bot import __version__


def create_app(context: WebContext) -> FastAPI:
    """The whole web application."""
    app = FastAPI(title="hearthbot", version=__version__, docs_url=None, redoc_url=None)
    app.state.context = context
    app.add_exception_handler(ApiError, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    for each in (health, models, chat_completions):
        app.include_router(each.router)
    return app


async def _answer_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise error
    return error.response()


async def _answer_invalid(_: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return explain(error.errors(), error.body).response()


async def _answer_http(_: Request, error: Exception) -> Response:
    """What the framework refuses: a path or method that is not there, a body that cannot be read."""
    if not isinstance(error, HTTPException):
        raise error
    return ApiError(error.status_code, str(error.detail), headers=error.headers).response()
