"""Discord as an adapter."""

import asyncio
import logging
from collections.abc import Sequence
from typing import ClassVar

import discord

from adapters.discord.absence import Absence
from adapters.discord.bot_client import BotClient
from adapters.discord.endpoints import use_endpoints
from adapters.discord.examination import examine
from adapters.discord.failures import connection_error
from adapters.discord.settings import DiscordSettings
from bot.adapter import Adapter, ChatCore, ReplyTarget
from bot.check import Check
from bot.errors import RetryableAdapterError
from bot.messages import ChatAddress
from bot.settings import AdapterSettings

log = logging.getLogger(__name__)

_START_LIMIT_S = 60.0
"""Seconds until the gateway must have said that it is ready."""


class DiscordAdapter(Adapter):
    """One bot account. discord.py reconnects and resumes by itself; what it gives up on, `wait` raises."""

    settings_type: ClassVar[type[AdapterSettings]] = DiscordSettings

    def __init__(self, *, name: str, settings: DiscordSettings, core: ChatCore) -> None:
        super().__init__(name=name, settings=settings, core=core)
        self._token = settings.token.get_secret_value() if settings.token else ""
        use_endpoints(settings)
        self._absence = Absence(away=self._say_away, back=self._say_back)
        self._client = BotClient(name=name, settings=settings, core=core, absence=self._absence)
        self._connection: asyncio.Task[None] | None = None

    def client(self) -> discord.Client:
        """The client as `start` connects it, for whoever hosts it in another way."""
        return self._client

    def target(self, address: ChatAddress) -> ReplyTarget | None:
        """Where to say something that answers no message at hand."""
        return self._client.intake.targets.address(address)

    @classmethod
    async def examine(cls, name: str, settings: AdapterSettings) -> Sequence[Check]:
        """Sign in without connecting, and look at the token, the intents and the servers."""
        assert isinstance(settings, DiscordSettings)  # noqa: S101 - validated with `settings_type`
        return await examine(name, settings)

    async def start(self) -> None:
        """Sign in, publish the commands and connect to the gateway."""
        try:
            await self._client.login(self._token)
        except Exception as error:
            raise self._explained(error) from error
        self._connection = asyncio.create_task(self._client.connect(), name=f"{self.name} gateway")
        ready = asyncio.create_task(self._client.wait_until_ready(), name=f"{self.name} ready")
        try:
            await asyncio.wait({self._connection, ready}, timeout=_START_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
            if self._connection.done():
                await self.wait()
            if not ready.done():
                raise RetryableAdapterError("Discord's gateway did not answer")
        finally:
            ready.cancel()
            await asyncio.gather(ready, return_exceptions=True)

    async def wait(self) -> None:
        """Raise why the connection was lost for good."""
        if self._connection is None:
            raise RuntimeError("wait was called before start")
        try:
            await asyncio.shield(self._connection)
        except Exception as error:
            raise self._explained(error) from error
        raise RetryableAdapterError("Discord has closed the connection")

    async def drain(self) -> None:
        """Take nothing more in; answers under way are still sent."""
        self._client.intake.close()

    async def aclose(self) -> None:
        """Disconnect. Answers that are still being written are cancelled."""
        await self._absence.close()
        self._client.intake.close()
        await self._client.intake.cancel()
        await self._client.close()
        if self._connection is not None:
            self._connection.cancel()
            await asyncio.gather(self._connection, return_exceptions=True)

    def _say_away(self) -> None:
        self.core.disconnected(self.name, "retrying", "Discord cannot be reached")

    async def _say_back(self) -> None:
        await self.core.connecting(self.name)
        self.core.connected(self.name, self.target)

    def _explained(self, error: Exception) -> Exception:
        return connection_error(error, application_id=self._client.application_id)
