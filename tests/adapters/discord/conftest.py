"""The Discord adapter's client in a Discord that runs inside the process."""

from collections.abc import AsyncIterator

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.support.hosted_discord import HostedDiscord
from tests.support.scripted_core import ScriptedCore


@pytest.fixture
def core() -> ScriptedCore:
    """Echoes."""
    return ScriptedCore()


@pytest.fixture
async def hosted(core: ScriptedCore) -> AsyncIterator[HostedDiscord]:
    """With the settings as they come."""
    async with HostedDiscord.open(core) as opened:
        yield opened


@pytest.fixture
def discord_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py keeps its addresses in classes: they are put back after a test that points them elsewhere."""
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)
