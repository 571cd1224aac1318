"""The answer to one message, as messages in a channel."""

import io
from typing import Any

import discord

from adapters.discord.command_button import view_of
from adapters.discord.failures import told
from adapters.discord.markdown import DiscordMarkdown
from adapters.discord.place import Channel, Place
from bot.adapter import ReplyLimits
from bot.messages import OutgoingMessage


class ChannelTarget:
    """Writes with the bot's own rights. The first message refers to the one it answers, where `reply_to` is set.

    Nobody is pinged by what the model writes, and no link in it is fetched for a preview: a model can be talked into
    writing an address that carries away what it was told.
    """

    def __init__(self, *, place: Place, markdown: DiscordMarkdown, limits: ReplyLimits, reply_to: int | None) -> None:
        self._place = place
        self._markdown = markdown
        self._limits = limits
        self._reply_to = reply_to

    @property
    def limits(self) -> ReplyLimits:
        """What Discord allows for a message."""
        return self._limits

    def content(self, message: OutgoingMessage) -> str:
        """What is sent for a message's text."""
        return self._markdown.plain(message.text) if message.plain else self._markdown.render(message.text)

    async def send(self, message: OutgoingMessage) -> str:
        """Show a new message."""
        with told():
            channel = await self._place.open()
            sent = await channel.send(
                self.content(message), suppress_embeds=True, **self._reference(channel), **view_of(message.buttons)
            )
            self._reply_to = None
            return str(sent.id)

    async def edit(self, message_id: str, message: OutgoingMessage) -> None:
        """Replace a message's content."""
        with told():
            channel = await self._place.open()
            await channel.get_partial_message(int(message_id)).edit(
                content=self.content(message), view=view_of(message.buttons).get("view")
            )

    async def delete(self, message_id: str) -> None:
        """Take a message back."""
        with told():
            channel = await self._place.open()
            await channel.get_partial_message(int(message_id)).delete()

    async def draft(self, message: OutgoingMessage) -> None:
        """Never asked for: Discord has none."""

    async def typing(self) -> None:
        """Show that an answer is on its way, for ten seconds."""
        with told():
            channel = await self._place.open()
            await channel.typing()

    async def send_file(self, name: str, data: bytes, caption: str) -> None:
        """Hand over a file."""
        with told():
            channel = await self._place.open()
            await channel.send(
                caption,
                file=discord.File(io.BytesIO(data), filename=name),
                suppress_embeds=True,
                **self._reference(channel),
            )
            self._reply_to = None

    def _reference(self, channel: Channel) -> dict[str, Any]:
        """What makes a message an answer to another; nothing in a thread that begins with that one."""
        if self._reply_to is None or self._reply_to == channel.id:
            return {}
        # A message that was deleted meanwhile is answered all the same.
        reference = discord.MessageReference(message_id=self._reply_to, channel_id=channel.id, fail_if_not_exists=False)
        return {"reference": reference}
