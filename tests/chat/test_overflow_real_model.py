"""What a full window costs with the real engine and the small model."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from bot.chat.composition import compose_chat
from bot.chat.service import ChatService
from bot.engine.engine import Engine
from bot.messages import IncomingMessage, Usage
from bot.request import GenerationRequest
from bot.settings import Configuration
from bot.storage.database import Database
from tests.support.fake_clock import FakeClock
from tests.support.recording_target import RecordingTarget

MESSAGE = "Tell me something about the sea, the ships on it and the people in them. Number"
SHORT = 40
"""Tokens that a message of the test takes at most."""


class Sailor:
    """One person who asks the same again and again."""

    def __init__(self, core: ChatService, clock: FakeClock, requests: list[GenerationRequest]) -> None:
        self.core = core
        self.clock = clock
        self.requests = requests
        """What the engine was asked."""
        self._number = 0

    async def say(self) -> RecordingTarget:
        """Send the next message, and pause where a summary is wanted."""
        self._number += 1
        target = RecordingTarget(edit_interval_s=0)
        text = f"{MESSAGE} {self._number}."
        message = IncomingMessage(adapter="test", chat="ann", user="ann", message_id=uuid4().hex, text=text)
        await self.core.handle(message, target)
        assert target.errors == []
        if tasks := [*self.core._parts.summariser._tasks.values()]:
            await self.clock.asleep(1)
            self.clock.advance(1)
            await asyncio.gather(*tasks)
        return target

    async def until_cut(self) -> RecordingTarget:
        """Talk until old turns are left out."""
        while not (target := await self.say()).notices:
            pass
        return target


OpenChat = Callable[[str], AbstractAsyncContextManager[Sailor]]


@pytest.fixture
def open_chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenChat:
    """Opens the chat with a window of 512 tokens and one way of making room in it."""

    @asynccontextmanager
    async def open_it(overflow: str) -> AsyncIterator[Sailor]:
        settings = Configuration.model_validate(
            {
                "engine": {"n_ctx": 512, "max_parallel": 1, "n_threads": 1, "n_threads_batch": 1, "probe": "off"},
                "generation": {"max_tokens": 16, "temperature": 0.0},
                "history": {"overflow": overflow},
                "permissions": {"open": True},
            }
        )
        engine = await Engine.start(settings.model, settings.engine, cache_dir=tmp_path, notify=lambda _: None)
        requests: list[GenerationRequest] = []
        submit = engine.submit
        monkeypatch.setattr(engine, "submit", lambda request: (requests.append(request), submit(request))[1])
        database = await Database.open(tmp_path / "chat.db", busy_timeout_s=5)
        clock = FakeClock()
        core = compose_chat(configuration=settings, generator=engine, database=database, clock=clock)
        try:
            yield Sailor(core, clock, requests)
        finally:
            await core.aclose()
            await engine.aclose()
            await database.aclose()

    return open_it


def _usage(target: RecordingTarget) -> Usage:
    facts = target.calls[-1][1].facts
    assert facts is not None
    return facts.usage


async def test_shift_reads_only_the_new_message_at_a_cut(open_chat: OpenChat) -> None:
    """What is left of the conversation is not evaluated again, at the cut and after it."""
    async with open_chat("shift") as ann:
        for target in (await ann.until_cut(), await ann.say()):
            usage = _usage(target)
            assert usage.prompt_tokens > 3 * SHORT
            assert usage.prompt_tokens - usage.cached_tokens < SHORT


async def test_drop_reads_what_is_left_once(open_chat: OpenChat) -> None:
    """At the cut only the persona is found in the cache, and the turn after it finds everything again."""
    async with open_chat("drop") as ann:
        at_cut = _usage(await ann.until_cut())
        assert at_cut.prompt_tokens - at_cut.cached_tokens > 3 * SHORT
        after = _usage(await ann.say())
        assert after.prompt_tokens - after.cached_tokens < SHORT


async def test_summarise_puts_the_models_own_summary_into_the_prompt(open_chat: OpenChat) -> None:
    """It was written before the cut, from what the cache had; the turns before and after the cut hit the cache."""
    async with open_chat("summarise") as ann:
        cuts = []
        for _ in range(2):
            before = len(ann.requests)
            target = await ann.until_cut()
            assert "I keep a summary" in target.notices[0]
            others = [request for request in ann.requests[before:] if request.user != "test:ann"]
            assert others
            cut = next(request for request in reversed(ann.requests) if request.user == "test:ann")
            summary = cut.messages[2]
            assert cut.messages[1].content == "What have we talked about so far?"
            assert len(summary.content.split()) > 3
            assert all(request.max_tokens == 64 for request in others)
            assert not cuts or any(request.messages[2].content == cuts[0] for request in others)
            cuts.append(summary.content)
            for turn in (await ann.say(), await ann.say()):
                usage = _usage(turn)
                assert turn.notices == []
                assert usage.prompt_tokens - usage.cached_tokens < SHORT
