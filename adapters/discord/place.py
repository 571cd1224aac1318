"""Where a reply goes."""

import logging
from typing import Literal, Protocol

import discord

from adapters.discord.failures import THREAD_EXISTS

log = logging.getLogger(__name__)

_LONGEST_NAME = 100
"""Characters of a thread's name."""
_QUIET_MINUTES: Literal[1440] = 1440
"""After which Discord puts a thread away; a message brings it back."""

Channel = discord.PartialMessageable | discord.Thread


class Place(Protocol):
    """A channel that may have to be made first."""

    async def open(self) -> Channel:
        """Return it, ready to be written to."""
        ...


class ChannelPlace:
    """A channel, a thread or a direct chat that is there."""

    def __init__(self, channel: discord.PartialMessageable) -> None:
        self._channel = channel

    async def open(self) -> Channel:
        """Return the channel."""
        return self._channel


class UserPlace:
    """The private chat with somebody of whom only their own id is known."""

    def __init__(self, *, client: discord.Client, user_id: int) -> None:
        self._client = client
        self._user_id = user_id

    async def open(self) -> Channel:
        """Open the chat; Discord returns the same one each time."""
        channel = await self._client.create_dm(discord.Object(id=self._user_id))
        return self._client.get_partial_messageable(channel.id)


class ThreadPlace:
    """A thread that begins with somebody's message, made when the first word is said in it.

    Not before: whoever is not let in gets no answer, and no thread either. It has the message's id.
    """

    def __init__(self, *, client: discord.Client, channel_id: int, message_id: int, name: str) -> None:
        self._client = client
        self._channel_id = channel_id
        self._message_id = message_id
        self._name = name
        self._opened: Channel | None = None

    async def open(self) -> Channel:
        """Return the thread; where the bot may not make one, the channel."""
        if self._opened is None:
            self._opened = await self._make()
        return self._opened

    async def _make(self) -> Channel:
        channel = self._client.get_channel(self._channel_id) or await self._client.fetch_channel(self._channel_id)
        if not isinstance(channel, discord.TextChannel):
            return self._client.get_partial_messageable(self._channel_id)
        try:
            return await channel.get_partial_message(self._message_id).create_thread(
                name=self._name[:_LONGEST_NAME], auto_archive_duration=_QUIET_MINUTES
            )
        except discord.Forbidden:
            log.warning(
                "no thread can be opened in #%s of %s: give the bot “Create Public Threads” and “Send Messages in "
                "Threads” there, or set threads: false",
                channel.name,
                channel.guild.name,
            )
            return self._client.get_partial_messageable(self._channel_id)
        except discord.HTTPException as error:
            if error.code != THREAD_EXISTS:
                raise
            return self._client.get_partial_messageable(self._message_id)
