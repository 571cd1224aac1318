"""`/v1/completions` and `/v1/embeddings` with OpenAI's own client over a real socket."""

import openai
import pytest
from openai import AsyncOpenAI

from bot.request import TokenLogprob
from tests.support.scripted_engine import ScriptedEngine


async def test_the_text_completion_that_people_know(client: AsyncOpenAI, model: ScriptedEngine) -> None:
    """`echo`, `stop`, `seed` and `max_tokens` of a question and its answer, with the model left out."""
    model.enqueue(" Mercury, Venus")
    answer = await client.completions.create(
        model=openai.NOT_GIVEN,
        prompt="Q: Name the planets in the solar system? A:",
        max_tokens=32,
        stop=["Q:", "\n"],
        echo=True,
        seed=7,
    )
    assert answer.choices[0].text == "Q: Name the planets in the solar system? A: Mercury, Venus"
    assert answer.choices[0].finish_reason == "stop"
    (request,) = model.history
    assert request.prompt == "Q: Name the planets in the solar system? A:"
    assert (request.max_tokens, request.stop, request.sampling.seed) == (32, ("Q:", "\n"), 7)


async def test_what_is_left_out_is_openai_s(client: AsyncOpenAI, model: ScriptedEngine) -> None:
    """Sixteen tokens, one choice, no echo."""
    answer = await client.completions.create(model="hearthbot", prompt="Once")
    assert [choice.text for choice in answer.choices] == ["re: Once"]
    assert model.history[0].max_tokens == 16


async def test_several_prompts(client: AsyncOpenAI) -> None:
    """Each prompt has its choices, in order, and each is counted."""
    answer = await client.completions.create(model="hearthbot", prompt=["a b", "c"], n=2, echo=True)
    assert [choice.text for choice in answer.choices] == ["a bre: a b", "a bre: a b", "cre: c", "cre: c"]
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 3


async def test_a_stream_has_the_prompt_first(client: AsyncOpenAI, model: ScriptedEngine) -> None:
    """Pieces add up to the text, the last but one has the reason, the last the usage."""
    model.enqueue(" upon", " a time", finish_reason="length")
    stream = await client.completions.create(
        model="hearthbot", prompt="Once", echo=True, stream=True, stream_options={"include_usage": True}
    )
    pieces = [piece async for piece in stream]
    assert "".join(choice.text for piece in pieces for choice in piece.choices) == "Once upon a time"
    assert pieces[-2].choices[0].finish_reason == "length"
    assert pieces[-1].usage is not None
    assert pieces[-1].usage.completion_tokens == 3


async def test_logprobs_are_parallel_lists(client: AsyncOpenAI, model: ScriptedEngine) -> None:
    """Tokens, their probabilities, the likeliest ones and the places in the text."""
    tokens = [
        TokenLogprob(token=b" a", logprob=-0.1, top=(TokenLogprob(token=b" a", logprob=-0.1),)),
        TokenLogprob(token=b" bc", logprob=-0.2),
    ]
    model.enqueue(" a", " bc", logprobs=tokens)
    answer = await client.completions.create(model="hearthbot", prompt="x", logprobs=1)
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.tokens == [" a", " bc"]
    assert logprobs.token_logprobs == [-0.1, -0.2]
    assert logprobs.top_logprobs == [{" a": -0.1}, {}]
    assert logprobs.text_offset == [0, 2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt": [1, 2, 3]},
        {"prompt": ""},
        {"suffix": "x"},
        {"best_of": 3},
        {"logprobs": 6},
        {"echo": True, "logprobs": 1},
        {"prompt": ["x"] * 5, "n": 2},
        {"stream_options": {"include_usage": True}},
    ],
)
async def test_what_is_not_supported_is_refused(
    client: AsyncOpenAI, model: ScriptedEngine, wrong: dict[str, object]
) -> None:
    """The error has OpenAI's shape, and the model is not asked."""
    with pytest.raises(openai.BadRequestError) as caught:
        await client.completions.create(**{"model": "hearthbot", "prompt": "x", **wrong})
    assert caught.value.type == "invalid_request_error"
    assert model.history == []


async def test_embeddings_are_refused_clearly(client: AsyncOpenAI) -> None:
    """A model that writes makes none, and the error says so."""
    with pytest.raises(openai.BadRequestError, match="makes no embeddings") as caught:
        await client.embeddings.create(model="hearthbot", input="Hello")
    assert caught.value.code == "embeddings_not_supported"


async def test_models_are_listed(client: AsyncOpenAI) -> None:
    """The model has its own name, and one that stays the same whichever it is."""
    listed = await client.models.list()
    assert [each.id for each in listed.data] == ["scripted", "hearthbot"]
    assert (await client.models.retrieve("hearthbot")).meta == {"n_ctx": 4096}
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("gpt-9")
