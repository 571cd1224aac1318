"""Updates that Telegram posts: https://core.telegram.org/bots/api#setwebhook."""

import asyncio
import json
import secrets
from urllib.parse import urlsplit

from aiohttp import web
from telegram import Bot, Update

from adapters.telegram.settings import WebhookSettings
from adapters.telegram.tolerant_request import is_update, readable
from adapters.telegram.update_source import ALLOWED_UPDATES, LONGEST_STORING_S, Take
from bot.errors import PermanentAdapterError

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
_LARGEST = 2**20
"""Bytes of one update; a message has some thousand."""


class Webhook:
    """A small web server, for a proxy in front of it that has the certificate. Only Telegram knows the secret."""

    def __init__(self, settings: WebhookSettings, *, name: str, bot: Bot, take: Take) -> None:
        self._settings = settings
        self._name = name
        self._bot = bot
        self._take = take
        self._secret = secrets.token_urlsafe(32)
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen, and tell Telegram where to post."""
        url = self._settings.url or ""
        app = web.Application(client_max_size=_LARGEST)
        app.router.add_post(urlsplit(url).path or "/", self._receive)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._settings.listen, self._settings.port).start()
        except OSError as error:
            raise PermanentAdapterError(
                f"adapters.{self._name}.webhook: cannot listen on {self._settings.listen}, port "
                f"{self._settings.port}: {error.strerror}"
            ) from error
        await self._bot.set_webhook(
            url,
            allowed_updates=ALLOWED_UPDATES,
            drop_pending_updates=False,
            secret_token=self._secret,
            max_connections=1,  # with several, messages of one chat overtake each other
        )

    async def run(self) -> None:
        """Wait: updates come by themselves."""
        await asyncio.Event().wait()

    async def drain(self) -> None:
        """Listen no more; Telegram keeps what it cannot post, for a day."""
        await self.aclose()

    async def aclose(self) -> None:
        """Give the port back."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _receive(self, request: web.Request) -> web.Response:
        if not secrets.compare_digest(request.headers.get(SECRET_HEADER, ""), self._secret):
            return web.Response(status=403)
        try:
            posted = await request.json()
        except (json.JSONDecodeError, UnicodeDecodeError):
            return web.Response(status=400)
        if not is_update(posted):
            return web.Response(status=400)
        taken = await self._take(Update.de_json(readable(posted), self._bot))
        try:
            async with asyncio.timeout(LONGEST_STORING_S):
                await taken.wait()
        except TimeoutError:
            return web.Response(status=503)  # Telegram posts it again
        return web.Response()
