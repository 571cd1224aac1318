"""A browser without a window, as far as the server can tell."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2


class LoggedIn:
    """Asks as the page does, with its cookie and from its origin."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client

    async def say(self, thread: str, message_id: str, text: str, **fields: Any) -> httpx2.Response:
        """Send a message."""
        body = {"message_id": message_id, "text": text, **fields}
        return await self.client.post(f"/page/conversations/{thread}/messages", json=body)

    @asynccontextmanager
    async def events(self, thread: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """What happens in a conversation."""
        async with self.client.stream("GET", f"/page/conversations/{thread}/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")

            async def read() -> AsyncIterator[dict[str, Any]]:
                async for line in answer.aiter_lines():
                    if line.startswith("data: "):
                        yield json.loads(line[6:])

            yield read()

    async def turns(self, thread: str) -> list[dict[str, Any]]:
        """What is stored of a conversation."""
        answer = await self.client.get(f"/page/conversations/{thread}")
        turns: list[dict[str, Any]] = answer.json()["turns"]
        return turns


@asynccontextmanager
async def logged_in(url: str, **proof: str) -> AsyncIterator[LoggedIn]:
    """Log in with a key or a link."""
    async with httpx2.AsyncClient(base_url=url, headers={"origin": url}, timeout=30) as client:
        answer = await client.post("/page/login", json=proof)
        assert answer.status_code == 204, answer.text
        yield LoggedIn(client)
