"""An adapter that stays until it is told to leave."""

import asyncio

from bot.adapter import Adapter, ChatCore
from bot.settings import AdapterSettings


class ResidentAdapter(Adapter):
    """Notes its life in a log that it may share with others."""

    settings_type = AdapterSettings

    def __init__(self, *, name: str, settings: AdapterSettings, core: ChatCore, log: list[str]) -> None:
        super().__init__(name=name, settings=settings, core=core)
        self._log = log
        self.up = asyncio.Event()
        self.left = asyncio.Event()

    async def start(self) -> None:
        """Be up."""
        self._log.append(f"start {self.name}")
        self.up.set()

    async def wait(self) -> None:
        """Stay."""
        await self.left.wait()

    async def drain(self) -> None:
        """Take nothing more in."""
        self._log.append(f"drain {self.name}")

    async def aclose(self) -> None:
        """Leave."""
        self._log.append(f"close {self.name}")
