"""What every route may use."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from adapters.web.api_keys import ApiKeys
from adapters.web.authentication import Authentication
from adapters.web.settings import WebSettings
from bot.adapter import ChatCore


@dataclass(frozen=True, slots=True, kw_only=True)
class WebContext:
    """One life of the web adapter. Kept as `app.state.context`."""

    name: str
    """The adapter's name in the configuration."""
    settings: WebSettings
    core: ChatCore
    keys: ApiKeys
    authentication: Authentication


def web_context(request: Request) -> WebContext:
    """A dependency: the context of the application that the request came to."""
    context: WebContext = request.app.state.context
    return context


Context = Annotated[WebContext, Depends(web_context)]
