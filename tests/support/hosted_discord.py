"""The Discord adapter's client, hosted by a Discord inside the process."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from pydantic import SecretStr
from simcord.builders import ChannelHandle
from simcord.env import Env

from adapters.discord import DiscordAdapter, DiscordSettings
from bot.adapter import ChatCore


class HostedDiscord:
    """A server with one channel, one person in it, and the adapter that answers."""

    def __init__(self, adapter: DiscordAdapter, env: Env) -> None:
        self.adapter = adapter
        self.env = env
        self.guild = env.create_guild()
        self.channel = self.guild.create_text_channel("general")
        self.ann = self.guild.add_member(env.create_user("ann", global_name="Ann"))

    @classmethod
    @asynccontextmanager
    async def open(
        cls, core: ChatCore, *, options: Mapping[str, Any] | None = None, **settings: Any
    ) -> AsyncIterator["HostedDiscord"]:
        """Errors that the bot swallowed are raised at the end, unless they were looked at. `options` are simcord's."""
        adapter = DiscordAdapter(name="discord", settings=DiscordSettings(token=SecretStr("t"), **settings), core=core)
        env = Env(adapter.client(), **(options or {}))
        await env.start()
        try:
            core.connected("discord", adapter.target)
            yield cls(adapter, env)
            await adapter.drain()
        finally:
            await env.shutdown()
        env._raise_errors_since(env._errors_acknowledged)

    @property
    def mention(self) -> str:
        """How a person names the bot."""
        user = self.env.bot.user
        assert user is not None
        return user.mention

    def texts(self, channel: ChannelHandle | None = None) -> list[str]:
        """What stands in a channel, the bot's own messages only."""
        history = (channel or self.channel).history()
        return [message.content for message in history if message.author == self.env.bot.user]

    def bodies(self, method: str, ending: str) -> list[Any]:
        """What the bot has sent in requests to paths that end so."""
        requests = self.env.http_requests
        return [each.json for each in requests if each.method == method and each.path.endswith(ending)]
