"""Makes reply targets."""

from typing import TYPE_CHECKING

import discord

from adapters.discord.channel_target import ChannelTarget
from adapters.discord.markdown import DiscordMarkdown
from adapters.discord.place import ChannelPlace, Place, ThreadPlace
from adapters.discord.settings import DiscordSettings
from bot.adapter import ReplyLimits
from bot.messages import ChatAddress, IncomingMessage

if TYPE_CHECKING:
    from adapters.discord.bot_client import BotClient

MAX_LENGTH = 2000
"""Code points of a message: https://discord.com/developers/docs/resources/message#create-message"""
_UNNAMED_THREAD = "A talk"


class Targets:
    """Where answers can go, by message or by address."""

    def __init__(self, *, client: "BotClient", settings: DiscordSettings) -> None:
        self._client = client
        self._markdown = DiscordMarkdown()
        self._limits = ReplyLimits(
            edit_interval_s=settings.edit_interval_s,
            max_length=MAX_LENGTH,
            measure=self._markdown.length,
            stream=settings.stream,
            buttons=True,
        )

    def channel(self, message: IncomingMessage) -> ChannelTarget:
        """Answer in the channel, thread or direct chat that a message came from."""
        written = message.pressed is None and message.message_id == message.address.reply_to
        return self._target(
            ChannelPlace(self._client.get_partial_messageable(int(message.thread or message.chat))),
            reply_to=int(message.message_id) if written and not message.direct else None,
        )

    def thread(self, message: IncomingMessage) -> ChannelTarget:
        """Answer in a thread that begins with a message."""
        return self._target(self._new_thread(message.chat, message.message_id, message.text), reply_to=None)

    def address(self, address: ChatAddress) -> ChannelTarget | None:
        """Say something at an address; None where it is not one of Discord's."""
        ids = (address.chat, address.thread or "0", address.reply_to or "0")
        if not all(each.isascii() and each.isdecimal() for each in ids):
            return None
        if address.thread and address.thread == address.reply_to:
            # The process may have ended before the thread was made.
            return self._target(self._new_thread(address.chat, address.thread, ""), reply_to=None)
        place = ChannelPlace(self._client.get_partial_messageable(int(address.thread or address.chat)))
        reply_to = int(address.reply_to) if address.reply_to and not address.direct else None
        return self._target(place, reply_to=reply_to)

    def _new_thread(self, chat: str, message_id: str, text: str) -> Place:
        channel = self._client.get_partial_messageable(int(chat))
        return ThreadPlace(
            message=channel.get_partial_message(int(message_id)),
            thread=self._client.get_partial_messageable(int(message_id), type=discord.ChannelType.public_thread),
            name=" ".join(text.split()) or _UNNAMED_THREAD,
        )

    def _target(self, place: Place, *, reply_to: int | None) -> ChannelTarget:
        return ChannelTarget(place=place, markdown=self._markdown, limits=self._limits, reply_to=reply_to)
