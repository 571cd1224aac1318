"""Puts routes, guards and error handling together."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from adapters.web import docs, health, metrics
from adapters.web.api_error import ApiError
from adapters.web.body_limit import BodyLimit
from adapters.web.host_guard import HostGuard, own_names
from adapters.web.v1 import chat_completions, completions, embeddings, models, responses
from adapters.web.v1.failure import not_stored
from adapters.web.validation import explain
from adapters.web.web_context import WebContext
from bot import __version__
from bot.errors import StorageError


def create_app(context: WebContext) -> FastAPI:
    """The whole web application."""
    app = FastAPI(title="hearthbot", version=__version__, docs_url=None, redoc_url=None)
    app.state.context = context
    settings = context.settings
    # The last one that is added is the first that a request meets.
    app.add_middleware(BodyLimit)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type"],
        )
    app.add_middleware(
        HostGuard, hosts=own_names(settings.host) | set(settings.allowed_hosts), origins=settings.allowed_origins
    )
    app.add_exception_handler(ApiError, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(StorageError, _answer_storage)
    app.add_exception_handler(Exception, _answer_unexpected)
    for each in (docs, health, metrics, models, chat_completions, completions, responses, embeddings):
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


async def _answer_storage(_: Request, error: Exception) -> Response:
    if not isinstance(error, StorageError):
        raise error
    return not_stored(error).response()


async def _answer_unexpected(_: Request, __: Exception) -> Response:
    """A mistake of this program, which the server logs; nothing of it is shown."""
    return ApiError(500, "Something went wrong here. The owner finds more in the log.", code="internal").response()


async def _answer_http(_: Request, error: Exception) -> Response:
    """What the framework refuses: a path or method that is not there, a body that cannot be read."""
    if not isinstance(error, HTTPException):
        raise error
    return ApiError(error.status_code, str(error.detail), headers=error.headers).response()
