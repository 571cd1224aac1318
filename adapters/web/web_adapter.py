"""The web as an adapter."""

import asyncio
from typing import ClassVar

from adapters.web.address import url_of
from adapters.web.admission import Admission
from adapters.web.api_keys import ApiKeys
from adapters.web.application import create_app
from adapters.web.authentication import Authentication
from adapters.web.page.mount import mount_page
from adapters.web.page.page import Page
from adapters.web.settings import WebSettings
from adapters.web.v1.model_names import ModelNames
from adapters.web.web_context import WebContext
from adapters.web.web_server import WebServer
from bot.adapter import Adapter, ChatCore, ReplyTarget
from bot.messages import ChatAddress
from bot.settings import AdapterSettings


class WebAdapter(Adapter):
    """Serves the API and the page."""

    settings_type: ClassVar[type[AdapterSettings]] = WebSettings

    def __init__(self, *, name: str, settings: WebSettings, core: ChatCore) -> None:
        super().__init__(name=name, settings=settings, core=core)
        self._web_settings = settings
        keys = ApiKeys(settings.api_keys)
        self._context = WebContext(
            name=name,
            settings=settings,
            core=core,
            keys=keys,
            authentication=Authentication([keys], adapter=name, core=core),
            admission=Admission(),
            model_names=ModelNames(core.model),
        )
        self.page = Page(name=name, core=core, keys=keys)
        """The chat page and the admin page."""
        app = create_app(self._context)
        mount_page(app, self.page)
        self._server = WebServer(app)
        self._link = ""
        self.url = ""
        """Where it is reached, once it is."""

    async def start(self) -> None:
        """Open the port."""
        port = await self._server.listen(self._web_settings.host, self._web_settings.port)
        self.url = url_of(self._web_settings.host, port)
        self._link = f"{self.url}/login#{await self.page.start()}"

    def announcement(self) -> str:
        """Where it is reached, and a link that logs whoever reads this in."""
        return f"web: {self.url}, log in once with {self._link}"

    def target(self, address: ChatAddress) -> ReplyTarget:
        """Where the page shows what answers no message at hand."""
        return self.page.rooms.target(address)

    async def wait(self) -> None:
        """Return when it was drained; raise when the server was lost."""
        await self._server.wait()

    async def drain(self) -> None:
        """Close the port; return when every answer under way was sent."""
        await asyncio.gather(self.page.drain(), self._server.finish())

    async def aclose(self) -> None:
        """Close every connection. Generations for them are cancelled."""
        await self.page.aclose()
        await self._server.abort()
