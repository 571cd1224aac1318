"""What is certain to come is read before anybody waits for it, with the real model."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.engine.engine import Engine
from bot.engine.read_ahead import ReadAhead
from bot.generation import Generation
from bot.messages import FinishReason, ReplyFacts, Timings, Usage
from bot.request import ChatMessage, GenerationDone, GenerationRequest, SamplingParams, ToolCall
from bot.settings import EngineSettings, ModelSettings
from tests.support.real_engine import THINKING_TEMPLATE
from tests.support.tiny_models import WRITERS

FRAME = "<|im_start|>user\n"


async def start(folder: Path, *, model: Path | None = None, template: str | None = None, **more: object) -> Engine:
    """A small engine."""
    settings = EngineSettings.model_validate({"n_ctx": 512, "max_parallel": 1, "n_threads": 1, "probe": "off", **more})
    named = ModelSettings(path=str(model) if model else None, chat_template=template)
    return await Engine.start(named, settings, cache_dir=folder, notify=lambda _: None)


def request(*messages: ChatMessage, name: str | None = "ann", max_tokens: int = 8) -> GenerationRequest:
    """A greedy request."""
    greedy = SamplingParams(temperature=0)
    return GenerationRequest(
        messages=messages, user=name or "ann", conversation=name, max_tokens=max_tokens, sampling=greedy
    )


def said(text: str) -> ChatMessage:
    """A user's message."""
    return ChatMessage(role="user", content=text)


async def held(engine: Engine) -> list[bytes]:
    """The text that each sequence holds."""

    def look() -> list[bytes]:
        engine.model.core.check_integrity()
        return [bytes(slot.log.text) for slot in engine.model.core.slots.all if slot.owner]

    return await asyncio.wrap_future(engine.lock.call(look))


async def read_ahead(engine: Engine, *, conversations: int = 1) -> None:
    """Wait until so many conversations' next messages can begin at once."""

    async def framed() -> bool:
        return sum(text.endswith(FRAME.encode()) for text in await held(engine)) == conversations

    while not await framed() or engine.requests():
        await asyncio.sleep(0.01)


async def test_the_next_message_finds_its_frame_read(tmp_path: Path) -> None:
    """Only the person's own words and the opening of the reply are evaluated, and the reply is what it would be."""
    replies = []
    for prewarm in (False, True):
        engine = await start(tmp_path / str(prewarm), prewarm=prewarm)
        first = await engine.submit(request(said("Name a colour."))).result()
        if prewarm:
            await read_ahead(engine)
        history = (said("Name a colour."), ChatMessage(role="assistant", content=first.text), said("Another one."))
        again = await engine.submit(request(*history)).result()
        usage = again.facts.usage
        words = await engine.count_prompt_tokens([said("Another one.")]) - await engine.count_prompt_tokens([said("")])
        opening = "<|im_end|>\n<|im_start|>assistant\n"
        behind = len(engine.model.runner.vocabulary.tokenize(opening.encode()))
        evaluated = usage.prompt_tokens - usage.cached_tokens
        assert (evaluated == words + behind) is prewarm
        replies.append(again.text)
        await engine.aclose()
    assert replies[0] == replies[1]


async def test_a_reply_is_read_again_without_its_thoughts(tmp_path: Path) -> None:
    """A template that leaves thoughts out of the history makes the next prompt another one; nobody waits for that."""
    engine = await start(tmp_path, template=THINKING_TEMPLATE)
    asked = request(said("What is two and two?"), max_tokens=80)
    first = await engine.submit(replace(asked, reasoning_budget=20)).result()
    assert first.reasoning
    assert first.text
    await read_ahead(engine)
    answer = ChatMessage(role="assistant", content=first.text)
    again = await engine.submit(request(*asked.messages, answer, said("And three?"))).result()
    assert again.facts.usage.prompt_tokens - again.facts.usage.cached_tokens < 20
    await engine.aclose()


async def test_what_is_read_ahead_counts_for_nobody(tmp_path: Path) -> None:
    """Neither the figures nor the measurements know of it."""
    observed: list[ReplyFacts] = []
    settings = EngineSettings(n_ctx=512, max_parallel=1, n_threads=1, probe="off")
    persona = [ChatMessage(role="system", content="You are a patient teacher.")]
    engine = await Engine.start(
        ModelSettings(),
        settings,
        cache_dir=tmp_path,
        notify=lambda _: None,
        personas=[persona],
        observe=observed.append,
    )
    await engine.submit(request(*persona, said("Hello"))).result()
    await read_ahead(engine)
    assert engine.figures().replies == len(observed) == 1
    await engine.aclose()


async def test_as_many_conversations_as_there_are_sequences_are_read_for(tmp_path: Path) -> None:
    """One that had to leave its sequence meanwhile is not brought back."""
    engine = await start(tmp_path, max_parallel=2)
    names = ("ann", "bob", "eve")
    await asyncio.gather(*(engine.submit(request(said(f"I am {name}."), name=name)).result() for name in names))
    await read_ahead(engine, conversations=2)
    texts = b"".join(await held(engine))
    assert b"I am bob" in texts
    assert b"I am eve" in texts
    await engine.aclose()


@pytest.mark.parametrize("kind", WRITERS)
async def test_nothing_is_read_for_a_memory_that_cannot_be_cut(
    kind: str, tmp_path: Path, tiny_models: Mapping[str, Path]
) -> None:
    """There a second try would have to read the whole history again."""
    engine = await start(tmp_path, model=tiny_models[kind])
    await engine.submit(request(said("Hello"))).result()
    assert engine.model.read_ahead == 0
    await engine.aclose()


async def test_a_forgotten_user_is_not_read_for(tmp_path: Path) -> None:
    """Nothing of the conversation comes back after it was forgotten."""
    engine = await start(tmp_path)
    await engine.submit(request(said("My secret is a blue door."))).result()
    await engine.forget(["ann"])
    await asyncio.sleep(0.5)  # longer than reading ahead is put off
    assert not any(b"secret" in text for text in await held(engine))
    await engine.aclose()


def done(text: str, *, reason: FinishReason = "stop", calls: tuple[ToolCall, ...] = ()) -> GenerationDone:
    """The end of a reply."""
    usage = Usage(prompt_tokens=1, cached_tokens=0, completion_tokens=1)
    facts = ReplyFacts(
        finish_reason=reason, usage=usage, timings=Timings(queue_ms=0, prefill_ms=0, ttft_ms=0, decode_ms=0)
    )
    return GenerationDone(text=text, reasoning="", facts=facts, tool_calls=calls)


CALL = ToolCall(id="1", name="look", arguments="{}")


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (request(said("Hi"), name=None), done("Hello")),
        (GenerationRequest(messages=(), prompt="Once", user="ann", conversation="ann"), done(" upon")),
        (request(said("Hi")), done("Hel", reason="cancelled")),
        (request(said("Hi")), done("", reason="tool_calls", calls=(CALL,))),
    ],
    ids=["no conversation", "raw prompt", "cancelled", "tool call"],
)
async def test_what_is_not_certain_is_not_read(asked: GenerationRequest, answered: GenerationDone) -> None:
    """The next prompt may be anything."""
    wanted: list[GenerationRequest] = []

    def submit(each: GenerationRequest) -> Generation:
        wanted.append(each)
        return Generation(1, lambda _: None)

    ahead = ReadAhead(submit)
    ahead.replied(asked, answered, sequences=2)
    ahead.begin()
    assert not wanted
    ahead.replied(request(said("Hi")), done("Hello"), sequences=2)
    ahead.begin()
    ahead.begin()
    assert [each.messages[-1].content for each in wanted] == ["Hello"]


async def test_somebody_who_writes_goes_first() -> None:
    """What is being read ahead is broken off, and what has been read needs no breaking off."""
    submitted: list[Generation] = []
    cancelled: list[int] = []

    def submit(_: GenerationRequest) -> Generation:
        submitted.append(Generation(len(submitted), cancelled.append))
        return submitted[-1]

    ahead = ReadAhead(submit)
    for name in ("ann", "bob"):
        ahead.replied(request(said("Hi"), name=name), done("Hello"), sequences=2)
    ahead.begin()
    submitted[0].push(done(""))
    ahead.give_way()
    ahead.give_way()
    assert cancelled == [1]
