"""What becomes of chats: the bot is blocked or thrown out, a group becomes a supergroup."""

import logging

from telegram import ChatMember, ChatMemberUpdated, Message, Update
from telegram.constants import ChatType

from bot.adapter import ChatCore
from bot.errors import StorageError
from bot.messages import ChatAddress

_LOGGER = logging.getLogger(__name__)
_OUT = {ChatMember.LEFT, ChatMember.BANNED}


class ChatChanges:
    """Tells the core, before anything that came later is looked at."""

    def __init__(self, *, name: str, core: ChatCore) -> None:
        self._name = name
        self._core = core

    async def apply(self, update: Update) -> None:
        """Look for a change in an update. Never raises: what came with it must be answered all the same."""
        try:
            if update.my_chat_member is not None:
                await self._member(update.my_chat_member)
            elif update.message is not None and update.message.migrate_to_chat_id is not None:
                await self._moved(update.message, update.message.migrate_to_chat_id)
        except StorageError as error:
            _LOGGER.error("%s: a change of a chat could not be noted: %s", self._name, error)  # noqa: TRY400 - its text says all

    async def _member(self, change: ChatMemberUpdated) -> None:
        chat = change.chat
        if chat.type == ChatType.CHANNEL:
            return
        if change.new_chat_member.status in _OUT:
            direct = chat.type == ChatType.PRIVATE
            await self._core.chat_gone(ChatAddress(adapter=self._name, chat=str(chat.id), direct=direct))
        elif change.old_chat_member.status in _OUT:
            _LOGGER.info("%s: chat %s has let the bot in", self._name, chat.id)

    async def _moved(self, message: Message, new: int) -> None:
        address = ChatAddress(adapter=self._name, chat=str(message.chat.id), direct=False)
        await self._core.chat_moved(address, str(new))
        _LOGGER.warning(
            "%s: a group has become a supergroup; where the configuration names %s:%s, write %s:%s now",
            self._name,
            self._name,
            message.chat.id,
            self._name,
            new,
        )
