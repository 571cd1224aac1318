"""Says something in a private chat that nobody has asked for there."""

import logging
from collections.abc import Sequence
from typing import Literal

from bot.chat.delivering.gates import Gates
from bot.chat.platforms import Platforms
from bot.errors import ChatGoneError, NotSentError, RateLimitedError
from bot.messages import Button, ChatAddress, OutgoingMessage
from bot.storage.access_records import Identity

_LOGGER = logging.getLogger(__name__)
Fate = Literal["told", "not sent", "unsure", "gone"]
"""`not sent`: nothing was shown. `unsure`: nobody knows. `gone`: nothing ever will be."""


class Messenger:
    """What cannot be delivered is logged and returned, never raised."""

    def __init__(self, platforms: Platforms, gates: Gates) -> None:
        self._platforms = platforms
        self._gates = gates

    def can_reach(self, identity: Identity, chat: str) -> bool:
        """Whether the person's platform is up, and lets things be said unasked."""
        return self._platforms.target(_address(identity, chat)) is not None

    async def tell(
        self,
        identity: Identity,
        chat: str,
        text: str,
        buttons: Sequence[Button] = (),
        *,
        without_buttons: str = "",
    ) -> Fate:
        """Say something to one person, and return what became of it.

        `without_buttons` is added where the platform cannot show any.
        """
        try:
            target = self._platforms.target(_address(identity, chat))
            if target is None:
                return "not sent"
            if not target.limits.buttons:
                text, buttons = (f"{text}\n{without_buttons}" if without_buttons else text), ()
            # As it is: names in it are somebody's own choice, and no formatting.
            message = OutgoingMessage(text=text, buttons=tuple(buttons), plain=True)
            async with self._gates.passed(_address(identity, chat), target.limits):
                await target.send(message)
        except ChatGoneError:
            _LOGGER.warning("%s takes no messages any more", identity)
            return "gone"
        except (NotSentError, RateLimitedError) as error:
            _LOGGER.warning("%s could not be told something: %s", identity, error)
            return "not sent"
        except Exception:
            _LOGGER.warning("%s could not be told something", identity, exc_info=True)
            return "unsure"
        return "told"


def _address(identity: Identity, chat: str) -> ChatAddress:
    return ChatAddress(adapter=identity.adapter, chat=chat, user=identity.user)
