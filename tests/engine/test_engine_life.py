"""Loading, unloading, changing and reading ahead, with the real model."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.engine.engine import Engine
from bot.errors import ModelLoadError, RequestError
from bot.request import ChatMessage, GenerationDone, GenerationRequest, SamplingParams
from bot.settings import EngineSettings, ModelSettings
from tests.support.until import until

PERSONA = ChatMessage(role="system", content="You are a patient teacher who explains things with short examples. " * 6)


def settings(**more: object) -> EngineSettings:
    """A small engine."""
    return EngineSettings.model_validate(
        {"n_ctx": 512, "max_parallel": 1, "n_threads": 1, "probe": "off", "prewarm": False, **more}
    )


async def start(folder: Path, told: list[str] | None = None, **more: object) -> Engine:
    """A running engine whose personas are one."""
    return await Engine.start(
        ModelSettings(),
        settings(**more),
        cache_dir=folder,
        notify=(told if told is not None else []).append,
        personas=[[PERSONA]],
    )


def request(*history: ChatMessage, name: str = "ann", max_tokens: int = 8) -> GenerationRequest:
    """A greedy request."""
    return GenerationRequest(
        messages=(PERSONA, *history),
        user=name,
        conversation=name,
        max_tokens=max_tokens,
        sampling=SamplingParams(temperature=0),
    )


async def ask(engine: Engine, text: str, *, name: str = "ann") -> GenerationDone:
    """One message, one reply."""
    return await engine.submit(request(ChatMessage(role="user", content=text), name=name)).result()


async def read_ahead(engine: Engine) -> None:
    """Return when nothing is being read any more: whoever asks before goes first."""
    await engine.count_prompt_tokens([PERSONA])
    while engine.requests():
        await engine.count_prompt_tokens([PERSONA])


async def test_personas_are_read_ahead(tmp_path: Path) -> None:
    """The first message of the first user finds the persona evaluated."""
    engine = await start(tmp_path, prewarm=True)
    await read_ahead(engine)
    first = await ask(engine, "Hello")
    persona = await engine.count_prompt_tokens([PERSONA])
    assert first.facts.usage.cached_tokens >= persona - 5
    await engine.aclose()


@pytest.mark.parametrize("reloaded", [False, True])
async def test_personas_that_change_are_read_ahead(tmp_path: Path, reloaded: bool) -> None:
    """Before the first message of a persona that was added, also where the model is loaded again with it."""
    engine = await start(tmp_path, prewarm=True)
    other = ChatMessage(role="system", content="You are the keeper of a lighthouse and like to tell of the sea. " * 6)
    if reloaded:
        await engine.reload(ModelSettings(), settings(prewarm=True, n_ctx=768), personas=[[PERSONA], [other]])
    else:
        engine.use_personas([[PERSONA], [other]])
    await read_ahead(engine)
    asked = replace(
        request(ChatMessage(role="user", content="Hello")), messages=(other, ChatMessage(role="user", content="Hello"))
    )
    first = await engine.submit(asked).result()
    assert first.facts.usage.cached_tokens >= await engine.count_prompt_tokens([other]) - 5
    await engine.aclose()


async def test_reading_ahead_can_be_switched_off(tmp_path: Path) -> None:
    """Without it the first message evaluates everything."""
    engine = await start(tmp_path)
    assert (await ask(engine, "Hello")).facts.usage.cached_tokens == 0
    await engine.aclose()


async def test_an_unloaded_model_comes_back_with_its_conversations(tmp_path: Path) -> None:
    """After unloading, the next message loads the model and evaluates only what is new."""
    engine = await start(tmp_path)
    first = await engine.submit(request(ChatMessage(role="user", content="Name a colour."), max_tokens=60)).result()
    assert await engine.unload()
    assert not engine.status().loaded
    assert engine.n_ctx == 512
    history = (
        ChatMessage(role="user", content="Name a colour."),
        ChatMessage(role="assistant", content=first.text),
        ChatMessage(role="user", content="Another."),
    )
    again = await engine.submit(request(*history)).result()
    assert again.facts.usage.prompt_tokens - again.facts.usage.cached_tokens < 25
    assert engine.status().loaded
    await engine.aclose()


async def test_counting_loads_an_unloaded_model(tmp_path: Path) -> None:
    """A prompt can be measured at any time."""
    engine = await start(tmp_path)
    before = await engine.count_prompt_tokens([PERSONA])
    assert await engine.unload()
    assert await engine.count_prompt_tokens([PERSONA]) == before
    await engine.aclose()


async def test_a_model_in_use_is_not_unloaded(tmp_path: Path) -> None:
    """While a reply is written the model stays."""
    engine = await start(tmp_path)
    generation = engine.submit(request(ChatMessage(role="user", content="Tell a story."), max_tokens=200))
    await until(lambda: engine.status().running)
    assert not await engine.unload()
    generation.cancel()
    await generation.result()
    await engine.aclose()


async def test_an_idle_model_is_unloaded(tmp_path: Path) -> None:
    """After the time without requests the memory is freed, and the owner is told."""
    told: list[str] = []
    engine = await start(tmp_path, told, idle_unload_s=0.05)
    await ask(engine, "Hello")
    async with asyncio.timeout(60):
        while engine.status().loaded:
            await asyncio.sleep(0.01)
    await engine.aclose()
    assert any("unloaded" in line for line in told)


async def test_a_reload_changes_the_settings_between_replies(tmp_path: Path) -> None:
    """A reply under way is finished with the old settings, the one that waits is served with the new."""
    engine = await start(tmp_path)
    running = engine.submit(request(ChatMessage(role="user", content="Tell a story."), max_tokens=40))
    await until(lambda: engine.status().running)
    reloading = asyncio.create_task(engine.reload(ModelSettings(), settings(n_ctx=1024, max_parallel=2)))
    await asyncio.sleep(0)
    waiting = engine.submit(request(ChatMessage(role="user", content="Hello"), name="bob"))
    assert (await running.result()).facts.usage.completion_tokens > 1
    await reloading
    assert (await waiting.result()).text
    assert (engine.n_ctx, engine.status().max_parallel) == (1024, 2)
    await engine.aclose()


async def test_a_failed_reload_brings_the_old_model_back(tmp_path: Path) -> None:
    """A model that cannot be loaded changes nothing but the error it raises."""
    engine = await start(tmp_path)
    with pytest.raises(ModelLoadError):
        await engine.reload(ModelSettings(path=str(tmp_path / "missing.gguf")), settings())
    assert (await ask(engine, "Hello")).text
    await engine.aclose()


async def test_a_model_that_vanished_fails_the_request_only(tmp_path: Path) -> None:
    """When the model cannot be loaded again, the person gets plain words and the engine lives."""
    engine = await start(tmp_path)
    assert await engine.unload()
    good = engine._source
    engine._source = replace(good, model=ModelSettings(path=str(tmp_path / "missing.gguf")))
    with pytest.raises(RequestError, match="cannot be loaded right now"):
        await ask(engine, "Hello")
    engine._source = good
    assert (await ask(engine, "Hello")).text
    await engine.aclose()


async def test_forgetting_drops_a_users_states(tmp_path: Path) -> None:
    """After forgetting, nothing that the user said helps any prompt, and no file of theirs is left."""
    engine = await start(tmp_path, kv_ram_mb=0)
    await ask(engine, "A secret of mine.")
    await ask(engine, "Something else", name="bob")
    await engine.forget(["ann"])
    assert await engine.unload()
    await engine.forget(["bob"])
    assert engine.model.store is not None
    await asyncio.to_thread(engine.model.store.flush)
    assert list((tmp_path / "kv").iterdir()) == []
    assert (await ask(engine, "A secret of mine.")).facts.usage.cached_tokens == 0
    await engine.aclose()


async def test_the_engine_tells_what_it_does(tmp_path: Path) -> None:
    """Who is served and who waits, with the numbers; one of them can be stopped by its id, and the ends are counted."""
    engine = await start(tmp_path)
    assert engine.requests() == []
    assert engine.figures().decode_tokens_per_s is None
    question = ChatMessage(role="user", content="Count to a hundred.")
    first = engine.submit(request(question, max_tokens=200))
    second = engine.submit(request(question, name="bob"))
    await until(
        lambda: [each.state for each in engine.requests()] == ["writing", "waiting"] and engine.requests()[1].position
    )
    writing, waiting = engine.requests()
    assert (writing.user, writing.position, waiting.user, waiting.position) == ("ann", None, "bob", 1)
    assert writing.prompt_tokens > 0
    engine.cancel(writing.request_id)
    assert (await first.result()).finish_reason == "cancelled"
    done = await second.result()
    engine.cancel(12345)
    figures = engine.figures()
    assert (figures.replies, figures.failures, figures.cache_hits) == (2, 0, 1)
    assert figures.cached_tokens == done.facts.usage.cached_tokens
    assert figures.decode_tokens_per_s
    assert figures.prefill_tokens_per_s
    assert figures.kv_entries == 1
    assert figures.kv_ram_bytes > 0
    assert engine.requests() == []
    await engine.unload()
    assert engine.figures().replies == 2
    await until(lambda: not engine.heartbeat())
    await engine.aclose()
