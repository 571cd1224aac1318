"""Tells people that they were let in."""

import logging

from bot.chat.clock import Clock
from bot.chat.letters import Letters
from bot.chat.messenger import Messenger
from bot.errors import StorageError
from bot.storage.pairing_repository import PairingRepository
from bot.storage.people_repository import PeopleRepository

_LOGGER = logging.getLogger(__name__)
_LOOK_S = 5.0
_WELCOME = "You are let in. Just write to me, and I answer; /help shows what else I can do."


class Welcomes:
    """Looks for people who were approved: in a chat, or on the command line, which is another process."""

    def __init__(
        self,
        *,
        pairings: PairingRepository,
        people: PeopleRepository,
        messenger: Messenger,
        letters: Letters,
        clock: Clock,
    ) -> None:
        self._pairings = pairings
        self._people = people
        self._messenger = messenger
        self._letters = letters
        self._clock = clock

    async def tell(self) -> None:
        """Tell everybody who does not know it yet, and whose platform is up. Raises `StorageError`."""
        for pairing in await self._pairings.untold():
            if not self._messenger.can_reach(pairing.identity, pairing.chat):
                continue
            if await self._people.role(pairing.identity) in {"user", "admin"}:
                await self._letters.post(pairing.identity, pairing.chat, _WELCOME)
            await self._pairings.told(pairing)

    async def keep_telling(self) -> None:
        """Look again and again."""
        while True:
            await self._clock.sleep(_LOOK_S)
            try:
                await self.tell()
            except StorageError as error:
                _LOGGER.warning("people who were let in cannot be told: %s", error)
