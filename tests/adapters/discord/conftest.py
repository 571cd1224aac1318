"""The Discord adapter's client in a Discord that runs inside the process."""

from collections.abc import AsyncIterator

import pytest

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
