"""The chat over the real engine and the small model."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from bot.chat.composition import compose_chat
from bot.chat.generator import TextGenerator
from bot.chat.service import ChatService
from bot.engine.engine import Engine
from bot.messages import IncomingMessage, Usage
from bot.settings import Configuration
from bot.storage.database import Database
from tests.support.recording_target import RecordingTarget

CONFIGURATION = Configuration.model_validate(
    {
        "engine": {"n_ctx": 256, "max_parallel": 2, "probe": "off"},
        "generation": {"max_tokens": 8, "temperature": 0.0},
        "permissions": {"open": True},
    }
)


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[ChatService]:
    """The chat with a window of 256 tokens."""
    engine = await Engine.start(CONFIGURATION.model, CONFIGURATION.engine, cache_dir=tmp_path, notify=lambda _: None)
    generator: TextGenerator = engine
    database = await Database.open(tmp_path / "chat.db", busy_timeout_s=5)
    yield compose_chat(configuration=CONFIGURATION, generator=generator, database=database)
    await database.aclose()
    await engine.aclose()


async def _say(chat: ChatService, text: str, *, user: str = "ann") -> RecordingTarget:
    target = RecordingTarget(edit_interval_s=0)
    message = IncomingMessage(adapter="test", chat=user, user=user, message_id=uuid4().hex, text=text)
    await chat.handle(message, target)
    return target


def _usage(target: RecordingTarget) -> Usage:
    facts = target.calls[-1][1].facts
    assert facts is not None
    return facts.usage


async def test_two_alternating_people_are_read_only_their_new_words(chat: ChatService) -> None:
    """From the second turn on, everything but the last reply's end and the new message comes from the cache."""
    for turn in range(3):
        for user in ("ann", "bob"):
            usage = _usage(await _say(chat, f"What about {turn}?", user=user))
            if turn:
                assert usage.prompt_tokens - usage.cached_tokens < 24


async def test_a_window_that_fills_up_is_cut_once_and_the_talk_goes_on(chat: ChatService) -> None:
    """The chat's exact count and the engine's agree to the token: nothing is refused, and the next turn is cached."""
    cut = await _say(chat, "Tell me things about the sea.")
    while not cut.notices:
        assert cut.errors == []
        cut = await _say(chat, "Tell me more about the sea. " + "Take your time. " * 10)
    after = await _say(chat, "And the land?")
    assert (after.notices, after.errors) == ([], [])
    assert _usage(after).cached_tokens >= _usage(cut).prompt_tokens


async def test_a_reply_is_continued_where_it_stopped(chat: ChatService) -> None:
    """The model writes on at the cached end of its own reply."""
    first = await _say(chat, "Write a long story about a ship.")
    assert len(first.reply.split()) > 3
    more = await _say(chat, "/continue")
    assert more.errors == []
    usage = _usage(more)
    assert usage.prompt_tokens - usage.cached_tokens <= 2
    assert not more.reply.startswith(first.reply[:20])


async def test_status_counts_with_the_models_own_tokenizer(chat: ChatService) -> None:
    """An empty conversation already holds the persona."""
    lines = (await _say(chat, "/status")).reply.splitlines()
    assert lines[0].startswith("- Model: SmolLM2")
    assert "of 256 tokens" in lines[3]
