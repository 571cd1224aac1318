"""`/v1/responses` with OpenAI's own client over a real socket."""

import openai
import pytest
from openai import AsyncOpenAI

from bot.errors import QueueFullError
from bot.request import ChatMessage, JsonConstraint, ToolCall
from tests.support.scripted_engine import ScriptedEngine

WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": True}
CALL = ToolCall(id="call_1", name="weather", arguments='{"place": "Rome"}')


async def test_text(client: AsyncOpenAI, model: ScriptedEngine) -> None:
    """Instructions and input are a chat; the answer has text, thoughts and usage."""
    model.enqueue("Good evening!", thoughts=("Hm.",))
    answer = await client.responses.create(model="hearthbot", instructions="Be kind.", input="Hello you", store=False)
    assert (answer.output_text, answer.status) == ("Good evening!", "completed")
    assert [item.type for item in answer.output] == ["reasoning", "message"]
    assert answer.usage is not None
    assert answer.usage.output_tokens == 2
    assert model.history[0].messages == (
        ChatMessage(role="system", content="Be kind."),
        ChatMessage(role="user", content="Hello you"),
    )
    model.enqueue("Good", finish_reason="length")
    answer = await client.responses.create(model="hearthbot", input="Hello", max_output_tokens=1)
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"


async def test_a_stream_adds_up_to_the_response(client: AsyncOpenAI, model: ScriptedEngine) -> None:
    """The official client assembles the events to the same response, and their numbers run on."""
    model.enqueue("Good ", "evening!", thoughts=("Hm.",), tool_calls=[CALL])
    async with client.responses.stream(model="hearthbot", input="Hello", tools=[WEATHER]) as stream:
        events = [event async for event in stream]
        final = await stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "Good evening!"
    assert [item.type for item in final.output] == ["reasoning", "message", "function_call"]
    assert final.output_text == "Good evening!"
    assert final.output[-1].arguments == CALL.arguments


async def test_tools(client: AsyncOpenAI, model: ScriptedEngine) -> None:
    """What was answered can be sent back as it came, with the function's result behind it."""
    model.enqueue("Let me see.", tool_calls=[CALL])
    question = {"role": "user", "content": [{"type": "input_text", "text": "Weather in Rome?"}]}
    answer = await client.responses.create(
        model="hearthbot", input=[question], tools=[WEATHER], tool_choice={"type": "function", "name": "weather"}
    )
    assert model.history[0].forced_tool == "weather"
    result = {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}
    await client.responses.create(
        model="hearthbot", input=[question, *(item.model_dump() for item in answer.output), result], tools=[WEATHER]
    )
    assert model.history[1].messages == (
        ChatMessage(role="user", content="Weather in Rome?"),
        ChatMessage(role="assistant", content="Let me see.", tool_calls=(CALL,)),
        ChatMessage(role="tool", content="sunny", tool_call_id="call_1"),
    )


async def test_json(client: AsyncOpenAI, model: ScriptedEngine) -> None:
    """`text.format` binds the answer to a schema."""
    schema = {"type": "object"}
    await client.responses.create(
        model="hearthbot",
        input="x",
        text={"format": {"type": "json_schema", "name": "a", "schema": schema, "strict": True}},
    )
    assert model.history[0].constraint == JsonConstraint(schema=schema)


async def test_failures(client: AsyncOpenAI, model: ScriptedEngine) -> None:
    """A full line is a 429, and what breaks off a stream is its last event."""
    model.enqueue(refusal=QueueFullError("The line is full."))
    with pytest.raises(openai.RateLimitError):
        await client.responses.create(model="hearthbot", input="x", stream=True)
    model.enqueue("Once", error=QueueFullError("No more."))
    events = [event async for event in await client.responses.create(model="hearthbot", input="x", stream=True)]
    assert events[-1].type == "response.failed"
    assert events[-1].response.error is not None
    assert events[-1].response.error.message == "No more."


@pytest.mark.parametrize(
    "wrong",
    [
        {"store": True},
        {"previous_response_id": "resp_1"},
        {"background": True},
        {"tools": [{"type": "web_search"}]},
        {"input": []},
        {"input": [{"type": "function_call_output", "call_id": "x", "output": "y"}]},
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]},
    ],
)
async def test_what_is_not_supported_is_refused(
    client: AsyncOpenAI, model: ScriptedEngine, wrong: dict[str, object]
) -> None:
    """Nothing is stored here, and nothing is looked up elsewhere: such requests are errors."""
    with pytest.raises(openai.BadRequestError):
        await client.responses.create(**{"model": "hearthbot", "input": "x", **wrong})
    assert model.history == []
