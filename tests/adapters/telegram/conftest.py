"""A Telegram of one's own, and the adapter that talks to it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from adapters.telegram import TelegramAdapter, TelegramSettings
from bot.adapter import ChatCore
from tests.support.bot_api import BotApiServer
from tests.support.fake_clock import FakeClock

OpenAdapter = Callable[..., AbstractAsyncContextManager[TelegramAdapter]]


@pytest.fixture
def clock() -> FakeClock:
    """The server's clock, and the one on which polling pauses."""
    return FakeClock()


@pytest.fixture
async def server(clock: FakeClock) -> AsyncIterator[BotApiServer]:
    """A Bot API server with the bot @hearth_test_bot."""
    async with BotApiServer(now=clock.now) as running:
        yield running


def telegram_settings(server: BotApiServer, **section: Any) -> TelegramSettings:
    """The section of a configuration that leads to `server`."""
    values = {"token": server.token, "base_url": server.base_url, "base_file_url": server.base_file_url}
    return TelegramSettings.model_validate(values | section)


@pytest.fixture
def open_adapter(server: BotApiServer, clock: FakeClock) -> OpenAdapter:
    """Starts an adapter for a core, and ends it the way the daemon does."""

    @asynccontextmanager
    async def open_it(core: ChatCore, **section: Any) -> AsyncIterator[TelegramAdapter]:
        settings = telegram_settings(server, **section)
        adapter = TelegramAdapter(name="telegram", settings=settings, core=core, sleep=clock.sleep)
        try:
            await adapter.start()
            yield adapter
            await adapter.drain()
        finally:
            await adapter.aclose()

    return open_it
