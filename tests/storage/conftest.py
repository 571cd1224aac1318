from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.messages import ConversationKey, ReplyFacts, Timings, Usage
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.database import Database
from bot.storage.records import Conversation
from bot.storage.summary_repository import SummaryRepository
from bot.storage.turn_repository import TurnRepository

OpenDatabase = Callable[..., Awaitable[Database]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is; neither the file nor its folder exists yet."""
    return tmp_path / "data" / "hearthbot.db"


@pytest.fixture
async def open_database(path: Path) -> AsyncIterator[OpenDatabase]:
    """Opens databases, on the same file where no other is given, and closes them after the test."""
    opened: list[Database] = []

    async def open_one(file: Path = path, *, busy_timeout_s: float = 5.0) -> Database:
        database = await Database.open(file, busy_timeout_s=busy_timeout_s)
        opened.append(database)
        return database

    yield open_one
    for database in opened:
        await database.aclose()


@pytest.fixture
async def database(open_database: OpenDatabase) -> Database:
    """An open, empty database."""
    return await open_database()


@pytest.fixture
def conversations(database: Database) -> ConversationRepository:
    """The conversations in `database`."""
    return ConversationRepository(database)


@pytest.fixture
def turns(database: Database) -> TurnRepository:
    """The turns in `database`."""
    return TurnRepository(database)


@pytest.fixture
def summaries(database: Database) -> SummaryRepository:
    """The summaries in `database`."""
    return SummaryRepository(database)


@pytest.fixture
def key() -> ConversationKey:
    """One person in a topic of a group."""
    return ConversationKey(adapter="telegram", chat="-100", thread="7", user="42")


@pytest.fixture
async def conversation(conversations: ConversationRepository, key: ConversationKey) -> Conversation:
    """The current conversation of `key`."""
    return await conversations.current(key, default_persona="hearth")


@pytest.fixture
def facts() -> ReplyFacts:
    """Facts whose figures are all different."""
    return ReplyFacts(
        finish_reason="stop",
        usage=Usage(prompt_tokens=120, cached_tokens=100, completion_tokens=30),
        timings=Timings(queue_ms=3.0, prefill_ms=80.5, ttft_ms=90.25, decode_ms=400.0),
    )
