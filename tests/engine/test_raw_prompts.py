"""Text completion without a template, and the probabilities of tokens."""

import asyncio
import math
from typing import Any

import numpy as np
import pytest

from bot.engine.engine import Engine
from bot.errors import InvalidRequestError
from bot.request import (
    ChatMessage,
    GenerationDelta,
    GenerationDone,
    GenerationRequest,
    JsonConstraint,
    SamplingParams,
    TokenLogprob,
)
from tests.support.real_engine import Recorder

GREEDY = SamplingParams(temperature=0)


def raw(prompt: str, **more: Any) -> GenerationRequest:
    """A request to write a text on."""
    given = {"user": "ann", "sampling": GREEDY, "max_tokens": 12, **more}
    return GenerationRequest(messages=(), prompt=prompt, **given)


async def logprobs_of(engine: Engine, request: GenerationRequest) -> tuple[GenerationDone, list[TokenLogprob]]:
    """The end of a reply, and what was told of its tokens."""
    told: list[TokenLogprob] = []
    async for event in engine.submit(request):
        if isinstance(event, GenerationDelta):
            told += event.logprobs
        if isinstance(event, GenerationDone):
            return event, told
    raise AssertionError


async def test_the_prompt_is_the_text_itself(engine: Engine, recorder: Recorder) -> None:
    """What is evaluated is the text and nothing else; a second time it comes from the cache."""
    text = "Q: What is the capital of Italy?\nA: Rome\n" * 4 + "Q: What is the capital of France?\nA:"
    first = await engine.submit(raw(text, stop=("Q:", "\n"))).result()
    tokens = engine.model.runner.vocabulary.tokenize(text.encode())
    read = [token for batch in recorder.batches for part in batch for token in part.tokens]
    assert read[: len(tokens)] == tokens
    assert first.facts.usage.prompt_tokens == len(tokens)
    assert first.text
    assert "\n" not in first.text
    assert first.finish_reason == "stop"
    again = await engine.submit(raw(text, stop=("Q:", "\n"))).result()
    assert again.facts.usage.cached_tokens == len(tokens) - 1
    assert again.text == first.text


async def test_tags_are_text_there(engine: Engine) -> None:
    """Where there is no chat there are no thoughts: tags that the model writes are shown."""
    (token,) = engine.model.runner.vocabulary.tokenize(b"</")
    always = SamplingParams(temperature=0, logit_bias={token: 100.0})
    done = await engine.submit(raw("<think>\nx", sampling=always, max_tokens=3)).result()
    assert done.text == "</</</"
    assert done.reasoning == ""


@pytest.mark.parametrize(
    "wrong",
    [
        raw("x", continue_final=True),
        raw(""),
        raw("x", logprobs=21),
        raw("x", logprobs=-1),
        GenerationRequest(messages=(ChatMessage(role="user", content="x"),), prompt="x", user="ann"),
    ],
    ids=["continued", "empty", "too many", "negative", "two prompts"],
)
async def test_what_makes_no_sense_is_refused(engine: Engine, wrong: GenerationRequest) -> None:
    """Each mistake is an error, not an option that is ignored."""
    with pytest.raises(InvalidRequestError):
        await engine.submit(wrong).result()


async def test_logprobs_are_those_of_the_model(engine: Engine, recorder: Recorder) -> None:
    """They are taken before the samplers: a biased choice is told with what the model itself thought of it."""
    (token,) = engine.model.runner.vocabulary.tokenize(b" banana")
    biased = SamplingParams(temperature=0, logit_bias={token: 100.0})
    done, told = await logprobs_of(engine, raw("The capital of France is", sampling=biased, logprobs=3, max_tokens=2))
    assert done.text == " banana banana"
    assert [each.token for each in told] == [b" banana", b" banana"]
    (logits, *_), *_ = recorder.logits.values()
    expected = logits[token] - math.log(np.exp(logits.astype(np.float64)).sum())
    assert told[0].logprob == pytest.approx(expected, abs=1e-4)
    assert told[0].top[0].token == b" Paris"
    assert [each.logprob for each in told[0].top] == sorted((each.logprob for each in told[0].top), reverse=True)
    assert len(told[0].top) == 3


async def test_logprobs_cover_the_whole_text(engine: Engine) -> None:
    """The tokens that are told make the text, also where some were certain and others make half a character."""
    requests = [
        raw("Emoji: 🙂🙃🙂🙃", logprobs=0, max_tokens=16),
        raw("Jason is 25. As JSON:", logprobs=2, max_tokens=40, constraint=JsonConstraint(schema={"type": "object"})),
    ]
    for done, told in await asyncio.gather(*(logprobs_of(engine, request) for request in requests)):
        assert b"".join(each.token for each in told).decode(errors="replace") == done.text
        assert all(each.logprob <= 0 for each in told)
