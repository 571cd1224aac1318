"""Messages that were accepted before a restart, and have no answer yet."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from bot.adapter import ReplyTarget
from bot.chat.backlog import skipped_text
from bot.chat.delivery import Delivery
from bot.chat.outbox import Outbox
from bot.chat.platforms import Platforms
from bot.messages import IncomingMessage
from bot.storage.owed_answer import OwedAnswer

_LOGGER = logging.getLogger(__name__)


class Leftovers:
    """Has one person's newest ones answered, and tells about the others."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        platforms: Platforms,
        answer: Callable[[OwedAnswer, ReplyTarget], Awaitable[None]],
        set_aside: Callable[[IncomingMessage], Awaitable[None]],
    ) -> None:
        """`answer` serves one as if it had just come; `set_aside` stores one for `/retry`, unanswered."""
        self._outbox = outbox
        self._platforms = platforms
        self._answer = answer
        self._set_aside = set_aside

    async def resume(self, owed: Sequence[OwedAnswer]) -> None:
        """Go on with what waited in one conversation for one person, oldest first."""
        target = self._platforms.target(owed[0].address)
        if target is None:
            if self._platforms.is_up(owed[0].address.adapter):
                await self._drop(owed)  # a console: nobody is there who could be answered
            return
        fresh = [each for each in owed if not self._outbox.is_too_old(each)]
        most = self._outbox.settings.answer_after_restart
        chosen = fresh[-most:] if most else []
        skipped = owed[: len(owed) - len(chosen)]
        if skipped:
            await self._drop(skipped)
            await self._tell(target, skipped, len(chosen))
        targets = [self._platforms.target(each.address) for each in chosen]
        # All at once: each takes its place in the line, in the order of their ids, before what came since.
        await asyncio.gather(
            *(self._answer(each, to) for each, to in zip(chosen, targets, strict=True) if to is not None)
        )

    async def _drop(self, owed: Sequence[OwedAnswer]) -> None:
        for each in owed:
            ledger = self._outbox.ledger(each.id, known=each)
            try:
                if each.turn_id is None and not each.message.text.startswith("/"):
                    await self._set_aside(each.message)
                await ledger.close(delivered=False)
            finally:
                self._outbox.release(ledger)

    async def _tell(self, target: ReplyTarget, skipped: Sequence[OwedAnswer], answered: int) -> None:
        _LOGGER.info("%d messages from before the restart are not answered", len(skipped))
        async with Delivery(self._outbox.route(target, skipped[0].address)) as delivery:
            await delivery.note(skipped_text(len(skipped), answered))
