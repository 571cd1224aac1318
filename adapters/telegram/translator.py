"""From Telegram's updates to the core's messages."""

from dataclasses import dataclass

from telegram import Bot, CallbackQuery, Chat, Message, Update
from telegram.constants import ChatType

from adapters.telegram.address_rules import AddressRules
from adapters.telegram.attachments import attachments
from bot.messages import IncomingMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Translator:
    """Makes an `IncomingMessage` of an update; None where it is nothing that could be answered."""

    adapter: str
    bot: Bot
    rules: AddressRules

    def translate(self, update: Update) -> IncomingMessage | None:
        """What somebody said or pressed. Posts of channels are not looked at, nor what other bots say."""
        if update.callback_query is not None:
            return self._pressed(update.callback_query)
        message = update.message or update.edited_message
        if message is None or message.chat.type == ChatType.CHANNEL or message.is_automatic_forward:
            return None
        return self._said(message, edited=update.edited_message is not None)

    def _said(self, message: Message, *, edited: bool) -> IncomingMessage | None:
        sender = _sender(message)
        files = attachments(message, self.bot)
        text = self.rules.text(message)
        direct = message.chat.type == ChatType.PRIVATE
        # What has neither is a note of Telegram's own, such as that somebody has joined.
        if sender is None or not (text or files or message.text) or self.rules.is_for_other_bot(message):
            return None
        user, name = sender
        return IncomingMessage(
            adapter=self.adapter,
            chat=str(message.chat.id),
            thread=thread(message),
            user=user,
            message_id=str(message.message_id),
            text=text,
            sender_name=name,
            direct=direct,
            addressed=direct or self.rules.addresses(message),
            reply_to=str(message.reply_to_message.message_id) if message.reply_to_message else None,
            reply_text=self._replied_text(message),
            reply_attachments=attachments(message.reply_to_message, self.bot) if message.reply_to_message else (),
            attachments=files,
            edited=edited,
            sent_at=(message.edit_date if edited and message.edit_date else message.date).timestamp(),
        )

    def _replied_text(self, message: Message) -> str:
        """What is replied to: the part that the person has marked, else all of it."""
        if message.quote is not None:
            return message.quote.text
        return self.rules.text(message.reply_to_message) if message.reply_to_message else ""

    def _pressed(self, query: CallbackQuery) -> IncomingMessage | None:
        if query.message is None or query.data is None:
            return None
        return IncomingMessage(
            adapter=self.adapter,
            chat=str(query.message.chat.id),
            thread=thread(query.message) if isinstance(query.message, Message) else "",
            user=str(query.from_user.id),
            message_id=f"press-{query.id}",
            text=query.data,
            sender_name=query.from_user.full_name,
            direct=query.message.chat.type == ChatType.PRIVATE,
            pressed=str(query.message.message_id),
        )


def thread(message: Message) -> str:
    """The topic's id; Telegram also numbers the replies to a message, which are no topic."""
    return str(message.message_thread_id) if message.is_topic_message and message.message_thread_id else ""


def _sender(message: Message) -> tuple[str, str] | None:
    """Id and name of who wrote; None for another bot."""
    chat: Chat | None = message.sender_chat
    if chat is not None:  # an administrator who stays anonymous, or somebody who writes as their channel
        return str(chat.id), chat.title or chat.full_name or ""
    user = message.from_user
    return None if user is None or user.is_bot else (str(user.id), user.full_name)
