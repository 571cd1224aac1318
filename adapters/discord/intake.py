"""Takes in what happens on Discord and hands it to the core."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import discord

from adapters.discord.failures import told
from adapters.discord.incoming import begins_thread, is_written, read_interaction, read_message
from adapters.discord.interaction_target import InteractionTarget
from adapters.discord.missed_messages import MissedMessages
from adapters.discord.press_target import PressTarget
from adapters.discord.settings import DiscordSettings
from adapters.discord.targets import Targets
from bot.adapter import ChatCore
from bot.messages import IncomingMessage

if TYPE_CHECKING:
    from adapters.discord.bot_client import BotClient

log = logging.getLogger(__name__)

_RESTARTING = "I am being restarted. Please try that again in a minute."


class Intake:
    """Every message, command and press is a task of its own, begun in the order of arrival."""

    def __init__(self, *, client: "BotClient", name: str, settings: DiscordSettings, core: ChatCore) -> None:
        self.targets = Targets(client=client, settings=settings)
        self._client = client
        self._name = name
        self._settings = settings
        self._core = core
        self._missed = MissedMessages(client=client, name=name, store=core.store)
        self._open = True
        self._tasks: set[asyncio.Task[None]] = set()

    def message(self, message: discord.Message, *, edited: bool = False) -> None:
        """Answer what somebody wrote, or wrote anew."""
        if self._open and is_written(message):
            self._begin(self._answer(message, edited=edited), f"message {message.id}")

    def catch_up(self) -> None:
        """Answer what was written while nobody listened; the core knows which of it was answered before."""
        if self._open:
            self._begin(self._catch_up(), "look at what was missed")

    def command(
        self, interaction: discord.Interaction[Any], text: str, *, about: discord.Message | None = None
    ) -> None:
        """Answer a command; `about` is the message whose context menu it came from."""
        if not self._open:
            self._begin(self._decline(interaction), f"command {interaction.id}")
            return
        incoming = read_interaction(interaction, text, adapter=self._name, me=self._client.me, about=about)
        self._begin(self._answer_interaction(incoming, self.targets.command(interaction, incoming)), text)

    def press(self, interaction: discord.Interaction[Any], text: str) -> None:
        """Answer a button; what it says is shown in the channel."""
        if not self._open:
            self._begin(self._decline(interaction), f"press {interaction.id}")
            return
        pressed = str(interaction.message.id) if interaction.message else None
        incoming = read_interaction(interaction, text, adapter=self._name, me=self._client.me, pressed=pressed)
        self._begin(self._answer_interaction(incoming, self.targets.press(interaction, incoming)), f"press of {text}")

    def close(self) -> None:
        """Take nothing more in; what was begun goes on."""
        self._open = False

    async def cancel(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, message: discord.Message, *, edited: bool) -> None:
        if isinstance(message.channel, discord.PartialMessageable) and message.guild is not None:
            # A thread from before the bot's start: only its id came along, and whose thread it is matters.
            message.channel = await self._client.known_channel(message.channel)
        me, groups, threads = self._client.me, self._settings.groups, self._settings.threads
        incoming = read_message(message, adapter=self._name, me=me, groups=groups, edited=edited, threads=threads)
        if threads and begins_thread(message, me=me, groups=groups):
            target = self.targets.thread(incoming)
        else:
            target = self.targets.message(incoming)
        await self._core.handle(incoming, target)
        if incoming.addressed:
            await self._missed.saw(message)

    async def _catch_up(self) -> None:
        async for message in self._missed.find():
            self.message(message)

    async def _answer_interaction(self, incoming: IncomingMessage, target: InteractionTarget | PressTarget) -> None:
        try:
            await self._core.handle(incoming, target)
        finally:
            await target.close()

    @staticmethod
    async def _decline(interaction: discord.Interaction[Any]) -> None:
        with told():
            await interaction.response.send_message(_RESTARTING, ephemeral=True)

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=f"{self._name} {name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s could not be handled", task.get_name(), exc_info=error)
