"""Whether a message in a group is meant for the bot, and what it says without the bot's name."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from telegram import Message, MessageEntity, User

from adapters.telegram.settings import Groups


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRules:
    """Who the bot is, what it can be told, and what it listens to in groups."""

    bot: User
    commands: Collection[str]
    """Names and aliases, without the slash."""
    groups: Groups

    def is_for_other_bot(self, message: Message) -> bool:
        """A command that names another bot."""
        _, at, name = self._command(message).partition("@")
        return bool(at) and name.lower() != self._name

    def addresses(self, message: Message) -> bool:
        """Whether the bot is to answer, in a group."""
        command, at, _ = self._command(message).partition("@")
        if command:
            # Without a name it may be another bot's, and those are many.
            return bool(at) or command[1:].lower() in self.commands
        if self.groups == "commands":
            return False
        return self.groups == "all" or self._is_mentioned(message) or self._is_replied_to(message)

    def text(self, message: Message) -> str:
        """What was written, without the bot's name in front of it or behind it."""
        text = message.text or message.caption or ""
        if message.sticker:
            text = text or message.sticker.emoji or ""
        if not self._name:
            return text
        name = re.escape(f"@{self._name}")
        text = re.sub(rf"\A\s*{name}\b[\s,:;.!?]*", "", text, flags=re.IGNORECASE)
        return re.sub(rf"\s+{name}\s*\Z", "", text, flags=re.IGNORECASE)

    @property
    def _name(self) -> str:
        return (self.bot.username or "").lower()

    def _command(self, message: Message) -> str:
        """The command at the beginning, with a bot's name where it has one; empty where there is none."""
        match = re.match(r"/[^\W\d_]\w*(?:@\w+)?(?=\s|\Z)", self.text(message).lstrip())
        return match.group() if match else ""

    def _is_mentioned(self, message: Message) -> bool:
        wanted: list[str | None] = [MessageEntity.MENTION, MessageEntity.TEXT_MENTION]
        found = message.parse_entities(wanted) or message.parse_caption_entities(wanted)
        return any(
            (entity.user is not None and entity.user.id == self.bot.id) or text.lower() == f"@{self._name}"
            for entity, text in found.items()
        )

    def _is_replied_to(self, message: Message) -> bool:
        replied = message.reply_to_message
        # In a topic, everything that replies to nothing replies to the message that opened the topic.
        if replied is None or replied.forum_topic_created is not None:
            return False
        return replied.from_user is not None and replied.from_user.id == self.bot.id
