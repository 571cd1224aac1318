"""Buttons under replies that were pressed."""

from dataclasses import replace

from bot.chat.conversation_finder import ConversationFinder
from bot.chat.lines import Lines
from bot.chat.ticket import Ticket
from bot.messages import IncomingMessage
from bot.storage.answer_repository import AnswerRepository
from bot.storage.turn_repository import TurnRepository

_STOP = "/stop"
_AGAIN = frozenset({"/retry", "/continue"})
_OUT_OF_DATE = "This button belongs to an older reply. Send me a message, or use the button under my last one."
_NOT_YOURS = "This button is for the person I was answering."
_ENDED = "There is nothing to stop any more."


class PressError(Exception):
    """A press does not count; the text is a hint for whoever pressed."""


class Presses:
    """A press counts under the latest reply, and from the person that it was for, or from an admin."""

    def __init__(
        self, *, answers: AnswerRepository, turns: TurnRepository, finder: ConversationFinder, lines: Lines
    ) -> None:
        self._answers = answers
        self._turns = turns
        self._finder = finder
        self._lines = lines

    def is_stop(self, message: IncomingMessage) -> bool:
        """Whether what is written, or waits, is to end."""
        return message.pressed is not None and message.text == _STOP

    def to_stop(self, message: IncomingMessage, *, admin: bool) -> Ticket:
        """What a press ends. Raises `PressError`."""
        ticket = self._lines.showing(message.adapter, message.chat, message.pressed or "")
        if ticket is None:
            raise PressError(_ENDED)
        _check(message, ticket.message, admin=admin)
        return ticket

    async def as_message(self, message: IncomingMessage, *, admin: bool) -> IncomingMessage:
        """The press as a command in the conversation of the reply. Raises `PressError`."""
        if message.pressed is None or message.text not in _AGAIN:
            return message
        answer = await self._answers.under(message.adapter, message.chat, message.pressed)
        if answer is None or answer.turn_id is None:
            raise PressError(_OUT_OF_DATE)
        _check(message, answer.message, admin=admin)
        conversation, _ = await self._finder.find(replace(answer.message, home=message.home).key)
        last = await self._turns.last(conversation.id)
        if last is None or last.id != answer.turn_id:
            raise PressError(_OUT_OF_DATE)
        theirs = answer.message
        return replace(message, user=theirs.user, thread=theirs.thread, direct=theirs.direct, scope=theirs.scope)


def _check(message: IncomingMessage, about: IncomingMessage, *, admin: bool) -> None:
    if message.user != about.user and not admin:
        raise PressError(_NOT_YOURS)
