"""What goes on in one conversation of one person, for every browser that has it open."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

from adapters.web.page.action import Action
from adapters.web.page.exchange import Exchange

MOST_ENDED = 20
"""Exchanges that are still shown after their end, until the next reply is written."""
_MOST_BEHIND = 1000
"""Events that a slow browser may be behind; then it is cut off, comes back and is told everything."""
_PING_S = 15.0
_PING = ": still here\n\n"


class Room:
    """Keeps the exchanges and tells their events."""

    def __init__(self) -> None:
        self._exchanges: list[Exchange] = []
        self._listeners: set[asyncio.Queue[dict[str, Any] | None]] = set()
        self._closed = False

    @property
    def idle(self) -> bool:
        """Nobody listens, and nothing is there to be told."""
        return not self._listeners and not self._exchanges

    @property
    def left_alone(self) -> bool:
        """Nobody listens, and nothing goes on."""
        return not self._listeners and not any(each.running for each in self._exchanges)

    def begin(self, action: Action, *, text: str, about: str, files: tuple[str, ...] = ()) -> Exchange:
        """A new exchange; when it writes a reply, what was said besides earlier ones is cleared away."""
        self._exchanges = [
            each for each in self._exchanges[-MOST_ENDED:] if each.running or not (action.writes or each.action.writes)
        ]
        exchange = Exchange(
            exchange_id=uuid4().hex, action=action, text=text, about=about, files=files, publish=self._tell
        )
        self._exchanges.append(exchange)
        exchange.begin()
        return exchange

    def end(self, exchange: Exchange) -> None:
        """The core has said all it had to say."""
        exchange.end()
        besides = [each for each in exchange.messages.values() if each.content.notice or each.content.error]
        if exchange.action.command == "stop" or (exchange.action.writes and not besides):
            self._exchanges.remove(exchange)

    async def events(self) -> AsyncIterator[str]:
        """Everything there is, then everything that happens, as Server-Sent Events."""
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            state = {"type": "state", "exchanges": [each.json() for each in self._exchanges]}
            yield _framed(state)
            while not self._closed:
                try:
                    async with asyncio.timeout(_PING_S):
                        event = await queue.get()
                except TimeoutError:
                    yield _PING
                    continue
                if event is None:
                    return
                yield _framed(event)
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """Send every browser away."""
        self._closed = True
        for queue in self._listeners:
            queue.put_nowait(None)

    def _tell(self, event: dict[str, Any]) -> None:
        for queue in list(self._listeners):
            if queue.qsize() >= _MOST_BEHIND:
                self._listeners.discard(queue)
                queue.put_nowait(None)
            else:
                queue.put_nowait(event)


def _framed(event: dict[str, Any]) -> str:
    """As the standard has it: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream."""
    return f"data: {json.dumps(event, separators=(',', ':'))}\n\n"
