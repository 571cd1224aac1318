"""What was written while the bot was away. Discord tells of it only whoever asks."""

import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING

import discord

from bot.adapter_store import AdapterStore
from bot.errors import StorageError

if TYPE_CHECKING:
    from adapters.discord.bot_client import BotClient

log = logging.getLogger(__name__)

_SEEN = "seen/"
_REMEMBERED = timedelta(days=14)
"""After so long without a word a channel is not looked at any more."""
_OLDEST = timedelta(hours=24)
_MOST = 100
"""Messages of one channel."""


class MissedMessages:
    """Remembers the last message it saw in each channel where the bot was spoken to, and finds those after it."""

    def __init__(self, *, client: "BotClient", name: str, store: AdapterStore) -> None:
        self._client = client
        self._name = name
        self._store = store
        self._last: dict[int, int] = {}

    async def saw(self, message: discord.Message) -> None:
        """Note that a message was taken care of. What cannot be noted is looked at again, which does no harm."""
        channel, last = message.channel.id, self._last.get(message.channel.id, 0)
        if message.id <= last:
            return
        self._last[channel] = message.id
        try:
            until = discord.utils.utcnow() + _REMEMBERED
            await self._store.put(self._name, f"{_SEEN}{channel}", str(message.id), until=until)
        except StorageError as error:
            log.warning("it could not be noted what was seen last: %s", error)

    async def find(self) -> AsyncIterator[discord.Message]:
        """Yield what was written meanwhile, channel by channel, oldest first."""
        try:
            seen = await self._store.all(self._name, _SEEN)
        except StorageError as error:
            log.warning("it is not known what was written meanwhile: %s", error)
            return
        for name, message_id in seen.items():
            try:
                async for message in self._after(int(name.removeprefix(_SEEN)), int(message_id)):
                    yield message
            except discord.HTTPException as error:
                log.info("a channel cannot be looked at any more: %s", error)

    async def _after(self, channel_id: int, message_id: int) -> AsyncIterator[discord.Message]:
        channel = self._client.get_channel(channel_id) or await self._client.fetch_channel(channel_id)
        if not isinstance(channel, discord.abc.Messageable):
            return
        last = getattr(channel, "last_message_id", None)
        if last is not None and last <= message_id:
            return
        oldest = discord.utils.time_snowflake(discord.utils.utcnow() - _OLDEST)
        after = discord.Object(id=max(message_id, oldest))
        members: dict[int, discord.Member | discord.User] = {}
        async for message in channel.history(limit=_MOST, after=after, oldest_first=True):
            if message.guild is not None and not message.author.bot:
                message.author = await self._as_member(message.guild, message.author, members)
            yield message

    @staticmethod
    async def _as_member(
        guild: discord.Guild, author: discord.User | discord.Member, known: dict[int, discord.Member | discord.User]
    ) -> discord.Member | discord.User:
        """The author with the roles that old messages come without."""
        if author.id not in known:
            try:
                known[author.id] = await guild.fetch_member(author.id)
            except discord.NotFound:
                known[author.id] = author
        return known[author.id]
