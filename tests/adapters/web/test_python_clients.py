"""Programs and libraries in Python that speak OpenAI's API, over a real socket, with their own ways of asking."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import instructor
import openai
import pytest
from instructor.core import InstructorRetryException
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI
from pydantic import BaseModel, SecretStr

from adapters.web import WebAdapter
from bot.errors import QueueFullError
from bot.request import GenerationRequest, ToolCall
from tests.support.scripted_engine import ScriptedEngine
from tests.support.web_client import web

ROME = ToolCall(id="call_1", name="weather", arguments='{"place": "Rome"}')


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


@tool
def weather(place: str) -> str:
    """The weather of a place."""
    return f"sunny in {place}"


@pytest.fixture
def model() -> ScriptedEngine:
    """A model that says what it is told to."""
    return ScriptedEngine(n_ctx=4096)


@pytest.fixture
async def adapter(model: ScriptedEngine) -> AsyncIterator[WebAdapter]:
    """The server."""
    async with web(model, api_keys={"laptop": {"key": "k" * 32}}) as adapter:
        yield adapter


@pytest.fixture
def langchain(adapter: WebAdapter) -> ChatOpenAI:
    """LangChain's chat model."""
    return ChatOpenAI(
        model="hearthbot", base_url=f"{adapter.url}/v1", api_key=SecretStr("k" * 32), max_retries=0, temperature=0.5
    )


async def test_langchain_chats_and_streams(langchain: ChatOpenAI, model: ScriptedEngine) -> None:
    """Whole and in pieces, with the usage."""
    answer = await langchain.ainvoke([HumanMessage("Hello you")])
    assert answer.content == "re: Hello you"
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] == 3
    model.enqueue("Good ", "evening!")
    assert "".join([str(chunk.content) async for chunk in langchain.astream("Hello")]) == "Good evening!"


@pytest.mark.parametrize("choice", ["auto", "any", "weather"])
async def test_langchain_calls_tools(langchain: ChatOpenAI, model: ScriptedEngine, choice: str) -> None:
    """A call is made, its result is sent back, and the answer follows."""
    model.enqueue(tool_calls=[ROME])
    bound = langchain.bind_tools([weather], tool_choice=choice)
    asked = HumanMessage("Weather in Rome?")
    called = await bound.ainvoke([asked])
    assert isinstance(called, AIMessage)
    assert called.tool_calls[0]["args"] == {"place": "Rome"}
    assert model.history[0].tool_choice == ("auto" if choice == "auto" else "required")
    assert model.history[0].forced_tool == ("weather" if choice == "weather" else None)
    result = ToolMessage(weather.invoke(called.tool_calls[0]["args"]), tool_call_id=called.tool_calls[0]["id"])
    model.enqueue("It is sunny.")
    answer = await langchain.bind_tools([weather]).ainvoke([asked, called, result])
    assert answer.content == "It is sunny."
    assert [message.role for message in model.history[1].messages] == ["user", "assistant", "tool"]


async def test_langchain_may_forbid_tools(langchain: ChatOpenAI, model: ScriptedEngine) -> None:
    """With `none` the model is told of none."""
    answer = await langchain.bind_tools([weather], tool_choice="none").ainvoke("Hello")
    assert answer.content == "re: Hello"
    assert model.history[0].tools == ()


async def test_langchain_is_told_of_errors(langchain: ChatOpenAI, model: ScriptedEngine) -> None:
    """What is wrong and what is full come as the errors that it knows, whole and streamed."""
    with pytest.raises(openai.BadRequestError, match="temperature"):
        await langchain.bind(temperature=9).ainvoke("Hello")
    model.enqueue(refusal=QueueFullError("The line is full."))
    with pytest.raises(openai.RateLimitError, match="The line is full"):
        _ = [chunk async for chunk in langchain.astream("Hello")]


@pytest.mark.parametrize("method", ["json_schema", "json_mode", "function_calling"])
async def test_langchain_gets_objects(langchain: ChatOpenAI, model: ScriptedEngine, method: Any) -> None:
    """Structured output in each of its ways."""
    text = '{"name": "Anna", "age": 7}'
    if method == "function_calling":
        model.enqueue(tool_calls=[ToolCall(id="c", name="Person", arguments=text)])
    else:
        model.enqueue(text)
    assert await langchain.with_structured_output(Person, method=method).ainvoke("Anna is 7") == Person(
        name="Anna", age=7
    )


@pytest.mark.parametrize("mode", [instructor.Mode.TOOLS, instructor.Mode.JSON, instructor.Mode.JSON_SCHEMA])
async def test_instructor_gets_objects(adapter: WebAdapter, model: ScriptedEngine, mode: instructor.Mode) -> None:
    """By a forced tool and by a response format."""

    def answer(request: GenerationRequest) -> str:
        return '{"name": "Anna", "age": 7}'

    model.answer = answer
    if mode is instructor.Mode.TOOLS:
        model.enqueue(tool_calls=[ToolCall(id="c", name="Person", arguments='{"name": "Anna", "age": 7}')])
    async with AsyncOpenAI(base_url=f"{adapter.url}/v1", api_key="k" * 32, max_retries=0) as client:
        asking = instructor.from_openai(client, mode=mode)
        person = await asking.chat.completions.create(
            model="hearthbot",
            messages=[{"role": "user", "content": "Anna is 7"}],
            response_model=Person,
            max_retries=0,
        )
    assert (person.name, person.age) == ("Anna", 7)
    (request,) = model.history
    assert (request.forced_tool == "Person") if mode is instructor.Mode.TOOLS else request.constraint is not None


async def test_instructor_streams_chats_and_is_told_of_errors(adapter: WebAdapter, model: ScriptedEngine) -> None:
    """An object grows while it is written; without a schema it is a plain chat; an error is not tried again."""
    async with AsyncOpenAI(base_url=f"{adapter.url}/v1", api_key="k" * 32, max_retries=0) as client:
        asking = instructor.from_openai(client, mode=instructor.Mode.JSON_SCHEMA)
        asked: dict[str, Any] = {"model": "hearthbot", "messages": [{"role": "user", "content": "Anna is 7"}]}
        model.enqueue('{"name": "An', 'na", "age"', ": 7}")
        pieces = [
            piece.model_dump() async for piece in asking.chat.completions.create_partial(response_model=Person, **asked)
        ]
        assert pieces[-1] == {"name": "Anna", "age": 7}
        assert any(piece["age"] is None for piece in pieces)
        answer = await asking.chat.completions.create(response_model=None, **asked)
        assert answer.choices[0].message.content == "re: Anna is 7"
        asked["temperature"] = 9
        with pytest.raises(InstructorRetryException, match="temperature"):
            await asking.chat.completions.create(response_model=Person, max_retries=0, **asked)
    assert len(model.history) == 2


async def test_llm_on_the_command_line(adapter: WebAdapter, model: ScriptedEngine, tmp_path: Path) -> None:
    """Simon Willison's `llm`, told of the server by a file: prompts, continuing, tools, a schema, an error."""
    (tmp_path / "extra-openai-models.yaml").write_text(
        f"- {{model_id: home, model_name: hearthbot, api_base: {adapter.url}/v1, supports_tools: true, "
        "supports_schema: true, api_key_name: home}\n"
        f"- {{model_id: away, model_name: gpt-9, api_base: {adapter.url}/v1, api_key_name: home}}\n"
    )
    (tmp_path / "keys.json").write_text(json.dumps({"home": "k" * 32}))
    environment = {**os.environ, "LLM_USER_PATH": str(tmp_path)}

    async def llm(*arguments: str, fails: bool = False) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "llm", *arguments, env=environment, stdout=-1, stderr=-1, stdin=-3
        )
        output, errors = await process.communicate()
        assert bool(process.returncode) is fails, errors.decode()
        return (errors if fails else output).decode().strip()

    assert await llm("-m", "home", "Hello you", "-s", "Be kind.") == "re: Hello you"
    assert model.history[-1].messages[0].content == "Be kind."
    assert await llm("-c", "And now?", "--no-stream") == "re: And now?"
    assert [message.role for message in model.history[-1].messages][-3:] == ["user", "assistant", "user"]
    model.enqueue('{"name": "Anna", "age": 7}')
    assert json.loads(await llm("-m", "home", "Who?", "--schema", "name, age int")) == {"name": "Anna", "age": 7}
    assert model.history[-1].constraint is not None
    model.enqueue(tool_calls=[ToolCall(id="c", name="llm_version", arguments="{}")])
    model.enqueue("It is a version.")
    assert await llm("-m", "home", "Which version?", "-T", "llm_version") == "It is a version."
    assert model.history[-1].messages[-1].role == "tool"
    assert "gpt-9" in await llm("-m", "away", "Hello", fails=True)
