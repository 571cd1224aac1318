"""Two chat platforms on loopback, and the people who talk there."""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from tests.support.bot_api.bot_api_server import BotApiServer
from tests.support.bot_api.fake_chat import FakeChat
from tests.support.fake_discord import TOKEN, FakeDiscord

_WORD = re.compile(r"\b[a-z]+\d+n\d+-\d+\b")


class Platform(Protocol):
    """Chats are numbered from 0. What is said in them is told by the words of replies alone."""

    name: str

    @property
    def section(self) -> dict[str, Any]:
        """The adapter's section of the configuration."""
        ...

    @property
    def connected(self) -> Callable[[], bool]:
        """Whether the daemon listens."""
        ...

    @property
    def requests(self) -> int:
        """Messages and edits that came in."""
        ...

    @property
    def refused(self) -> int:
        """Those that were too many in too short a time."""
        ...

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when the calls so far meet a condition."""
        ...

    async def say(self, chat: int, text: str) -> None:
        """Somebody writes."""
        ...

    def shows(self, chat: int, since: int, word: str) -> tuple[bool, int]:
        """Whether a word was shown there by a call from number `since` on, and how many calls there are."""
        ...

    def words(self, chat: int) -> Sequence[str]:
        """Every word that stands in a chat, in its order."""
        ...


class DiscordPlatform:
    """Direct chats on Discord."""

    name = "discord"

    def __init__(self, fake: FakeDiscord) -> None:
        self._fake = fake

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator["DiscordPlatform"]:
        """Listen."""
        async with FakeDiscord.serve() as fake:
            yield cls(fake)

    @property
    def section(self) -> dict[str, Any]:
        """The adapter's section of the configuration."""
        return {"token": TOKEN, "api_base": self._fake.base, "gateway_url": self._fake.gateway}

    @property
    def connected(self) -> Callable[[], bool]:
        """Whether the daemon has signed in."""
        return lambda: self._fake.identified > 0

    @property
    def requests(self) -> int:
        """Messages and edits."""
        return sum("/messages" in call.path for call in self._fake.calls)

    @property
    def refused(self) -> int:
        """Answered with 429."""
        return self._fake.refused

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when the calls so far meet a condition."""
        await self._fake.until(condition)

    async def say(self, chat: int, text: str) -> None:
        """Somebody writes."""
        await self._fake.say(text, user=str(1000 + chat), channel=str(5000 + chat))

    def shows(self, chat: int, since: int, word: str) -> tuple[bool, int]:
        """Whether a word was shown."""
        path = f"/channels/{5000 + chat}/messages"
        calls = self._fake.calls
        new = (calls[number] for number in range(since, len(calls)))
        return any(path in call.path and call.body and word in call.body["content"].split() for call in new), len(calls)

    def words(self, chat: int) -> Sequence[str]:
        """Every word that stands in a chat."""
        return _WORD.findall("\n".join(self._fake.texts(str(5000 + chat))))


class TelegramPlatform:
    """Private chats on Telegram."""

    name = "telegram"

    def __init__(self, server: BotApiServer, chats: int) -> None:
        self._server = server
        self._chats: list[FakeChat] = [server.private_chat(f"Ann{number}") for number in range(chats)]

    @classmethod
    @asynccontextmanager
    async def open(cls, chats: int) -> AsyncIterator["TelegramPlatform"]:
        """Listen."""
        async with BotApiServer() as server:
            yield cls(server, chats)

    @property
    def section(self) -> dict[str, Any]:
        """The adapter's section of the configuration."""
        server = self._server
        return {"token": server.token, "base_url": server.base_url, "base_file_url": server.base_file_url}

    @property
    def connected(self) -> Callable[[], bool]:
        """Whether the daemon asks for messages."""
        return lambda: bool(self._server.polls)

    @property
    def requests(self) -> int:
        """Messages and edits."""
        return len(self._server.named("sendMessage", "editMessageText"))

    @property
    def refused(self) -> int:
        """Answered with 429."""
        return sum(call.error is not None and call.error.code == 429 for call in self._server.calls)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when the calls so far meet a condition."""
        await self._server.until(condition)

    async def say(self, chat: int, text: str) -> None:
        """Somebody writes."""
        self._chats[chat].say(text)

    def shows(self, chat: int, since: int, word: str) -> tuple[bool, int]:
        """Whether a word was shown."""
        calls, number = self._server.calls, str(self._chats[chat].id)
        new = (calls[each] for each in range(since, len(calls)))
        found = any(
            str(call.params.get("chat_id")) == number and call.result and word in call.text.split() for call in new
        )
        # A call without an answer yet is looked at again.
        settled = next((each for each in range(since, len(calls)) if _open(calls[each])), len(calls))
        return found, settled

    def words(self, chat: int) -> Sequence[str]:
        """Every word that stands in a chat."""
        return _WORD.findall("\n".join(self._server.texts(self._chats[chat])))


def _open(call: Any) -> bool:
    return call.result is None and call.error is None
