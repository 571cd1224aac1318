"""What every route may use."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from adapters.web.admission import Admission
from adapters.web.api_keys import ApiKeys
from adapters.web.authentication import Authentication
from adapters.web.principal import Principal
from adapters.web.settings import WebSettings
from adapters.web.v1.model_names import ModelNames
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
    admission: Admission
    model_names: ModelNames

    def user(self, principal: Principal) -> str:
        """Who a principal is in the line, such as `web:laptop`."""
        return f"{self.name}:{principal.name}"


async def web_context(request: Request) -> WebContext:
    """A dependency: the context of the application that the request came to."""
    context: WebContext = request.app.state.context
    return context


Context = Annotated[WebContext, Depends(web_context)]
