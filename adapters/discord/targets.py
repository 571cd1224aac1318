"""Makes reply targets."""

from typing import TYPE_CHECKING, Any

import discord

from adapters.discord.channel_target import ChannelTarget
from adapters.discord.interaction_target import InteractionTarget
from adapters.discord.markdown import MAX_LENGTH, DiscordMarkdown
from adapters.discord.place import ChannelPlace, Place, ThreadPlace, UserPlace
from adapters.discord.press_target import PressTarget
from adapters.discord.settings import DiscordSettings
from bot.adapter import Allowance, ReplyLimits
from bot.messages import ChatAddress, IncomingMessage

if TYPE_CHECKING:
    from adapters.discord.bot_client import BotClient

_UNNAMED_THREAD = "A talk"
_PER_CHANNEL = Allowance(calls=5, per_s=5.0)
"""What Discord's headers say of messages and edits in a channel."""
_OVERALL = Allowance(calls=40, per_s=1.0)
"""Of 50 requests a second, https://discord.com/developers/docs/topics/rate-limits#global-rate-limit; the rest is for
typing signs and for looking things up."""


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
            per_chat=(_PER_CHANNEL,),
            overall=(_OVERALL,),
        )

    def message(self, message: IncomingMessage) -> ChannelTarget:
        """Answer in the channel, thread or direct chat that a message came from."""
        return self._target(self._place(message), reply_to=None if message.direct else int(message.message_id))

    def command(self, interaction: discord.Interaction[Any], message: IncomingMessage) -> InteractionTarget:
        """Answer an application command."""
        return InteractionTarget(interaction, channel=self._target(self._place(message), reply_to=None))

    def press(self, interaction: discord.Interaction[Any], message: IncomingMessage) -> PressTarget:
        """Answer a button."""
        return PressTarget(interaction, place=self._place(message), markdown=self._markdown, limits=self._limits)

    def thread(self, message: IncomingMessage) -> ChannelTarget:
        """Answer in a thread that begins with a message."""
        return self._target(self._new_thread(message.chat, message.message_id, message.text), reply_to=None)

    def address(self, address: ChatAddress) -> ChannelTarget | None:
        """Say something at an address; None where it is not one of Discord's."""
        ids = (address.chat, address.thread or "0", address.reply_to or "0")
        if not all(each.isascii() and each.isdecimal() for each in ids):
            return None
        if address.direct and address.chat == address.user:
            return self._target(UserPlace(client=self._client, user_id=int(address.user)), reply_to=None)
        if address.thread and address.thread == address.reply_to:
            # The process may have ended before the thread was made.
            return self._target(self._new_thread(address.chat, address.thread, ""), reply_to=None)
        reply_to = int(address.reply_to) if address.reply_to and not address.direct else None
        return self._target(self._place(address), reply_to=reply_to)

    def _place(self, at: IncomingMessage | ChatAddress) -> Place:
        return ChannelPlace(self._client.get_partial_messageable(int(at.thread or at.chat)))

    def _new_thread(self, chat: str, message_id: str, text: str) -> Place:
        return ThreadPlace(
            client=self._client,
            channel_id=int(chat),
            message_id=int(message_id),
            name=" ".join(text.split()) or _UNNAMED_THREAD,
        )

    def _target(self, place: Place, *, reply_to: int | None) -> ChannelTarget:
        return ChannelTarget(place=place, markdown=self._markdown, limits=self._limits, reply_to=reply_to)
