"""What is known of one answer's delivery, and outlives the process."""

import logging
from collections.abc import Sequence

from bot.errors import StorageError
from bot.storage.answer_repository import AnswerRepository
from bot.storage.owed_answer import OwedAnswer, SentPart

_LOGGER = logging.getLogger(__name__)


class Ledger:
    """Writes down what is to be shown and what is on the platform.

    A database that fails here keeps nobody from seeing the answer: that is logged, and may cost a second copy later.
    """

    def __init__(self, answers: AnswerRepository, answer_id: int, *, known: OwedAnswer | None = None) -> None:
        """`known` is what an earlier process has written down."""
        self.answer_id = answer_id
        self.sent: tuple[SentPart, ...] = known.sent if known is not None else ()
        self.unsure = known is not None and known.unsure
        """Something may be on the platform of which nothing is known."""
        self.finished = known is not None and known.reply is not None
        """What is to be shown is stored."""
        self.closed = False
        self._answers = answers

    async def finish(self, text: str, *, error: str | None = None) -> None:
        """Store what is to be shown."""
        try:
            await self._answers.finish(self.answer_id, reply=text, error=error)
            self.finished = True
        except StorageError as failure:
            _LOGGER.error("an answer could not be kept for a second try: %s", failure)  # noqa: TRY400 - its text says all

    def leave(self) -> None:
        """Leave it as it is for the next process."""
        self.closed = True

    async def note(self, sent: Sequence[SentPart], *, unsure: bool) -> None:
        """Store what is on the platform."""
        if (self.sent, self.unsure) == (tuple(sent), unsure):
            return
        self.sent, self.unsure = tuple(sent), unsure
        try:
            await self._answers.note_sent(self.answer_id, sent, unsure=unsure)
        except StorageError as failure:
            _LOGGER.error("it could not be noted what was sent: %s", failure)  # noqa: TRY400 - its text says all

    async def close(self, *, delivered: bool, button_id: str | None = None) -> None:
        """There is nothing more to do for this answer."""
        if self.closed:
            return
        self.closed = True
        try:
            await self._answers.close(self.answer_id, delivered=delivered, button_id=button_id)
        except StorageError as failure:
            _LOGGER.error("it could not be noted that an answer is delivered: %s", failure)  # noqa: TRY400 - as above
