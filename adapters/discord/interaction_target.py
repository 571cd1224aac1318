"""The answer to an application command."""

import asyncio
import io
import logging
from typing import Any

import discord

from adapters.discord.channel_target import ChannelTarget
from adapters.discord.command_button import view_of
from adapters.discord.failures import ExpiredError, told
from bot.adapter import ReplyLimits
from bot.messages import OutgoingMessage

log = logging.getLogger(__name__)


class InteractionTarget:
    """Answers in place of Discord's “thinking …”, then below it; with the bot's own rights once that is too late.

    Discord wants to hear within three seconds that an answer will come, and takes it for 15 minutes:
    https://discord.com/developers/docs/interactions/receiving-and-responding
    What takes the place of “thinking …” cannot be told to have no previews of links; all else has none.
    """

    def __init__(self, interaction: discord.Interaction, *, channel: ChannelTarget) -> None:
        """Tells Discord at once that an answer will come; `channel` is where it goes when it comes too late."""
        self._interaction = interaction
        self._channel = channel
        self._thinking = True
        self._mine: set[str] = set()
        self._deferring = asyncio.create_task(self._defer(), name="discord deferral")

    @property
    def limits(self) -> ReplyLimits:
        """What Discord allows for a message."""
        return self._channel.limits

    async def send(self, message: OutgoingMessage) -> str:
        """Show a new message."""
        if await self._usable():
            try:
                return await self._answer(self._channel.content(message), **view_of(message.buttons))
            except ExpiredError:
                log.info("an interaction has expired; its answer goes to the channel")
        return await self._channel.send(message)

    async def edit(self, message_id: str, message: OutgoingMessage) -> None:
        """Replace a message's content."""
        if message_id in self._mine and await self._usable():
            try:
                with told():
                    await self._interaction.followup.edit_message(
                        int(message_id),
                        content=self._channel.content(message),
                        view=view_of(message.buttons).get("view"),
                    )
            except ExpiredError:
                log.info("an interaction has expired; its answer is changed in the channel")
            else:
                return
        await self._channel.edit(message_id, message)

    async def delete(self, message_id: str) -> None:
        """Take a message back."""
        await self._channel.delete(message_id)

    async def draft(self, message: OutgoingMessage) -> None:
        """Never asked for: Discord has none."""

    async def typing(self) -> None:
        """Show that an answer is on its way; while Discord says “thinking …”, that is shown already."""
        await self._deferring
        if not self._thinking:
            await self._channel.typing()

    async def send_file(self, name: str, data: bytes, caption: str) -> None:
        """Hand over a file."""
        if await self._usable():
            try:
                await self._attach(caption, discord.File(io.BytesIO(data), filename=name))
            except ExpiredError:
                log.info("an interaction has expired; its file goes to the channel")
            else:
                return
        await self._channel.send_file(name, data, caption)

    async def close(self) -> None:
        """Take “thinking …” away where nothing was answered: whoever is not let in is not answered before others."""
        if self._thinking and await self._usable():
            with told():
                await self._interaction.delete_original_response()

    async def _defer(self) -> None:
        try:
            with told():
                await self._interaction.response.defer(thinking=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, the channel is left to answer in
            log.warning("Discord was told too late that an answer will come (%s)", error or type(error).__name__)
            self._thinking = False

    async def _usable(self) -> bool:
        await self._deferring
        return self._interaction.response.is_done() and not self._interaction.is_expired()

    async def _answer(self, content: str, **more: Any) -> str:
        sent: discord.Message
        with told():
            if self._thinking:
                sent = await self._interaction.edit_original_response(content=content, **more)
            else:
                sent = await self._interaction.followup.send(content, suppress_embeds=True, wait=True, **more)
        self._thinking = False
        self._mine.add(str(sent.id))
        return str(sent.id)

    async def _attach(self, caption: str, file: discord.File) -> None:
        await self._answer(caption, **({"attachments": [file]} if self._thinking else {"file": file}))
