"""The reply in each chat that has buttons under it."""

from collections import OrderedDict

from bot.chat.delivering.reply_messages import ReplyMessages
from bot.messages import ChatAddress

_KEPT = 256


class LatestReplies:
    """Takes the buttons of a reply away when the next one has them.

    Only where that is one cheap edit: of replies that this process has shown. A press on another is refused.
    """

    def __init__(self) -> None:
        self._replies: OrderedDict[tuple[str, str, str, str], ReplyMessages] = OrderedDict()

    async def put(self, address: ChatAddress, reply: ReplyMessages) -> None:
        """Note that `reply` has the buttons now."""
        place = (address.adapter, address.chat, address.thread, address.user)
        before = self._replies.pop(place, None)
        self._replies[place] = reply
        if len(self._replies) > _KEPT:
            self._replies.popitem(last=False)
        if before is not None and before is not reply:
            await before.strip()
