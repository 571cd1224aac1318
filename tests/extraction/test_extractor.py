"""The extractor over a scripted model."""

import asyncio
import json
from typing import Any

import pytest

from bot.errors import ExtractionError, InvalidRequestError, QueueFullError
from bot.extraction import Example, Extractor, Schema
from bot.request import GenerationRequest, ToolCall
from bot.settings.extraction import ExtractionSettings
from tests.support.scripted_engine import ScriptedEngine

PERSON = Schema.of_short("name, age int")
LENIENT = Schema.of_short("name, age? int, city?")


def _extractor(engine: ScriptedEngine, **settings: Any) -> Extractor:
    return Extractor(engine, ExtractionSettings.model_validate(settings))


@pytest.fixture
def engine() -> ScriptedEngine:
    """A model with a window of 2,000 words."""
    return ScriptedEngine(n_ctx=2000)


async def test_the_classic(engine: ScriptedEngine) -> None:
    """A sentence becomes a record, and each value knows where it stands."""
    engine.enqueue('{"name": "Jason", "age": 25}')
    found = await _extractor(engine).extract(PERSON, "Jason is 25 years old", user="test:ann")
    assert found.value == {"name": "Jason", "age": 25}
    assert [(each.name, found.text[each.span.start : each.span.end]) for each in found.groundings if each.span] == [
        ("name", "Jason"),
        ("age", "25"),
    ]
    assert found.missing == ()
    assert found.model == "scripted"


async def test_the_model_is_held_to_the_schema_and_told_what_it_copies(engine: ScriptedEngine) -> None:
    """The request is greedy, finite, always complete, and in the person's own place in the line."""
    engine.enqueue('{"name": "Jason", "age": 25}')
    await _extractor(engine).extract(PERSON, "Jason is 25 years old", user="test:ann")
    (request,) = engine.history
    assert request.constraint is not None
    assert request.constraint.always_complete
    assert request.constraint.schema["properties"]["name"]["maxLength"] == 32
    assert request.copied_from.split("\n") == ['"age":25}', "Jason is 25 years old"]
    assert request.sampling.temperature == 0
    assert request.max_tokens is not None
    assert request.max_tokens < 500
    assert request.user == "test:ann"


async def test_the_instructions_are_the_same_for_every_text(engine: ScriptedEngine) -> None:
    """So the engine reads them once: what differs stands at the end."""
    engine.answer = lambda _: '{"name": "a", "age": 1}'
    schema = Schema(
        name="P", record=PERSON.record, instructions="Be exact.", examples=(Example(text="t", value={"name": "n"}),)
    )
    for text in ("one", "two"):
        await _extractor(engine).extract(schema, text)
    first, second = (request.messages for request in engine.history)
    assert first[:-1] == second[:-1]
    assert "Be exact." in first[0].content
    assert [message.content for message in first[1:]] == ["t", '{"name": "n"}', "one"]
    assert len({request.conversation for request in engine.history}) == 1


async def test_a_wrong_answer_is_asked_for_again_with_what_is_wrong(engine: ScriptedEngine) -> None:
    """Formats are checked too, though a grammar cannot know how many days a month has."""
    engine.enqueue('{"day": "2024-02-31"}')
    engine.enqueue('{"day": "2024-02-28"}')
    found = await _extractor(engine).extract(Schema.of_short("day date"), "on 2024-02-28")
    assert found.value == {"day": "2024-02-28"}
    assert found.cost.requests == 2
    assert "'2024-02-31' is not a 'date'" in engine.history[1].messages[-1].content
    assert engine.history[1].messages[:-2] == engine.history[0].messages


async def test_space_around_values_is_taken_off(engine: ScriptedEngine) -> None:
    """Unless the schema wants it."""
    engine.enqueue('{"name": " Jason ", "age": 25}')
    assert (await _extractor(engine).extract(PERSON, "Jason is 25")).value == {"name": "Jason", "age": 25}
    record = {"type": "object", "properties": {"v": {"type": "string", "minLength": 3}}, "required": ["v"]}
    engine.enqueue('{"v": " a "}')
    assert (await _extractor(engine).extract(Schema(name="S", record=record), "a")).value == {"v": " a "}


async def test_two_wrong_answers_are_an_honest_failure(engine: ScriptedEngine) -> None:
    """It says what is wrong and what was found."""
    for _ in range(2):
        engine.enqueue('{"day": "2024-02-31"}')
    with pytest.raises(ExtractionError) as error:
        await _extractor(engine).extract(Schema.of_short("day date"), "x")
    assert "day: '2024-02-31' is not a 'date'" in error.value.user_text
    assert '{"day": "2024-02-31"}' in error.value.user_text


async def test_what_is_optional_and_not_in_the_text_becomes_null(engine: ScriptedEngine) -> None:
    """A required value that is not in the text stays, and is marked."""
    engine.enqueue('{"name": "Bob", "age": 25, "city": "Paris"}')
    found = await _extractor(engine).extract(LENIENT, "He lives in Paris")
    assert found.value == {"name": "Bob", "age": None, "city": "Paris"}
    assert [each.name for each in found.missing] == ["name"]


async def test_an_unknown_value_can_be_an_error(engine: ScriptedEngine) -> None:
    """With `unknown: error` nothing is taken out in silence."""
    engine.enqueue('{"name": "Bob", "age": 25, "city": null}')
    with pytest.raises(ExtractionError, match=r"does not say: age \(25\)"):
        await _extractor(engine, unknown="error").extract(LENIENT, "This is Bob")


async def test_the_model_is_not_asked_for_what_the_text_cannot_have(engine: ScriptedEngine) -> None:
    """A number where there is none is null from the start, unless it is to be an error, or has to be there."""
    engine.answer = lambda _: '{"name": "Bob", "age": null, "city": null}'
    for settings, text in (({}, "This is Bob"), ({"unknown": "error"}, "This is Bob"), ({}, "Bob is 25")):
        await _extractor(engine, **settings).extract(LENIENT, text)
    first, strict, told = (each.constraint.schema["properties"]["age"] for each in engine.history if each.constraint)
    assert first == {"type": "null"}
    assert strict == told != first
    engine.answer = lambda _: '{"name": "Bob", "age": 1}'
    await _extractor(engine).extract(PERSON, "This is Bob")
    last = engine.history[-1].constraint
    assert last is not None
    assert last.schema["properties"]["age"]["type"] == "integer"


async def test_a_property_that_may_be_left_out_is_left_out(engine: ScriptedEngine) -> None:
    """Where a JSON Schema knows no null, the result has the property not at all, and stays valid."""
    record = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name"],
    }
    engine.enqueue('{"name": "Bob", "age": null}')
    engine.enqueue('{"name": "Bob", "age": 5}')
    for _ in range(2):
        found = await _extractor(engine).extract(Schema(name="P", record=record), "This is Bob")
        assert found.value == {"name": "Bob"}
    constraint = engine.history[0].constraint
    assert constraint is not None
    assert constraint.schema["required"] == ["name", "age"]


async def test_a_long_text_is_read_in_parts_and_merged(engine: ScriptedEngine) -> None:
    """Records of all parts, each once, in the order of the text; the progress is told."""

    def answer(request: GenerationRequest) -> str:
        text = request.messages[-1].content
        return json.dumps([{"name": name} for name in ("Ann", "Bob", "Cyd") if name in text])

    engine.answer = answer
    text = "Ann came. " + "Nothing happened. " * 120 + "Bob came. " + "Nothing happened. " * 120 + "Cyd came."
    told: list[tuple[int, int]] = []
    found = await _extractor(engine, chunk_tokens=100).extract(
        Schema.of_short("many name"), text, progress=lambda done, of: told.append((done, of))
    )
    assert found.value == [{"name": "Ann"}, {"name": "Bob"}, {"name": "Cyd"}]
    assert found.missing == ()
    assert found.cost.parts > 3
    assert told[-1] == (found.cost.parts, found.cost.parts)
    assert [done for done, _ in told] == list(range(found.cost.parts + 1))


async def test_parts_are_read_at_the_same_time_but_not_more_than_the_engine_answers(engine: ScriptedEngine) -> None:
    """The first alone, so that the instructions are evaluated once; then two by two, so that the line has room."""
    held = [engine.enqueue('{"name": "a", "age": 1}', held=True) for _ in range(8)]
    task = asyncio.create_task(_extractor(engine, chunk_tokens=64).extract(PERSON, "One two three four. " * 100))
    await held[0].written.wait()
    assert len(engine.history) == 1
    held[0].release()
    await held[1].written.wait()
    await held[2].written.wait()
    assert len(engine.history) == 3
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert held[1].cancelled.is_set()
    assert held[2].cancelled.is_set()


async def test_an_error_of_one_part_ends_the_others(engine: ScriptedEngine) -> None:
    """And comes out as it is."""
    engine.enqueue('{"name": "a", "age": 1}')
    other = engine.enqueue("x", held=True)
    engine.enqueue(refusal=QueueFullError("full"))
    with pytest.raises(QueueFullError):
        await _extractor(engine, chunk_tokens=64).extract(PERSON, "One two three four. " * 100)
    await other.cancelled.wait()


async def test_texts_that_cannot_be_read(engine: ScriptedEngine) -> None:
    """Nothing but control characters is nothing; a schema larger than the window is said to be."""
    with pytest.raises(InvalidRequestError, match="no text"):
        await _extractor(engine).extract(PERSON, " \0\x07\n")
    small = ScriptedEngine(n_ctx=64)
    with pytest.raises(InvalidRequestError, match="too long for this model"):
        await _extractor(small).extract(Schema.of_short(", ".join(f"f{n}: some words" for n in range(40))), "x")


async def test_a_model_that_knows_functions_is_made_to_call_one(engine: ScriptedEngine) -> None:
    """The schema is what it is told of; what it is held to is finite, always complete, and a list where many are."""
    engine.knows_tools = True
    schema = Schema(name="Bill of sale", record=PERSON.record, many=True, instructions="Be exact.")
    wrong = ToolCall(id="1", name="x", arguments='{"records": [{"name": "Jason"}]}')
    engine.enqueue(tool_calls=[wrong])
    engine.enqueue(tool_calls=[ToolCall(id="2", name="x", arguments='{"records": [{"name": "Jason", "age": 25}]}')])
    found = await _extractor(engine).extract(schema, "Jason is 25 years old")
    assert found.value == [{"name": "Jason", "age": 25}]
    assert found.missing == ()
    first, second = engine.history
    (tool,) = first.tools
    assert (first.forced_tool, first.tool_choice, tool.name) == ("Bill_of_sale", "required", "Bill_of_sale")
    assert tool.parameters["properties"]["records"] == {"type": "array", "items": PERSON.record}
    assert first.constraint is None
    assert first.forced_arguments is not None
    assert first.forced_arguments.always_complete
    assert first.forced_arguments.schema["properties"]["records"]["maxItems"] == 2
    assert "Be exact." in first.messages[0].content
    assert [message.content for message in first.messages[1:]] == ["Jason is 25 years old"]
    assert second.messages[:2] == first.messages
    assert second.messages[2].tool_calls[0].arguments == wrong.arguments
    assert "'age' is a required property" in second.messages[3].content


async def test_a_function_counts_where_a_text_must_fit(engine: ScriptedEngine) -> None:
    """A long text is cut so that the function's description fits beside each part."""
    engine.knows_tools = True
    call = ToolCall(id="1", name="record", arguments='{"name": "a", "age": 1}')
    for _ in range(40):
        engine.enqueue(tool_calls=[call])
    found = await _extractor(engine, chunk_tokens=64).extract(PERSON, "One two three four. " * 100)
    assert found.cost.parts > 5
    assert max(engine.counts) > 400
