"""Nobody's history is read again by models whose memory cannot be cut, with real files of every such kind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from bot.engine.batch import BatchPart
from bot.engine.engine import Engine
from bot.engine.reuse import Reuse
from bot.engine.runner import Runner
from bot.engine.token_log import TokenLog
from bot.request import ChatMessage, GenerationDelta, GenerationDone, GenerationRequest, SamplingParams
from bot.settings import EngineSettings, ModelSettings
from tests.support.real_engine import Recorder, demo_model, load_params

PERSONA = ChatMessage(role="system", content="You are a patient teacher who explains things with short examples. " * 6)
OPENING = 16
"""Tokens: the opening of a reply, behind a checkpoint."""
TURN = 30
"""Tokens: a question of these tests with what the template writes around it, and the opening of the reply."""
REPLY = 12
TOLERANCE = 0.001
"""Root mean square of the difference of logits, in their standard deviations."""
THINKING = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{{ m.content.split('</think>')[-1] if m.role == 'assistant' and not loop.last else m.content }}"
    "<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
)
"""Opens a thought in front of each reply, and leaves it out of the history."""
UNCUTTABLE = ("recurrent", "hybrid")
EVERY_KIND = (*UNCUTTABLE, "sliding window")

Start = Callable[..., Awaitable[Engine]]


@pytest.fixture
async def start(tmp_path: Path, tiny_models: Mapping[str, Path]) -> AsyncIterator[Start]:
    """Starts engines on one cache folder, with one sequence unless told otherwise; checks their books at the end."""
    opened: list[Engine] = []

    async def start_one(kind: str, *, template: str | None = None, **more: object) -> Engine:
        path = demo_model() if kind == "cuttable" else tiny_models[kind]
        settings = EngineSettings.model_validate({"n_ctx": 1024, "max_parallel": 1, "probe": "off", **more})
        model = ModelSettings(path=str(path), chat_template=template)
        opened.append(await Engine.start(model, settings, cache_dir=tmp_path, notify=lambda _: None))
        return opened[-1]

    yield start_one
    for engine in opened:
        if engine.status().loaded:
            engine.lock.call(engine.model.core.check_integrity).result(timeout=60)
        await engine.aclose()


def request(
    engine: Engine, history: list[ChatMessage], *, name: str | None = "ann", user: str = "", **more: object
) -> GenerationRequest:
    """A request whose reply is ` yes yes yes …`: the model's own would be noise that no tokenizer would write so."""
    (yes,) = engine.model.runner.vocabulary.tokenize(b" yes")
    given: dict[str, object] = {"max_tokens": REPLY, **more}
    return GenerationRequest(
        messages=tuple(history),
        user=user or name or "somebody",
        conversation=name,
        sampling=SamplingParams(temperature=0, logit_bias={yes: 1000.0}),
        **given,  # type: ignore[arg-type]
    )


async def ask(engine: Engine, history: list[ChatMessage], text: str, **more: object) -> GenerationDone:
    """One turn of a conversation."""
    history.append(ChatMessage(role="user", content=text))
    done = await engine.submit(request(engine, history, **more)).result()  # type: ignore[arg-type]
    history.append(ChatMessage(role="assistant", content=done.text))
    return done


def evaluated(done: GenerationDone) -> int:
    """Prompt tokens that were not in any cache."""
    return done.facts.usage.prompt_tokens - done.facts.usage.cached_tokens


def assert_as_if_read_whole(engine: Engine, recorder: Recorder, prompt: list[ChatMessage]) -> None:
    """The last reply's first token was chosen from the logits that reading the whole prompt at once gives."""
    params = engine.model.runner.params
    tokens = engine.model.runner.vocabulary.tokenize(engine.model.reader.render(prompt))
    runner = Runner(params)
    part = BatchPart(seq_id=0, position=0, tokens=tokens[: runner.n_batch], wants_logits=True)
    assert len(tokens) <= runner.n_batch
    expected = runner.logits(runner.decode([part])[0])
    runner.close()
    (first, *_), *others = recorder.logits.values()
    assert not others
    assert np.sqrt(np.square(first - expected).mean()) < TOLERANCE * expected.std()


@pytest.mark.parametrize("kind", EVERY_KIND)
async def test_a_conversation_goes_on_from_its_end(start: Start, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each turn evaluates only what is new, and writes what it would have written after reading everything."""
    engine = await start(kind)
    recorder = Recorder(engine.model.core, monkeypatch)
    history = [PERSONA]
    for turn in range(4):
        recorder.logits.clear()
        done = await ask(engine, history, f"Tell me about the number {turn}.")
        assert evaluated(done) <= TURN or turn == 0
    assert_as_if_read_whole(engine, recorder, history[:-1])


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("evicted", [False, True], ids=["in its sequence", "evicted"])
async def test_a_reply_is_written_anew_from_the_checkpoint(
    start: Start, kind: str, evicted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second try evaluates the reply's opening only, and an edited reply itself and what follows it."""
    engine = await start(kind)
    recorder = Recorder(engine.model.core, monkeypatch)
    history = [PERSONA]
    for text in ("Name three colours.", "And three animals?"):
        await ask(engine, history, text)
    if evicted:
        await ask(engine, [], "Something else entirely, long enough to be kept. " * 5, name="bob")
    recorder.logits.clear()
    again = await engine.submit(request(engine, history[:-1])).result()
    assert evaluated(again) <= OPENING
    assert_as_if_read_whole(engine, recorder, history[:-1])
    if evicted:
        await ask(engine, [], "Something else entirely, long enough to be kept. " * 5, name="bob")
    recorder.logits.clear()
    history[-1] = ChatMessage(role="assistant", content="Cats, cows and dogs.")
    done = await ask(engine, history, "And one plant?")
    assert evaluated(done) <= TURN + OPENING + 8
    assert_as_if_read_whole(engine, recorder, history[:-1])


@pytest.mark.parametrize("kind", EVERY_KIND)
async def test_an_interrupted_reply_does_not_cost_the_history(start: Start, kind: str) -> None:
    """After a cancelled reply and after one that a stop string ended, the history is not read again."""
    engine = await start(kind)
    history = [PERSONA]
    await ask(engine, history, "Name three colours.")
    history.append(ChatMessage(role="user", content="Tell me a long story."))
    generation = engine.submit(request(engine, history, max_tokens=500))
    async for event in generation:
        if isinstance(event, GenerationDelta):
            generation.cancel()
        if isinstance(event, GenerationDone):
            history.append(ChatMessage(role="assistant", content=event.text))
            written = event.facts.usage.completion_tokens
    assert evaluated(await ask(engine, history, "Go on.")) <= TURN + written + OPENING
    done = await ask(engine, history, "And then?", stop=("yes yes yes",))
    assert done.facts.usage.completion_tokens == 3
    assert evaluated(await ask(engine, history, "Really?")) <= TURN + 3 + OPENING


@pytest.mark.parametrize("kind", [*EVERY_KIND, "cuttable"])
@pytest.mark.parametrize("users", [("ann",), ("ann", "bob")], ids=["one user", "two users on one sequence"])
async def test_a_template_that_leaves_out_old_thoughts(start: Start, kind: str, users: tuple[str, ...]) -> None:
    """Only the last reply without its thought, and what is new, are evaluated, whoever spoke in between."""
    engine = await start(kind, template=THINKING)
    histories: dict[str, list[ChatMessage]] = {name: [PERSONA] for name in users}
    for turn in range(4):
        for name, history in histories.items():
            done = await ask(engine, history, f"Tell me about the number {turn}.", name=name)
            assert evaluated(done) <= TURN + OPENING or turn == 0
            assert done.reasoning
            history[-1] = ChatMessage(role="assistant", content="A number it is.")


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("more", [{}, {"kv_ram_mb": 0}], ids=["RAM and disk", "disk only"])
async def test_a_restart_loses_neither_end_nor_checkpoint(start: Start, kind: str, more: dict[str, object]) -> None:
    """After a restart a conversation goes on from its end, and a second try from its checkpoint."""
    history = [PERSONA]
    engine = await start(kind, **more)
    await ask(engine, history, "Name three colours.")
    await engine.aclose()
    engine = await start(kind, **more)
    assert evaluated(await ask(engine, history, "And three animals?")) <= TURN
    await engine.aclose()
    engine = await start(kind, **more)
    assert evaluated(await engine.submit(request(engine, history[:-1])).result()) <= OPENING


@pytest.mark.parametrize("kind", UNCUTTABLE)
async def test_sequences_and_stored_states_of_others_are_a_start(start: Start, kind: str) -> None:
    """A state that is a whole prefix of somebody else's prompt is copied or restored, one that is only like it not."""
    engine = await start(kind, max_parallel=2)
    history = [PERSONA]
    await ask(engine, history, "Name three colours.", name="ann")
    fork = history.copy()
    assert evaluated(await ask(engine, fork, "And three animals?", name="bob")) <= TURN
    assert evaluated(await ask(engine, history[:1], "Name three colours.", name="eve")) <= OPENING
    assert (await ask(engine, history[:1], "Name a plant.", name="zoe")).facts.usage.cached_tokens == 0


@pytest.mark.parametrize("kind", UNCUTTABLE)
async def test_without_sharing_a_checkpoint_is_its_users_own(start: Start, kind: str) -> None:
    """Another user's checkpoint is no start, and forgetting a user drops it with the rest."""
    engine = await start(kind, share_prefix=False)
    history = [PERSONA]
    await ask(engine, history, "Name three colours.", name="ann")
    assert (await engine.submit(request(engine, history[:2], name="bob")).result()).facts.usage.cached_tokens == 0
    assert evaluated(await engine.submit(request(engine, history[:2], name="ann")).result()) <= OPENING
    await engine.forget(["ann"])
    assert (await engine.submit(request(engine, history[:2], name="ann")).result()).facts.usage.cached_tokens == 0


@pytest.mark.parametrize("kind", EVERY_KIND)
async def test_dropped_turns_are_read_again_not_shifted(
    start: Start, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the memory cannot shift, a conversation that lost its oldest turns forgets them really."""
    engine = await start(kind)
    recorder = Recorder(engine.model.core, monkeypatch)
    history = [PERSONA]
    for turn in range(4):
        await ask(engine, history, f"Tell me about the number {turn}.")
    del history[1:5]
    recorder.logits.clear()
    done = await ask(engine, history, "Name a colour.", may_shift=True)
    assert evaluated(done) > TURN + OPENING
    assert_as_if_read_whole(engine, recorder, history[:-1])
    assert evaluated(await ask(engine, history, "Name another.", may_shift=True)) <= TURN


@pytest.mark.parametrize("kind", EVERY_KIND)
async def test_a_persona_is_read_once_for_everybody(tmp_path: Path, tiny_models: Mapping[str, Path], kind: str) -> None:
    """What was read ahead is a start for every conversation, and for the next process."""
    settings = EngineSettings(n_ctx=1024, max_parallel=2, probe="off")
    model = ModelSettings(path=str(tiny_models[kind]))
    for _ in range(2):
        engine = await Engine.start(model, settings, cache_dir=tmp_path, notify=lambda _: None, personas=[[PERSONA]])
        for name in ("ann", "bob", "eve"):
            assert evaluated(await ask(engine, [PERSONA], f"I am {name}.", name=name)) <= TURN
        await engine.aclose()


@pytest.mark.parametrize("kind", UNCUTTABLE)
async def test_without_a_store_everything_still_works(start: Start, kind: str) -> None:
    """With both tiers off a conversation goes on from its end, and a second try reads everything again."""
    engine = await start(kind, kv_ram_mb=0, kv_disk_mb=0)
    history = [PERSONA]
    await ask(engine, history, "Name three colours.")
    assert evaluated(await ask(engine, history, "And three animals?")) <= TURN
    assert (await engine.submit(request(engine, history[:-1])).result()).facts.usage.cached_tokens == 0


async def test_models_that_can_be_cut_keep_no_checkpoint(start: Start) -> None:
    """Their conversations have one state in the store, and no prefill ends early for another."""
    engine = await start("cuttable")
    await ask(engine, [PERSONA], "Name three colours.")
    await asyncio.wrap_future(engine.lock.call(engine.model.core.keep_idle))
    assert engine.model.store is not None
    owners = [entry.owner for entry in engine.model.store._entries.values()]
    assert [owner.checkpoint for owner in owners] == [False]
    assert engine.model.core.slots.all[0].checkpoint == 0


def test_only_logs_that_are_whole_prefixes_count(tiny_models: Mapping[str, Path]) -> None:
    """A stored state gives all it has or nothing, and nothing where no token would be left to evaluate."""
    runner = Runner(load_params(model=tiny_models["recurrent"]))
    reuse, vocabulary = Reuse(runner), runner.vocabulary
    text = b"<|im_start|>user\nHello there<|im_end|>\n"
    log = TokenLog()
    log.append_prompt(
        text, [(token, vocabulary.piece(token), vocabulary.is_control(token)) for token in vocabulary.tokenize(text)]
    )
    assert reuse.of_stored(log, text + b"<|im_start|>assistant\n") == len(log)
    assert reuse.of_stored(log, text) == 0
    assert reuse.of_stored(log, b"<|im_start|>user\nHello you<|im_end|>\n") == 0
    assert reuse.of_stored(log, text + b"\n") == 0  # the two line ends are one token
    runner.close()
