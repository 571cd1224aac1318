"""Sees to it that what nobody has asked for arrives all the same: what admins must know, and who was let in."""

import logging
from collections.abc import Sequence

from bot.chat.clock import Clock
from bot.chat.messenger import Messenger
from bot.errors import StorageError
from bot.messages import Button
from bot.storage.access_records import Identity
from bot.storage.letter_repository import Letter, LetterRepository

_LOGGER = logging.getLogger(__name__)
_LOOK_S = 5.0
_RETRY_S = 60.0
"""Seconds before one that did not get through is sent again."""
_MAY_BE_TWICE = "(The connection failed while I sent this, so you may see it twice.)"


class Letters:
    """Each is kept in the database from its beginning until it has arrived, so that no restart loses it."""

    def __init__(self, *, letters: LetterRepository, messenger: Messenger, clock: Clock) -> None:
        self._letters = letters
        self._messenger = messenger
        self._clock = clock
        self._under_way: set[int] = set()
        self._not_before: dict[int, float] = {}

    async def post(
        self, to: Identity, chat: str, text: str, buttons: Sequence[Button] = (), *, without_buttons: str = ""
    ) -> None:
        """Say it now where that is possible, else as soon as it is.

        `without_buttons` is added where the platform cannot show any.
        """
        try:
            letter = await self._letters.add(to, chat=chat, text=text, buttons=buttons, without_buttons=without_buttons)
        except StorageError as error:
            _LOGGER.warning("what is said to %s is not kept: %s", to, error)
            await self._messenger.tell(to, chat, text, buttons, without_buttons=without_buttons)
        else:
            await self._deliver(letter)

    async def deliver(self) -> None:
        """Try all that are due. Raises `StorageError`."""
        for letter in await self._letters.all():
            if self._not_before.get(letter.id, 0.0) <= self._clock.now():
                await self._deliver(letter)

    async def keep_delivering(self) -> None:
        """Look again and again."""
        while True:
            await self._clock.sleep(_LOOK_S)
            try:
                await self.deliver()
            except StorageError as error:
                _LOGGER.warning("what is left to be said cannot be read: %s", error)

    async def _deliver(self, letter: Letter) -> None:
        if letter.id in self._under_way or not self._messenger.can_reach(letter.to, letter.chat):
            return
        self._under_way.add(letter.id)
        try:
            # Noted before, for a process that is killed while it sends.
            await self._letters.note(letter, unsure=True)
            text = f"{letter.text}\n{_MAY_BE_TWICE}" if letter.unsure else letter.text
            fate = await self._messenger.tell(
                letter.to, letter.chat, text, letter.buttons, without_buttons=letter.without_buttons
            )
            if fate in {"told", "gone"}:
                await self._letters.remove(letter)
                self._not_before.pop(letter.id, None)
                return
            self._not_before[letter.id] = self._clock.now() + _RETRY_S
            if fate == "not sent":
                await self._letters.note(letter, unsure=letter.unsure)
        finally:
            self._under_way.discard(letter.id)
