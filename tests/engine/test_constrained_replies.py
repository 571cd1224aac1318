"""Replies held to a JSON Schema by the real engine."""

import asyncio
import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.engine.engine import Engine
from bot.errors import InvalidRequestError
from bot.request import ChatMessage, GenerationDelta, GenerationRequest, JsonConstraint, SamplingParams
from bot.settings import ModelSettings
from tests.support.json_schemas import PERSON, REFUSED, SCHEMAS
from tests.support.real_engine import ENGINE_SETTINGS, THINKING_TEMPLATE, Recorder

GREEDY = SamplingParams(temperature=0)


def asking(
    text: str, schema: Any = PERSON, *, max_tokens: int | None = 60, always_complete: bool = True, **more: Any
) -> GenerationRequest:
    """A request whose answer must fit a schema."""
    given = {"user": "ann", "sampling": GREEDY, **more}
    return GenerationRequest(
        messages=(ChatMessage(role="user", content=text),),
        constraint=JsonConstraint(schema=schema, always_complete=always_complete),
        max_tokens=max_tokens,
        **given,
    )


async def test_the_answer_is_what_the_text_says(engine: Engine, recorder: Recorder) -> None:
    """`UserDetail`, as everybody tries it first; what is certain is evaluated together, not token by token."""
    done = await engine.submit(asking("Extract as JSON: Jason is 25 years old")).result()
    assert json.loads(done.text) == {"name": "Jason", "age": 25}
    assert done.finish_reason == "stop"
    assert len(recorder.batches) < done.facts.usage.completion_tokens


def read_by_batch(recorder: Recorder) -> list[int]:
    """Tokens that were evaluated after each batch."""
    return list(itertools.accumulate(sum(len(part.tokens) for part in batch) for batch in recorder.batches))


async def test_what_is_certain_is_read_with_the_prompt(engine: Engine, recorder: Recorder) -> None:
    """No batch ends with the prompt: the brace and the first key are in it, and the first step is for the name."""
    usage = (await engine.submit(asking("Jason is 25")).result()).facts.usage
    fresh = usage.prompt_tokens - usage.cached_tokens
    assert next(tokens for tokens in read_by_batch(recorder) if tokens >= fresh) > fresh + 1


async def test_an_answer_without_a_choice_takes_no_step(engine: Engine, recorder: Recorder) -> None:
    """All of it is certain, so all of it is read with the prompt; the books are in order afterwards."""
    done = await engine.submit(asking("What?", {"const": {"a": [1, "two"]}})).result()
    assert json.loads(done.text) == {"a": [1, "two"]}
    assert done.finish_reason == "stop"
    usage = done.facts.usage
    assert read_by_batch(recorder)[-1] == usage.prompt_tokens - usage.cached_tokens + usage.completion_tokens
    engine.lock.call(engine.model.core.check_integrity).result(timeout=60)
    again = await engine.submit(asking("What?", {"const": {"a": [1, "two"]}})).result()
    assert again.text == done.text
    assert again.facts.usage.cached_tokens > usage.cached_tokens


async def test_every_answer_is_valid(engine: Engine) -> None:
    """Schemas and samplers of many kinds at once: each answer is complete and valid, and says it stopped."""
    samplers = (
        SamplingParams(temperature=1.5, seed=1, typical_p=0.5),
        SamplingParams(temperature=0.8, seed=2, min_p=0.05, top_k=40, repeat_penalty=1.3),
        GREEDY,
    )
    names = ("any object", "a tree", "formats", "choices", "a long string", "either", "a map", "a code", "definitions")
    requests = [
        asking(f"Give an example of {name}.", SCHEMAS[name], max_tokens=64, user=name, sampling=sampling)
        for name, sampling in zip(names, itertools.cycle(samplers), strict=False)
    ]
    results = await asyncio.gather(*(engine.submit(request).result() for request in requests))
    for name, done in zip(names, results, strict=True):
        jsonschema.validate(json.loads(done.text), SCHEMAS[name])
        assert done.finish_reason == "stop"
        assert done.facts.usage.completion_tokens <= 64


async def test_too_little_room_is_refused(engine: Engine) -> None:
    """A value that cannot be completed is refused before anything is written, and the engine goes on."""
    with pytest.raises(InvalidRequestError, match=r"at least \d+ tokens, and there is room for 4"):
        await engine.submit(asking("Jason is 25", max_tokens=4)).result()
    assert (await engine.submit(asking("Jason is 25", max_tokens=12)).result()).finish_reason == "stop"


async def test_a_cut_is_a_cut(engine: Engine) -> None:
    """Without the promise of an end the answer stops at its length, and says so."""
    done = await engine.submit(asking("Jason is 25", max_tokens=4, always_complete=False)).result()
    assert done.finish_reason == "length"
    assert done.facts.usage.completion_tokens == 4
    assert done.text.startswith('{"name"')


@pytest.mark.parametrize("name", ["uniqueItems", "does not exist"])
async def test_a_schema_that_cannot_be_kept_is_refused(engine: Engine, name: str) -> None:
    """The refusal reaches whoever asked, with the name of what is in the way."""
    with pytest.raises(InvalidRequestError, match=name):
        await engine.submit(asking("Jason is 25", REFUSED[name])).result()


async def test_stop_strings_and_promises_do_not_go_together(engine: Engine) -> None:
    """A stop string may cut an answer that may be cut, and no other."""
    with pytest.raises(InvalidRequestError, match="stop string"):
        await engine.submit(asking("Jason is 25", stop=("a",))).result()
    done = await engine.submit(asking("Jason is 25", stop=("name",), always_complete=False)).result()
    assert done.text == '{"'


async def test_a_wrong_bias_fails_that_request_only(engine: Engine) -> None:
    """A token id that the model has not got is refused, and the next request is served."""
    wrong = SamplingParams(logit_bias={99_999_999: 1.0})
    with pytest.raises(InvalidRequestError, match="99999999"):
        await engine.submit(asking("Jason is 25", sampling=wrong)).result()
    await engine.submit(asking("Jason is 25")).result()


async def test_deltas_are_the_text(engine: Engine) -> None:
    """A constrained reply streams like any other."""
    events = [event async for event in engine.submit(asking("Extract as JSON: Maria, 31"))]
    assert "".join(event.text for event in events[:-1] if isinstance(event, GenerationDelta)) == events[-1].text  # type: ignore[union-attr]


async def test_cancelling_in_the_middle_leaves_order(engine: Engine) -> None:
    """A constrained reply that is cancelled gives everything back; the fixture checks the books."""
    generation = engine.submit(
        asking("Tell everything.", {"type": "array", "items": {"type": "string"}}, max_tokens=None)
    )
    async for event in generation:
        if isinstance(event, GenerationDelta) and event.text.count(",") > 0:
            generation.cancel()


async def test_a_thought_comes_first(tmp_path: Path) -> None:
    """A model that thinks does so freely; its answer is held to the schema, and always has room."""
    engine = await Engine.start(
        ModelSettings(chat_template=THINKING_TEMPLATE), ENGINE_SETTINGS, cache_dir=tmp_path, notify=lambda _: None
    )
    no_end = SamplingParams(temperature=0, logit_bias={2: -100.0})
    thinking = asking("Extract as JSON: Jason is 25 years old", max_tokens=80, reasoning="show", sampling=no_end)
    results = [
        await engine.submit(replace(thinking, reasoning_budget=budget, max_tokens=most)).result()
        for budget, most in ((8, 80), (400, 80), (None, 60))
    ]
    await engine.aclose()
    for done in results:
        assert done.reasoning
        jsonschema.validate(json.loads(done.text), PERSON)
