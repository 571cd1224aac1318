"""Nobody waits for their history to be read again, with the real model."""

import asyncio
from pathlib import Path

import pytest

from bot.engine.engine import Engine
from bot.request import ChatMessage, GenerationDone, GenerationRequest, SamplingParams
from bot.settings import EngineSettings, ModelSettings

PERSONA = ChatMessage(role="system", content="You are a patient teacher who explains things with short examples. " * 6)


async def start(folder: Path, **more: object) -> Engine:
    """An engine with one sequence, so that every other conversation evicts the last."""
    settings = EngineSettings.model_validate({"n_ctx": 1024, "max_parallel": 1, "n_threads": 1, "probe": "off", **more})
    return await Engine.start(ModelSettings(), settings, cache_dir=folder, notify=lambda _: None)


async def ask(
    engine: Engine, history: list[ChatMessage], text: str, *, name: str | None, user: str = "", may_shift: bool = False
) -> GenerationDone:
    """One turn of a conversation."""
    history.append(ChatMessage(role="user", content=text))
    request = GenerationRequest(
        messages=tuple(history),
        user=user or name or "somebody",
        conversation=name,
        max_tokens=12,
        sampling=SamplingParams(temperature=0),
        may_shift=may_shift,
    )
    done = await engine.submit(request).result()
    history.append(ChatMessage(role="assistant", content=done.text))
    return done


def evaluated(done: GenerationDone) -> int:
    """Prompt tokens that were not in any cache."""
    return done.facts.usage.prompt_tokens - done.facts.usage.cached_tokens


async def idle(engine: Engine) -> None:
    """Let everything idle be saved to disk now."""
    await asyncio.wrap_future(engine.lock.call(engine.model.core.keep_idle))
    assert engine.model.store is not None
    await asyncio.to_thread(engine.model.store.flush)


@pytest.mark.parametrize(
    "more",
    [{}, {"kv_ram_mb": 0}, {"kv_disk_mb": 0}, {"type_k": "q8_0", "type_v": "q8_0"}],
    ids=["RAM and disk", "disk only", "RAM only", "quantized KV"],
)
async def test_an_evicted_conversation_comes_back_by_copy(tmp_path: Path, more: dict[str, object]) -> None:
    """Three users who take turns on one sequence each evaluate only what is new."""
    engine = await start(tmp_path, **more)
    histories: dict[str, list[ChatMessage]] = {name: [PERSONA] for name in ("ann", "bob", "eve")}
    for turn in range(4):
        for name, history in histories.items():
            done = await ask(engine, history, f"Tell me about the number {turn}.", name=name)
            if turn:
                assert evaluated(done) < 25
            elif name != "ann":
                assert evaluated(done) < 25  # the persona is everybody's
            if engine.model.store is not None:
                await asyncio.to_thread(engine.model.store.flush)
    engine.lock.call(engine.model.core.check_integrity).result(timeout=60)
    await engine.aclose()


async def test_a_restored_conversation_writes_what_it_would_have_written(tmp_path: Path) -> None:
    """A reply from a restored state is the reply from a state that was never away."""
    replies = []
    for interrupted in (False, True):
        engine = await start(tmp_path / str(interrupted))
        history = [PERSONA]
        await ask(engine, history, "Name three colours.", name="ann")
        if interrupted:
            await ask(engine, [ChatMessage(role="user", content="Other")], "Something else entirely", name="bob")
        replies.append((await ask(engine, history, "And three animals?", name="ann")).text)
        await engine.aclose()
    assert replies[0] == replies[1]


async def test_the_first_turn_after_a_restart_evaluates_only_what_is_new(tmp_path: Path) -> None:
    """What was closed properly is used by the next process."""
    history = [PERSONA]
    engine = await start(tmp_path)
    await ask(engine, history, "Name three colours.", name="ann")
    await engine.aclose()
    engine = await start(tmp_path)
    assert evaluated(await ask(engine, history, "And three animals?", name="ann")) < 25
    await engine.aclose()


async def test_a_changed_setting_makes_stored_states_foreign(tmp_path: Path) -> None:
    """A state made with another cache type is not used."""
    history = [PERSONA]
    engine = await start(tmp_path)
    await ask(engine, history, "Name three colours.", name="ann")
    await engine.aclose()
    engine = await start(tmp_path, type_k="q8_0", type_v="q8_0")
    done = await ask(engine, history, "And three animals?", name="ann")
    assert done.facts.usage.cached_tokens == 0
    await engine.aclose()


async def test_requests_without_a_conversation_find_their_prefix(tmp_path: Path) -> None:
    """A client that sends everything again each time is served from the cache, whoever came in between."""
    engine = await start(tmp_path)
    history = [PERSONA]
    await ask(engine, history, "Name three colours.", name=None)
    await ask(engine, [], "Something else entirely", name="bob")
    assert evaluated(await ask(engine, history, "And three animals?", name=None)) < 25
    await engine.aclose()


async def test_sharing_can_be_turned_off(tmp_path: Path) -> None:
    """Without sharing another user's prompt is never a start; one's own is."""
    engine = await start(tmp_path, share_prefix=False)
    await ask(engine, [PERSONA], "Name three colours.", name="ann")
    assert (await ask(engine, [PERSONA], "Name three colours.", name="bob")).facts.usage.cached_tokens == 0
    again = await ask(engine, [PERSONA], "Name three colours.", name="ann's other chat", user="ann")
    assert again.facts.usage.cached_tokens > 50
    await engine.aclose()


async def test_dropped_turns_are_cut_out_of_the_cache(tmp_path: Path) -> None:
    """When old turns leave the prompt, what follows them is not evaluated again, and the talk goes on sensibly."""
    engine = await start(tmp_path)
    history = [PERSONA]
    for turn in range(6):
        await ask(engine, history, f"Tell me about the number {turn}.", name="ann")
    del history[1:7]  # the three oldest turns
    shifted = await ask(engine, history, "Name a colour.", name="ann", may_shift=True)
    assert evaluated(shifted) < 25
    engine.lock.call(engine.model.core.check_integrity).result(timeout=60)
    following = await ask(engine, history, "Name another.", name="ann", may_shift=True)
    assert evaluated(following) < 25
    assert shifted.text.strip()
    await engine.aclose()


async def test_turns_are_cut_out_of_a_conversation_that_was_away(tmp_path: Path) -> None:
    """A conversation that lost its sequence comes back from the store to be cut there."""
    engine = await start(tmp_path)
    history = [PERSONA]
    for turn in range(6):
        await ask(engine, history, f"Tell me about the number {turn}.", name="ann")
    await ask(engine, [ChatMessage(role="system", content="Other")], "Something else entirely", name="bob")
    del history[1:7]
    assert evaluated(await ask(engine, history, "Name a colour.", name="ann", may_shift=True)) < 25
    engine.lock.call(engine.model.core.check_integrity).result(timeout=60)
    await engine.aclose()


async def test_without_shifting_what_follows_a_cut_is_read_again(tmp_path: Path) -> None:
    """Where the owner prefers exact states, everything behind the persona is evaluated once more."""
    engine = await start(tmp_path)
    history = [PERSONA]
    for turn in range(4):
        await ask(engine, history, f"Tell me about the number {turn}.", name="ann")
    del history[1:5]
    assert evaluated(await ask(engine, history, "Name a colour.", name="ann")) > 40
    await engine.aclose()
