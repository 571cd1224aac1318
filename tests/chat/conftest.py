"""The chat, ready to talk to."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.storage.database import Database
from tests.support.chat_bench import ChatBench

OpenBench = Callable[..., AbstractAsyncContextManager[ChatBench]]


@pytest.fixture
def open_bench(tmp_path: Path) -> OpenBench:
    """Opens the chat with other settings, or again over the same database."""

    @asynccontextmanager
    async def open_it(**configuration: Any) -> AsyncIterator[ChatBench]:
        path = tmp_path / "chat.db"
        database = await Database.open(path, busy_timeout_s=5)
        try:
            yield ChatBench(path, database, configuration)
        finally:
            await database.aclose()

    return open_it


@pytest.fixture
async def bench(open_bench: OpenBench) -> AsyncIterator[ChatBench]:
    """The chat with two personas and a window of 400 tokens."""
    async with open_bench() as opened:
        yield opened
