"""The Discord adapter's client, hosted by a Discord inside the process."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import discord
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
        cls, core: ChatCore, *, faults: Sequence[Mapping[str, Any]] = (), **settings: Any
    ) -> AsyncIterator["HostedDiscord"]:
        """Errors that the bot swallowed are raised at the end, unless they were looked at.

        `faults` are there from the start; see `fail`.
        """
        adapter = _adapter(core, **settings)
        env = Env(adapter.client())
        for fault in faults:
            _inject(env, **fault)
        await env.start()
        try:
            core.connected("discord", adapter.target)
            yield cls(adapter, env)
            await adapter.drain()
        finally:
            await env.shutdown()
        env._raise_errors_since(env._errors_acknowledged)

    @asynccontextmanager
    async def restarted(self, core: ChatCore, **settings: Any) -> AsyncIterator[None]:
        """A new process takes over, with another core."""
        adapter = _adapter(core, **settings)
        await self.env.restart_bot(adapter.client())
        self.adapter = adapter
        yield

    @property
    def mention(self) -> str:
        """How a person names the bot."""
        user = self.env.bot.user
        assert user is not None
        return user.mention

    def fail(self, method: str, path: str, *, status: int, code: int = 0, times: int | None = 1) -> None:
        """Have Discord refuse the next requests. simcord's own method may not be called by the bot's side."""
        _inject(self.env, method=method, path=path, status=status, code=code, times=times)

    def texts(self, channel: ChannelHandle | None = None) -> list[str]:
        """What stands in a channel, the bot's own messages only; that a thread was opened is not one."""
        history = [each for each in (channel or self.channel).history() if each.author == self.env.bot.user]
        return [message.content for message in history if message.type is not discord.MessageType.thread_created]

    def bodies(self, method: str, ending: str) -> list[Any]:
        """What the bot has sent in requests to paths that end so."""
        requests = self.env.http_requests
        return [each.json for each in requests if each.method == method and each.path.endswith(ending)]


def _adapter(core: ChatCore, **settings: Any) -> DiscordAdapter:
    adapter = DiscordAdapter(name="discord", settings=DiscordSettings(token=SecretStr("t"), **settings), core=core)
    # simcord counts nothing, and the clock of the tests stands still.
    targets = adapter._client.intake.targets
    targets._limits = replace(targets._limits, per_chat=(), overall=())
    return adapter


def _inject(env: Env, **fault: Any) -> None:
    env.backend.faults.append({"code": 0, "message": "injected", "times": 1, **fault})
