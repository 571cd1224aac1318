"""What the engine promises, with the real model."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.engine.engine import Engine
from bot.errors import EngineLostError, PromptTooLongError, QueueFullError
from bot.generation import Generation
from bot.request import (
    ChatMessage,
    GenerationDelta,
    GenerationDone,
    GenerationEvent,
    GenerationFailed,
    GenerationRequest,
    GenerationWaiting,
    SamplingParams,
)
from bot.settings import EngineSettings, ModelSettings
from tests.support.real_engine import ENGINE_SETTINGS, THINKING_TEMPLATE, Recorder
from tests.support.until import until

GREEDY = SamplingParams(temperature=0)
PERSONA = ChatMessage(role="system", content="You are a patient teacher who explains things with short examples. " * 8)
TOLERANCE = 0.1
"""Root mean square of the difference of logits, in their standard deviations.

The CPU's kernels for one token and for several round differently: 0.04 between reading the same prompt token by token
and at once, with nothing reused at all. A wrong cell in the cache gives more than 0.5.
"""
NEAR_TIE = 1.5
"""Two candidates this near to each other may change places by rounding alone."""


def user(text: str) -> ChatMessage:
    """A message from a person."""
    return ChatMessage(role="user", content=text)


def request(*messages: ChatMessage, name: str = "ann", max_tokens: int = 24, **more: object) -> GenerationRequest:
    """A greedy request in the conversation `name`, which is also the user's."""
    given: dict[str, object] = {"user": name, "conversation": name, "sampling": GREEDY, **more}
    return GenerationRequest(messages=messages, max_tokens=max_tokens, **given)  # type: ignore[arg-type]


async def events_of(generation: Generation) -> list[GenerationEvent]:
    """Everything a request was told."""
    return [event async for event in generation]


def assert_same_choice(ours: Sequence[NDArray[np.float32]], theirs: Sequence[NDArray[np.float32]]) -> None:
    """Both wrote the same, until a token on which two candidates were closer than the tolerance."""
    assert ours
    assert theirs
    for mine, other in zip(ours, theirs, strict=False):
        assert np.sqrt(np.square(mine - other).mean()) < TOLERANCE * mine.std()
        if mine.argmax() != other.argmax():
            second, first = np.sort(mine)[-2:]
            assert first - second < NEAR_TIE
            return


async def test_the_reply_is_the_same_alone_and_in_company(engine: Engine, recorder: Recorder) -> None:
    """A reply does not depend on who else is served, on what is in the cache, or on a neighbour that was cancelled."""
    question = (PERSONA, user("Why is the sky blue?"))
    await engine.submit(request(*question)).result()
    slot = next(slot for slot in engine.model.core.slots.all if slot.owner and slot.owner.conversation == "ann")
    logits_alone = recorder.logits.pop(slot.seq_id)

    again = await engine.submit(request(*question)).result()
    assert again.facts.usage.cached_tokens == again.facts.usage.prompt_tokens - 1
    assert_same_choice(logits_alone, recorder.logits.pop(slot.seq_id))

    recorder.logits.clear()
    neighbours = [engine.submit(request(user(f"Count from {n} to 50."), name=f"n{n}")) for n in range(3)]
    batched = engine.submit(request(*question))
    neighbours[1].cancel()
    results = await asyncio.gather(batched.result(), *(neighbour.result() for neighbour in neighbours))
    assert [result.finish_reason for result in results[1:]].count("cancelled") == 1
    assert_same_choice(logits_alone, recorder.logits[slot.seq_id])


async def test_a_copied_persona_gives_the_same_reply(engine: Engine, recorder: Recorder) -> None:
    """A conversation that starts from another one's copied persona writes what it would have written by itself."""
    question = (PERSONA, user("Name three colours."))
    first = await engine.submit(request(*question, name="ann")).result()
    second = await engine.submit(request(*question, name="bob")).result()
    assert first.facts.usage.cached_tokens == 0
    assert second.facts.usage.cached_tokens == second.facts.usage.prompt_tokens - 1
    by_name = {slot.owner.conversation: slot.seq_id for slot in engine.model.core.slots.all if slot.owner}
    assert_same_choice(recorder.logits[by_name["ann"]], recorder.logits[by_name["bob"]])


async def test_alternating_users_evaluate_only_what_is_new(engine: Engine, recorder: Recorder) -> None:
    """In ten turns of two alternating users, each turn evaluates the tokens behind the last reply and no other."""
    reader = engine.model.reader
    histories = {name: [PERSONA] for name in ("ann", "bob")}
    for turn in range(10):
        for name, history in histories.items():
            before = reader.render(history, "hide", continue_final=False) if turn else b""
            history.append(user(f"Tell me one thing about the number {turn}."))
            prompt = reader.render(history, "hide", continue_final=False)
            start = recorder.evaluated
            done = await engine.submit(request(*history, name=name, max_tokens=12)).result()
            history.append(ChatMessage(role="assistant", content=done.text))
            facts = done.facts
            evaluated = recorder.evaluated - start - (facts.usage.completion_tokens - 1)
            assert evaluated == facts.usage.prompt_tokens - facts.usage.cached_tokens
            if turn == 0:
                continue
            # What the sequence does not hold: the tail of the prompt behind the reply. A reply cut by its length
            # has its last token sampled but not evaluated.
            held = before[: -len(b"<|im_start|>assistant\n")].removesuffix(b"<|im_end|>\n")
            assert prompt.startswith(held)
            tail = len(engine.model.runner.vocabulary.tokenize(prompt[len(held) :]))
            cut_by_length = 1
            assert tail <= evaluated <= tail + cut_by_length
    assert recorder.evaluated > 0


async def test_a_long_prompt_does_not_stop_a_stream(engine: Engine, recorder: Recorder) -> None:
    """While a 2,000-token prompt is read, every batch also carries the next token of the reply that streams."""
    stream = engine.submit(request(user("Write a long story about a river."), name="ann", max_tokens=400))
    events = stream.__aiter__()
    while not isinstance(await anext(events), GenerationDelta):
        pass
    slots = engine.model.core.slots.all
    streaming = next(slot.seq_id for slot in slots if slot.owner and slot.owner.conversation == "ann")
    long = engine.submit(request(user("word " * 2000), name="bob", max_tokens=1))
    done = await long.result()
    stream.cancel()
    async for _ in events:
        pass
    assert done.facts.usage.prompt_tokens > 2000
    reading = [batch for batch in recorder.batches if any(part.seq_id != streaming for part in batch)]
    assert len(reading) > 5
    beside = [batch for batch in reading if any(part.seq_id == streaming for part in batch)]
    ended_early = len(reading) - len(beside)
    assert ended_early == 0 or done.facts.finish_reason == "length"
    assert all(batch[0].seq_id == streaming and len(batch[0].tokens) == 1 for batch in beside)
    # The first chunk is a guess; the others are sized by what was measured.
    assert max(sum(len(part.tokens) for part in batch) for batch in reading) <= ENGINE_SETTINGS.n_batch
    assert len(beside) > 5


async def test_a_waiting_request_hears_its_position(tmp_path: Path) -> None:
    """With one sequence the second and third request are told where they stand, until they are served in order."""
    settings = EngineSettings(n_ctx=512, max_parallel=1, n_threads=1, probe="off")
    engine = await Engine.start(ModelSettings(), settings, cache_dir=tmp_path, notify=lambda _: None)
    generations = [
        engine.submit(request(user("Count to twenty."), name=name, max_tokens=8)) for name in ("ann", "bob", "eve")
    ]
    told = await asyncio.gather(*map(events_of, generations))
    await engine.aclose()
    waits = [[event for event in events if isinstance(event, GenerationWaiting)] for events in told]
    positions = [[key for key, _ in itertools.groupby(event.position for event in each)] for each in waits]
    assert positions == [[], [1], [2, 1]]
    assert waits[2][-1].wait_s is not None  # the first reply has been measured by then
    assert [isinstance(events[-1], GenerationDone) for events in told] == [True] * 3


async def test_a_prompt_that_can_never_fit_is_refused(engine: Engine) -> None:
    """The refusal tells the size and the limit, both in tokens."""
    with pytest.raises(PromptTooLongError) as caught:
        await engine.submit(request(user("word " * 3000))).result()
    assert caught.value.prompt_tokens > 3000
    assert caught.value.limit == engine.n_ctx - 1


async def test_a_full_line_refuses(tmp_path: Path) -> None:
    """Beyond the bound of a user or of the line a request fails, and the others are served."""
    settings = EngineSettings(
        n_ctx=512, max_parallel=1, max_waiting=3, max_waiting_per_user=2, n_threads=1, probe="off"
    )
    engine = await Engine.start(ModelSettings(), settings, cache_dir=tmp_path, notify=lambda _: None)
    names = ("ann", "bob", "bob", "bob", "eve", "zoe")
    generations = [engine.submit(request(user("Hello"), name=name, max_tokens=60)) for name in names]
    told = await asyncio.gather(*map(events_of, generations))
    await engine.aclose()
    refused = [
        name
        for name, events in zip(names, told, strict=True)
        if isinstance(events[-1], GenerationFailed) and isinstance(events[-1].error, QueueFullError)
    ]
    assert refused == ["bob", "zoe"]


async def test_cancel_keeps_what_was_written(engine: Engine) -> None:
    """A reply cancelled while it is written ends with its text so far, and its sequence goes on being useful."""
    question = (PERSONA, user("Write a long story about a lighthouse."))
    generation = engine.submit(request(*question, max_tokens=500))
    seen = ""
    async for event in generation:
        if isinstance(event, GenerationDelta):
            seen += event.text
            if len(seen) > 20:
                generation.cancel()
        if isinstance(event, GenerationDone):
            assert event.finish_reason == "cancelled"
            assert event.text == seen
            assert event.facts.usage.completion_tokens < 500
    again = await engine.submit(request(*question, max_tokens=2)).result()
    assert again.facts.usage.cached_tokens == again.facts.usage.prompt_tokens - 1


async def test_cancel_while_the_prompt_is_read(engine: Engine, recorder: Recorder) -> None:
    """A prompt cancelled in the middle keeps the part that was evaluated for the next try."""
    prompt = request(user("word " * 600), max_tokens=1)
    generation = engine.submit(prompt)
    await until(lambda: recorder.batches)
    generation.cancel()
    done = await generation.result()
    assert done.finish_reason == "cancelled"
    assert done.text == ""
    read = recorder.evaluated
    assert 0 < read < 600
    again = await engine.submit(prompt).result()
    assert again.facts.usage.cached_tokens == read


async def test_breaking_off_the_iteration_cancels(engine: Engine) -> None:
    """A caller that stops listening stops the generation too."""
    generation = engine.submit(request(user("Write a long story."), max_tokens=2000))
    task = asyncio.create_task(events_of(generation))
    await until(lambda: engine.status().running)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not engine.status().running)


async def test_stop_strings_end_the_reply(engine: Engine) -> None:
    """The text ends before the stop string, which is never shown."""
    free = await engine.submit(request(user("List five animals."), max_tokens=40)).result()
    stop = free.text[10:14]
    events = await events_of(engine.submit(request(user("List five animals."), max_tokens=40, stop=(stop,))))
    done = events[-1]
    assert isinstance(done, GenerationDone)
    assert done.finish_reason == "stop"
    assert done.text == free.text[: free.text.index(stop)]
    assert "".join(event.text for event in events if isinstance(event, GenerationDelta)) == done.text


async def test_a_seed_repeats_a_reply(engine: Engine) -> None:
    """The same seed gives the same reply from the same state, and another seed another one."""
    texts = []
    for seed in (7, 7, 8):
        sampling = SamplingParams(temperature=1.5, seed=seed)
        done = await engine.submit(request(user("Invent a name."), sampling=sampling, conversation=None)).result()
        texts.append(done.text)
    assert texts[0] == texts[1] != texts[2]


async def test_sampling_parameters_reach_the_samplers(engine: Engine) -> None:
    """A token that is biased away is never written, and one biased up is written at once."""
    vocabulary = engine.model.runner.vocabulary
    (token,) = vocabulary.tokenize(b"Yes")
    always = SamplingParams(temperature=0, logit_bias={token: 100.0})
    done = await engine.submit(request(user("Is water wet?"), sampling=always, max_tokens=3)).result()
    assert done.text == "YesYesYes"
    discouraged = SamplingParams(temperature=0, logit_bias={token: 9.0}, frequency_penalty=2.0, presence_penalty=2.0)
    done = await engine.submit(request(user("Is water wet?"), sampling=discouraged, max_tokens=12)).result()
    assert "YesYesYes" not in done.text


async def test_continue_goes_on_where_the_reply_ended(engine: Engine) -> None:
    """A reply that is continued evaluates next to nothing and joins its first part without a seam."""
    whole = await engine.submit(request(user("Tell me about rivers."), max_tokens=24)).result()
    first = await engine.submit(request(user("Tell me about rivers."), max_tokens=12, name="bob")).result()
    rest = await engine.submit(
        request(
            user("Tell me about rivers."),
            ChatMessage(role="assistant", content=first.text),
            name="bob",
            max_tokens=12,
            continue_final=True,
        )
    ).result()
    assert rest.facts.usage.prompt_tokens - rest.facts.usage.cached_tokens <= 2
    assert (first.text + rest.text)[: len(whole.text) // 2] == whole.text[: len(whole.text) // 2]


async def test_a_budget_ends_the_thought_and_an_answer_follows(tmp_path: Path) -> None:
    """A model that would think for ever is made to close its thought, and answers."""
    engine = await Engine.start(
        ModelSettings(chat_template=THINKING_TEMPLATE), ENGINE_SETTINGS, cache_dir=tmp_path, notify=lambda _: None
    )
    end_of_turn = SamplingParams(temperature=0, logit_bias={2: -100.0})
    thinking = request(
        user("Why is the sky blue?"), sampling=end_of_turn, reasoning="show", reasoning_budget=8, max_tokens=40
    )
    events = await events_of(engine.submit(thinking))
    quiet = await engine.submit(replace(thinking, reasoning="off")).result()
    await engine.aclose()
    done = events[-1]
    assert isinstance(done, GenerationDone)
    deltas = [event for event in events if isinstance(event, GenerationDelta)]
    assert done.reasoning == "".join(event.text for event in deltas if event.reasoning) != ""
    assert done.text == "".join(event.text for event in deltas if not event.reasoning) != ""
    assert "think>" not in done.text + done.reasoning
    assert done.facts.usage.completion_tokens == 40
    assert (quiet.reasoning, bool(quiet.text)) == ("", True)


async def test_losing_the_engine_reaches_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When decoding fails for good, running and waiting requests get the error, and so does whoever comes later."""
    settings = EngineSettings(n_ctx=512, max_parallel=1, n_threads=1, probe="off")
    engine = await Engine.start(ModelSettings(), settings, cache_dir=tmp_path, notify=lambda _: None)

    def fail(*_: object) -> dict[int, int]:
        raise EngineLostError("llama_decode returned -3")

    monkeypatch.setattr(engine.model.runner, "decode", fail)
    generations = [engine.submit(request(user("Hello"), name=name)) for name in ("ann", "bob", "eve")]
    told = await asyncio.gather(*map(events_of, generations))
    for events in told:
        assert isinstance(events[-1], GenerationFailed)
        assert isinstance(events[-1].error, EngineLostError)
    with pytest.raises(EngineLostError, match="-3"):
        await engine.wait_lost()
    with pytest.raises(EngineLostError):
        engine.submit(request(user("Anybody there?")))
    await engine.aclose()


async def test_closing_ends_what_runs(tmp_path: Path) -> None:
    """Closing in the middle of replies gives each its end and leaves no thread behind."""
    engine = await Engine.start(ModelSettings(), ENGINE_SETTINGS, cache_dir=tmp_path, notify=lambda _: None)
    generations = [engine.submit(request(user("Tell me a story."), name=f"u{n}", max_tokens=2000)) for n in range(8)]
    closing = asyncio.create_task(engine.aclose())
    told = await asyncio.gather(*map(events_of, generations))
    await closing
    endings = [events[-1].finish_reason for events in told if isinstance(events[-1], GenerationDone)]
    assert endings == ["cancelled"] * 8
    assert not engine.lock._thread.is_alive()
