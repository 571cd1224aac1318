"""Function calls by the real engine, with a model that was never taught any."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.engine.engine import Engine
from bot.errors import InvalidRequestError
from bot.extraction import Example, Extractor, Schema
from bot.extraction.validation import Validation
from bot.request import (
    ChatMessage,
    GenerationDelta,
    GenerationDone,
    GenerationRequest,
    GenerationToolCall,
    JsonConstraint,
    SamplingParams,
    ToolCall,
    ToolSpec,
)
from bot.settings import ModelSettings
from bot.settings.extraction import ExtractionSettings
from tests.support.real_engine import ENGINE_SETTINGS, Recorder

PLACE = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}}, "required": ["city"]}
PLACE |= {"additionalProperties": False}
WEATHER = ToolSpec(name="get_weather", description="Tells the weather in a city.", parameters=PLACE)
CLOCK = ToolSpec(name="get_time", description="Tells the time in a city.", parameters=PLACE)
QUESTION = ChatMessage(role="user", content="What is the weather in Rome?")


def asking(*messages: ChatMessage, **more: Any) -> GenerationRequest:
    """A greedy request with two functions."""
    given = {
        "user": "ann",
        "sampling": SamplingParams(temperature=0),
        "max_tokens": 60,
        "tools": (WEATHER, CLOCK),
        **more,
    }
    return GenerationRequest(messages=messages or (QUESTION,), **given)


async def test_a_forced_call_is_the_one_that_was_asked_for(engine: Engine, recorder: Recorder) -> None:
    """Its name and everything certain is written without asking the model; no text of it is shown."""
    request = asking(tool_choice="required", forced_tool="get_weather")
    events = [event async for event in engine.submit(request)]
    done = events[-1]
    assert isinstance(done, GenerationDone)
    assert done.finish_reason == "tool_calls"
    assert done.text == ""
    assert [event.call for event in events if isinstance(event, GenerationToolCall)] == list(done.tool_calls)
    assert not [event for event in events if isinstance(event, GenerationDelta)]
    (call,) = done.tool_calls
    assert call.name == "get_weather"
    assert "Rome" in json.loads(call.arguments)["city"]
    assert len(recorder.batches) < done.facts.usage.completion_tokens


async def test_required_calls_are_valid(engine: Engine) -> None:
    """Whatever the model would rather say, at a high temperature too, it calls what there is, with valid arguments."""
    for seed in range(3):
        sampling = SamplingParams(temperature=1.3, seed=seed)
        done = await engine.submit(
            asking(tool_choice="required", sampling=sampling, parallel_tool_calls=False, max_tokens=100)
        ).result()
        (call,) = done.tool_calls
        assert call.name in {"get_weather", "get_time"}
        jsonschema.validate(json.loads(call.arguments), PLACE)


async def test_a_call_begins_where_the_model_begins_one(engine: Engine) -> None:
    """With a free choice the model writes what it likes; once it opens a call, that is a valid one, and hidden."""
    free = await engine.submit(asking(ChatMessage(role="user", content="Say hello."), max_tokens=12)).result()
    assert free.text
    assert free.finish_reason != "tool_calls"
    talk = []
    for number, city in enumerate(("Paris", "Oslo", "Bern")):
        call = ToolCall(id=str(number), name="get_weather", arguments=json.dumps({"city": city}))
        talk += [
            ChatMessage(role="user", content=f"What is the weather in {city}?"),
            ChatMessage(role="assistant", content="", tool_calls=(call,)),
            ChatMessage(role="tool", content="Sunny.", tool_call_id=call.id),
            ChatMessage(role="assistant", content="It is sunny."),
        ]
    done = await engine.submit(asking(*talk, QUESTION, parallel_tool_calls=False)).result()
    assert done.finish_reason == "tool_calls"
    assert done.text == ""
    assert [call.name for call in done.tool_calls] == ["get_weather"]
    assert json.loads(done.tool_calls[0].arguments) == {"city": "Rome"}


async def test_none_tells_of_no_tools(engine: Engine) -> None:
    """Tools that must not be called are not in the prompt."""
    without = await engine.submit(asking(tools=())).result()
    none = await engine.submit(asking(tool_choice="none")).result()
    assert none.facts.usage.prompt_tokens == without.facts.usage.prompt_tokens
    assert none.text == without.text


async def test_a_cut_call_is_no_call(engine: Engine) -> None:
    """Where the room ends inside of a call, nothing is called, and the reply says why it ended."""
    done = await engine.submit(asking(tool_choice="required", max_tokens=8)).result()
    assert (done.tool_calls, done.finish_reason, done.text) == ((), "length", "")


async def test_results_go_back_and_the_start_is_cached(engine: Engine) -> None:
    """The next request, with call and result, evaluates only what is new."""
    first = await engine.submit(asking(tool_choice="required", forced_tool="get_weather")).result()
    (call,) = first.tool_calls
    talk = (
        QUESTION,
        ChatMessage(role="assistant", content="", tool_calls=(call,)),
        ChatMessage(role="tool", content="Sunny, 31 degrees.", tool_call_id=call.id),
    )
    second = await engine.submit(asking(*talk)).result()
    assert second.facts.usage.cached_tokens > first.facts.usage.prompt_tokens - 5
    assert second.text or second.tool_calls


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (asking(constraint=JsonConstraint(schema={})), "do not go together"),
        (asking(tools=(WEATHER, WEATHER)), "same name"),
        (asking(tools=(), tool_choice="required"), "there is none"),
        (asking(tool_choice="required", forced_tool="get_rich"), "get_rich"),
        (asking(forced_tool="get_time"), "required"),
        (asking(tools=(ToolSpec(name="a b"),)), "a b"),
        (asking(forced_arguments=JsonConstraint(schema=PLACE)), "only of a tool that is"),
        (
            asking(
                tool_choice="required",
                forced_tool="get_time",
                forced_arguments=JsonConstraint(schema=PLACE, always_complete=True),
                stop=("x",),
            ),
            "stop string",
        ),
        (asking(tools=(ToolSpec(name="odd", parameters={"properties": {"x": {"not": {}}}}),)), r"Tool odd: .*not"),
        (asking(tools=(ToolSpec(name="odd", parameters={"type": "string"}),)), "Tool odd: .*object"),
    ],
)
async def test_what_makes_no_sense_is_refused(engine: Engine, wrong: GenerationRequest, reason: str) -> None:
    """Each mistake is told, with the tool it is about."""
    with pytest.raises(InvalidRequestError, match=reason):
        await engine.submit(wrong).result()


async def test_arguments_that_are_not_json_are_refused(engine: Engine) -> None:
    """A history with a broken call fails that request."""
    broken = ChatMessage(role="assistant", content="", tool_calls=(ToolCall(id="1", name="x", arguments="{"),))
    with pytest.raises(InvalidRequestError, match="not JSON"):
        await engine.submit(asking(QUESTION, broken, QUESTION)).result()


@pytest.mark.parametrize("name", ["hermes", "llama3", "mistral", "mistral-named", "functionary", "function-tag"])
async def test_native_formats_are_written_and_parsed(tmp_path: Path, name: str) -> None:
    """With a template that knows tools, calls come in its own format, and are understood; extraction is one, too."""
    source = (Path(__file__).parent / "tool_templates" / f"{name}.jinja").read_text()[:-1]
    engine = await Engine.start(
        ModelSettings(chat_template=source), ENGINE_SETTINGS, cache_dir=tmp_path, notify=lambda _: None
    )
    done = await engine.submit(asking(tool_choice="required", forced_tool="get_time")).result()
    free = await engine.submit(asking(max_tokens=12)).result()
    extractor = Extractor(engine, ExtractionSettings(max_string=8, max_items=1))
    told = Example(text="I am Ann from Bonn", value=[{"name": "Ann", "city": "Bonn"}])
    people = replace(Schema.of_short("many name, city?"), examples=(told,))
    found = await extractor.extract(people, "Jason lives in Leeds.")
    engine.lock.call(engine.model.core.check_integrity).result(timeout=60)
    await engine.aclose()
    (call,) = done.tool_calls
    assert call.name == "get_time"
    jsonschema.validate(json.loads(call.arguments), PLACE)
    assert done.text == ""
    assert not free.text.startswith(("all\n", "{"))
    assert engine.status().knows_tools
    assert Validation(people.answer).problem(found.value) is None
    assert isinstance(found.value, list)
