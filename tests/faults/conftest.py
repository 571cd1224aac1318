from collections.abc import AsyncIterator

import pytest

from tests.support.bot_api import BotApiServer
from tests.support.faulty_daemon import FaultyDaemon
from tests.support.hearthbot_process import Hearthbot


@pytest.fixture
async def daemon(hearthbot: Hearthbot) -> AsyncIterator[FaultyDaemon]:
    """A daemon that does not run yet, and its Telegram."""
    async with BotApiServer() as server:
        yield FaultyDaemon(hearthbot=hearthbot, server=server, ann=server.private_chat("Ann"))
