"""`/v1/chat/completions` with OpenAI's own client over a real socket."""

import asyncio
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from bot.errors import PromptTooLongError, QueueFullError
from bot.request import ChatMessage, JsonConstraint, TokenLogprob, ToolCall
from tests.support.scripted_engine import ScriptedEngine
from tests.support.web_client import web

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a place",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
    },
}
HELLO = [{"role": "user", "content": "Hello you"}]


async def test_a_chat_is_answered_whole(client: AsyncOpenAI, model: ScriptedEngine) -> None:
    """The answer has text, reason, usage with cached tokens, and llama-server's timings."""
    model.enqueue("Good ", "evening!", thoughts=("Hm.",))
    answer = await client.chat.completions.create(
        model="hearthbot",
        messages=[{"role": "developer", "content": "Be kind."}, *HELLO],
        temperature=0.5,
        stop=["END"],
        seed=-3,
        max_completion_tokens=50,
        logit_bias={"7": -100},
        presence_penalty=0.5,
        frequency_penalty=0.25,
        user="anna",
        metadata={"a": "b"},
        store=False,
    )
    (choice,) = answer.choices
    assert (choice.message.content, choice.finish_reason) == ("Good evening!", "stop")
    assert choice.message.reasoning_content == "Hm."
    assert answer.model == "scripted"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 2
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 0
    assert answer.timings["predicted_n"] == 2
    (request,) = model.history
    assert request.messages == (
        ChatMessage(role="system", content="Be kind."),
        ChatMessage(role="user", content="Hello you"),
    )
    assert (request.user, request.stop, request.max_tokens) == ("web:local", ("END",), 50)
    assert request.sampling.temperature == 0.5
    assert request.sampling.logit_bias == {7: -100}
    assert (request.sampling.presence_penalty, request.sampling.frequency_penalty) == (0.5, 0.25)
    assert request.sampling.seed == 2**32 - 4
    assert request.reasoning == "show"


async def test_what_the_request_leaves_open_is_as_configured(client: AsyncOpenAI, model: ScriptedEngine) -> None:
    """The owner's sampling holds, and the longest reply."""
    await client.chat.completions.create(model="scripted", messages=HELLO)
    (request,) = model.history
    assert (request.sampling.temperature, request.sampling.min_p, request.max_tokens) == (0.7, 0.05, 512)


async def test_a_stream_comes_in_pieces(client: AsyncOpenAI, model: ScriptedEngine) -> None:
    """Thoughts, text, the reason and, where it was asked for, the usage arrive as chunks of one id."""
    model.enqueue("Good ", "evening!", thoughts=("Hm.",))
    stream = await client.chat.completions.create(
        model="hearthbot", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert len({chunk.id for chunk in chunks}) == 1
    deltas = [chunk.choices[0].delta for chunk in chunks[:-1]]
    assert deltas[0].role == "assistant"
    assert deltas[0].reasoning_content == "Hm."
    assert [delta.content for delta in deltas[1:3]] == ["Good ", "evening!"]
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None, None, None, "stop"]
    assert chunks[-2].timings["cache_n"] == 0
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 2


async def test_several_choices(client: AsyncOpenAI, model: ScriptedEngine) -> None:
    """Each of `n` is a generation with a seed of its own; the prompt is counted once."""
    model.enqueue("one")
    model.enqueue("two")
    answer = await client.chat.completions.create(model="hearthbot", messages=HELLO, n=2, seed=5)
    assert [choice.message.content for choice in answer.choices] == ["one", "two"]
    assert [request.sampling.seed for request in model.history] == [5, 6]
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (5, 2)
    model.enqueue("three", held=True).release()
    stream = await client.chat.completions.create(model="hearthbot", messages=HELLO, n=2, stream=True)
    texts = {0: "", 1: ""}
    async for chunk in stream:
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == {0: "three", 1: "re: Hello you"}


async def test_tools(client: AsyncOpenAI, model: ScriptedEngine) -> None:
    """Calls are given back whole or as a chunk each, and their results are understood in the next request."""
    calls = (
        ToolCall(id="call_1", name="weather", arguments='{"place": "Rome"}'),
        ToolCall(id="call_2", name="weather", arguments='{"place": "Oslo"}'),
    )
    model.enqueue(tool_calls=calls)
    answer = await client.chat.completions.create(
        model="hearthbot", messages=HELLO, tools=[WEATHER], tool_choice="required", parallel_tool_calls=True
    )
    (choice,) = answer.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert choice.message.tool_calls is not None
    assert [each.function.arguments for each in choice.message.tool_calls] == [each.arguments for each in calls]
    request = model.history[-1]
    assert (request.tools[0].name, request.tool_choice, request.parallel_tool_calls) == ("weather", "required", True)

    results = [{"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in calls]
    await client.chat.completions.create(
        model="hearthbot", messages=[*HELLO, choice.message, *results], tools=[WEATHER], tool_choice="none"
    )
    request = model.history[-1]
    assert request.messages[1].tool_calls == calls
    assert request.messages[2] == ChatMessage(role="tool", content="sunny", tool_call_id="call_1")
    assert request.tools == ()
    assert request.conversation is not None

    model.enqueue("Let me see.", tool_calls=calls)
    stream = await client.chat.completions.create(
        model="hearthbot",
        messages=HELLO,
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "weather"}},
        parallel_tool_calls=False,
        stream=True,
    )
    chunks = [chunk async for chunk in stream]
    made = [chunk.choices[0].delta.tool_calls[0] for chunk in chunks if chunk.choices[0].delta.tool_calls]
    assert [(each.index, each.id) for each in made] == [(0, "call_1"), (1, "call_2")]
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    request = model.history[-1]
    assert (request.forced_tool, request.parallel_tool_calls) == ("weather", False)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ("none", ((), "auto", None)),
        ("auto", (("weather",), "auto", None)),
        ("required", (("weather",), "required", None)),
        ({"type": "function", "function": {"name": "weather"}}, (("weather",), "required", "weather")),
    ],
)
async def test_every_choice_of_tools_reaches_the_model(
    client: AsyncOpenAI, model: ScriptedEngine, choice: Any, told: Any, stream: bool
) -> None:
    """What may be called, whether something must be, and what; parallel calls are allowed unless refused."""
    answer = await client.chat.completions.create(
        model="hearthbot", messages=HELLO, tools=[WEATHER], tool_choice=choice, stream=stream
    )
    if stream:
        assert [chunk async for chunk in answer]
    (request,) = model.history
    assert (tuple(each.name for each in request.tools), request.tool_choice, request.forced_tool) == told
    assert request.parallel_tool_calls


async def test_json(client: AsyncOpenAI, model: ScriptedEngine) -> None:
    """Both forms of `response_format` bind the answer to a schema."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    formats = ({"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}})
    for each in formats:
        await client.chat.completions.create(model="hearthbot", messages=HELLO, response_format=each)
    assert [request.constraint for request in model.history] == [
        JsonConstraint(schema={"type": "object"}),
        JsonConstraint(schema=schema),
    ]


async def test_logprobs(client: AsyncOpenAI, model: ScriptedEngine) -> None:
    """Tokens come with their probabilities, whole and streamed."""
    token = TokenLogprob(token=b"Hi", logprob=-0.5, top=(TokenLogprob(token=b"\xc3", logprob=-1.0),))
    for stream in (False, True):
        model.enqueue("Hi", logprobs=[token])
        answer = await client.chat.completions.create(
            model="hearthbot", messages=HELLO, logprobs=True, top_logprobs=1, stream=stream
        )
        choice = (await anext(aiter(answer)) if stream else answer).choices[0]
        assert choice.logprobs is not None
        (content,) = choice.logprobs.content
        assert (content.token, content.logprob, content.bytes) == ("Hi", -0.5, [72, 105])
        assert [(top.token, top.bytes) for top in content.top_logprobs] == [("�", [0xC3])]
    assert [request.logprobs for request in model.history] == [1, 1]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_ends_its_generation(model: ScriptedEngine, stream: bool) -> None:
    """Whether it reads a stream or waits for the whole, closing the connection cancels the request."""
    reply = model.enqueue("Once", held=True)
    async with web(model) as adapter:
        client = AsyncOpenAI(base_url=f"{adapter.url}/v1", api_key="-", max_retries=0)

        async def ask() -> None:
            answer = await client.chat.completions.create(model="hearthbot", messages=HELLO, stream=stream)
            async for _ in answer:
                pass

        asking = asyncio.create_task(ask())
        await reply.written.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await client.close()
        await reply.cancelled.wait()


@pytest.mark.parametrize("stream", [False, True])
async def test_failures_have_their_status(client: AsyncOpenAI, model: ScriptedEngine, stream: bool) -> None:
    """What fails before anything was written is an error of the request, streamed or not."""
    model.enqueue(refusal=QueueFullError("The line is full."))
    with pytest.raises(openai.RateLimitError) as caught:
        await client.chat.completions.create(model="hearthbot", messages=HELLO, stream=stream)
    assert int(caught.value.response.headers["retry-after"]) > 0
    assert caught.value.code == "queue_full"
    model.enqueue(error=PromptTooLongError(5000, 4096))
    with pytest.raises(openai.BadRequestError) as wrong:
        await client.chat.completions.create(model="hearthbot", messages=HELLO, stream=stream)
    assert wrong.value.code == "context_length_exceeded"


async def test_a_stream_that_fails_says_so(client: AsyncOpenAI, model: ScriptedEngine) -> None:
    """After the first piece, an error is an event of the stream."""
    model.enqueue("Once upon", error=QueueFullError("No more."))
    stream = await client.chat.completions.create(model="hearthbot", messages=HELLO, stream=True)
    with pytest.raises(openai.APIError, match=r"No more\."):
        _ = [chunk async for chunk in stream]


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"model": "gpt-9"}, "model"),
        ({"temperature": 9}, "temperature"),
        ({"functions": []}, "functions"),
        ({"store": True}, "store"),
        ({"extra_body": {"grammar": "x"}}, "grammar"),
        ({"tool_choice": "required"}, None),
        ({"n": 100}, "n"),
        ({"top_logprobs": 3}, None),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.0"),
        ({"messages": [{"role": "tool", "tool_call_id": "x", "content": "x"}]}, None),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages.0.content.0.type"),
        ({"tools": [WEATHER], "response_format": {"type": "json_object"}}, None),
    ],
)
async def test_what_is_not_supported_is_refused(
    client: AsyncOpenAI, model: ScriptedEngine, wrong: dict[str, object], param: str | None
) -> None:
    """Never ignored: the error names the field, and the model is not asked."""
    with pytest.raises(openai.APIStatusError) as caught:
        await client.chat.completions.create(**{"model": "hearthbot", "messages": HELLO, **wrong})
    assert caught.value.status_code == (404 if param == "model" else 400)
    assert caught.value.param == param
    assert caught.value.message
    assert model.history == []
