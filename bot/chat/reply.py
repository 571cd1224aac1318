"""Shows a reply while it is written."""

from collections.abc import AsyncIterator

from bot.chat.delivery import Delivery
from bot.chat.event_stream import EventStream
from bot.chat.notice import ChatEvent
from bot.chat.ticket import Ticket


async def show_reply(ticket: Ticket, delivery: Delivery, events: AsyncIterator[ChatEvent]) -> None:
    """Deliver `events` to their end.

    When this is cancelled, the generation is stopped, and what was written is stored before the cancel goes on.
    """
    stream = EventStream(events)
    try:
        await delivery.run(stream)
    except BaseException:
        ticket.stop()
        raise
    finally:
        await stream.ended()
