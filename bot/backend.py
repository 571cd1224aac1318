"""Storage, engine and chat: what the adapters stand on."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console

from bot.chat.commands.reload import Reload
from bot.chat.composition import compose_chat
from bot.chat.generator import engine_user, owner, summary_user
from bot.chat.personas import Personas
from bot.chat.service import ChatService
from bot.closing import close, running
from bot.engine.download_progress import progress_on
from bot.engine.engine import Engine
from bot.messages import ReplyFacts
from bot.metrics import Metrics
from bot.paths import Paths
from bot.request import ChatMessage
from bot.settings import Configuration
from bot.storage.database import Database
from bot.storage.retention import Retention
from bot.storage.salvage import open_or_salvage
from bot.storage.turn_repository import TurnRepository

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """All of it, started."""

    core: ChatService
    engine: Engine
    database: Database
    news: Sequence[str]
    """Sentences for the admins about the start."""

    @property
    def is_damaged(self) -> bool:
        """Whether damage was met in the database."""
        return self.database.damaged

    async def drain(self, timeout_s: float) -> None:
        """Return when everybody has been answered one way or the other; replies may take `timeout_s` to finish."""
        await self.core.drain(timeout_s)

    async def wait_lost(self) -> None:
        """Raise `EngineLostError` when the engine is lost; until then, wait."""
        await self.engine.wait_lost()

    async def delete_before(self, time: datetime) -> None:
        """Delete messages from before that time, and what the engine keeps of their conversations.

        Raises `StorageError` and `EngineLostError`.
        """
        keys = await Retention(self.database).apply(time)
        if keys:
            log.info("messages of %d conversations have become too old and were deleted", len(keys))
            whose = {(key.adapter, owner(key)) for key in keys}
            await self.engine.forget([name(*each) for each in sorted(whose) for name in (engine_user, summary_user)])


@asynccontextmanager
async def open_backend(
    settings: Configuration, *, paths: Paths, notify: Callable[[str], None], reload: Reload | None = None
) -> AsyncIterator[Backend]:
    """Start everything, and close it in the reverse order.

    `notify` gets a line about each slow step, and `reload` is what `/reload` does. Raises `StorageError` and
    `ModelLoadError`.
    """
    async with AsyncExitStack() as stack:
        database, news = await open_or_salvage(
            paths.database_at(settings.storage.path), busy_timeout_s=settings.storage.busy_timeout_s
        )
        stack.push_async_callback(close, "the database", database.aclose)
        for sentence in news:
            notify(sentence)
        await TurnRepository(database).recover()
        metrics = Metrics()
        engine = await start_engine(
            settings, paths=paths, notify=notify, personas=Personas.of(settings).heads, observe=metrics.replied
        )
        stack.push_async_callback(close, "the engine", engine.aclose)
        core = compose_chat(configuration=settings, generator=engine, database=database, metrics=metrics, reload=reload)
        metrics.watch(
            status=engine.status,
            figures=engine.figures,
            delivery=lambda: core.delivery,
            adapters=lambda: core.adapters,
        )
        stack.push_async_callback(close, "the chat", core.aclose)
        await stack.enter_async_context(running(core.attend(), name="chat"))
        yield Backend(core=core, engine=engine, database=database, news=news)


async def start_engine(
    settings: Configuration,
    *,
    paths: Paths,
    notify: Callable[[str], None],
    personas: Sequence[Sequence[ChatMessage]] = (),
    observe: Callable[[ReplyFacts], None] = lambda _: None,
) -> Engine:
    """The engine alone, for the caller to close; `observe` gets the facts of each reply. Raises `ModelLoadError`."""
    return await Engine.start(
        settings.model,
        settings.engine,
        cache_dir=paths.cache,
        notify=notify,
        progress=progress_on(Console(stderr=True), notify),
        personas=personas,
        observe=observe,
    )
