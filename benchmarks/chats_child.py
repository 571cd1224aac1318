"""The daemon of the benchmark `chats`: everything but the model. Its argument is JSON; at its end it prints figures."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.paced_model import PacedModel
from bot.adapter import Adapter, ChatCore
from bot.app import App
from bot.chat.composition import compose_chat
from bot.chat.service import ChatService
from bot.loader import AdapterLoader
from bot.settings import AdapterSettings, Configuration
from bot.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Storage and chat."""

    core: ChatService

    async def drain(self, timeout_s: float) -> None:
        """Return when everybody has been answered."""
        await self.core.drain(timeout_s)

    async def wait_lost(self) -> None:
        """Nothing can be lost here."""
        await asyncio.Event().wait()


async def live(given: Mapping[str, Any]) -> PacedModel:
    """Run until a signal comes."""
    loader = AdapterLoader()
    settings = Configuration.model_validate({"permissions": {"open": True}, "engine": {"n_ctx": 2048}})
    model = PacedModel(words_per_s=given["words_per_s"], n_ctx=settings.engine.n_ctx)

    @asynccontextmanager
    async def backend() -> AsyncIterator[Backend]:
        database = await Database.open(Path(given["database"]), busy_timeout_s=10)
        core = compose_chat(configuration=settings, generator=model, database=database)
        try:
            yield Backend(core=core)
        finally:
            await core.aclose()
            await database.aclose()

    def factory(name: str, section: AdapterSettings) -> Callable[[ChatCore], Adapter]:
        return lambda core: loader.load(name)(name=name, settings=section, core=core)

    adapters = {
        name: factory(name, loader.settings_type(name).model_validate(section))
        for name, section in given["adapters"].items()
    }
    await App(
        open_backend=backend,
        adapters=adapters,
        shutdown_timeout_s=lambda: 30,
        notify=lambda line: print(line, file=sys.stderr),
    ).run()
    return model


def main() -> None:
    """Run with the argument."""
    model = asyncio.run(live(json.loads(sys.argv[1])))
    print(json.dumps({"reached_s": model.reached_s}))


if __name__ == "__main__":
    main()
