"""Function calls in every known format: what the grammar allows, the parser finds and templates write."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llguidance import LLMatcher

from bot.engine.chat_template import ChatTemplate
from bot.engine.grammar import Grammar
from bot.engine.tool_format import HERMES, TOOL_FORMATS, ToolFormat
from bot.engine.tool_grammar import ToolGrammar
from bot.engine.tool_parser import ToolParser
from bot.engine.vocabulary import Vocabulary
from bot.request import ChatMessage, ToolCall, ToolSpec

TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}
NAMES = [known.signature for known in TOOL_FORMATS]
CITY = {"type": "object", "properties": {"city": {"$ref": "#/$defs/city"}}, "required": ["city"]}
CITY |= {"additionalProperties": False, "$defs": {"city": {"type": "string"}}}
TOOLS = [("weather", CITY), ("weather_tomorrow", CITY), ("now", {"type": "object", "additionalProperties": False})]


def reply(known: ToolFormat, calls: list[tuple[str, dict[str, Any]]], content: str = "") -> str:
    """What a model of that format writes."""
    if not calls:
        return f"{known.content_name}{known.middle}{content}" if known.begun_by_prompt else content
    if known.shape == "array":
        inside = ", ".join(f"{known.head(name)}{json.dumps(given, ensure_ascii=False)}}}" for name, given in calls)
        return f"{content}{known.begin}[{inside}]"
    text = known.gap.join(known.written(name, given) for name, given in calls)
    if known.begun_by_prompt:
        return f"all\n{content}{text}" if content else text.removeprefix(known.begin)
    return content + text


def found(known: ToolFormat, pieces: list[str]) -> tuple[str, list[tuple[str, Any]]]:
    """What the parser makes of a reply in pieces."""
    parser = ToolParser(known)
    parts = [*map(parser.feed, pieces), parser.flush()]
    calls = [(call.name, json.loads(call.arguments)) for part in parts for call in part.calls]
    return "".join(part.content for part in parts), calls


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
arguments = st.dictionaries(
    texts, texts | st.integers() | st.lists(st.booleans()) | st.just('</tool_call>\\"'), max_size=3
)


@pytest.mark.parametrize("known", TOOL_FORMATS, ids=NAMES)
@settings(max_examples=60)
@given(
    calls=st.lists(st.tuples(st.sampled_from(["now", "weather"]), arguments), max_size=3),
    content=st.sampled_from(["", "Let me look.", "1 < 2 [so"]),
    cuts=st.lists(st.integers(0, 200), max_size=6),
)
def test_any_division_gives_the_same_calls(
    known: ToolFormat, calls: list[tuple[str, dict[str, Any]]], content: str, cuts: list[int]
) -> None:
    """Content and calls are told apart wherever the reply is cut into pieces, and arguments may hold any text."""
    if not known.several:
        calls = calls[:1]
    if calls and not known.begin:
        content = ""
    text = reply(known, calls, content)
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(places)]
    assert found(known, pieces) == (content, calls)


@pytest.mark.parametrize("known", TOOL_FORMATS, ids=NAMES)
def test_an_unfinished_call_is_in_no_text(known: ToolFormat) -> None:
    """A call that the room cut off is neither shown nor called."""
    text = reply(known, [("weather", {"city": "Rome"})])
    for end in range(len(known.begin) + 10, len(text) - len(known.end) - 2):
        content, calls = found(known, [text[:end]])
        assert calls == []
        assert "weather" not in content


@pytest.mark.parametrize("known", TOOL_FORMATS, ids=NAMES)
@pytest.mark.parametrize("required", [True, False])
def test_the_grammar_allows_what_the_format_writes(
    grammar: Grammar, vocabulary: Vocabulary, known: ToolFormat, required: bool
) -> None:
    """Calls of known functions with valid arguments pass, alone and together; unknown names and wrong types do not."""
    source = ToolGrammar(known, vocabulary).source(TOOLS, required=required, several=True)
    rome = ("weather", {"city": "Rome"})

    def passes(calls: list[tuple[str, dict[str, Any]]], content: str = "") -> bool:
        matcher = grammar._matcher(LLMatcher.grammar_from_lark(source))
        tokens = [*vocabulary.tokenize(reply(known, calls, content).encode()), vocabulary.end_tokens[0]]
        return matcher.validate_tokens(tokens) == len(tokens)

    assert passes([rome])
    assert passes([("weather_tomorrow", {"city": 'a "quoted" town'})])
    assert passes([("now", {})])
    assert passes([rome, ("now", {})]) == known.several
    assert not passes([("forecast", {"city": "Rome"})])
    assert not passes([("weather", {"city": 5})])
    assert not passes([("weather", {})])
    assert passes([], "Hello there.") != required
    if known.begin and not known.begun_by_prompt:
        assert passes([rome], "Let me see. ") != required


@pytest.mark.parametrize("known", TOOL_FORMATS, ids=NAMES)
def test_one_call_is_one_call(grammar: Grammar, vocabulary: Vocabulary, known: ToolFormat) -> None:
    """Where calls must not be parallel, nothing can follow the first."""
    source = ToolGrammar(known, vocabulary).source(TOOLS, required=True, several=False)
    matcher = grammar._matcher(LLMatcher.grammar_from_lark(source))
    tokens = vocabulary.tokenize(reply(known, [("now", {})]).encode())
    assert matcher.consume_tokens(tokens)
    assert matcher.is_stopped()


TALK = [
    ChatMessage(role="system", content="Be brief."),
    ChatMessage(role="user", content="Weather in Rome?"),
    ChatMessage(
        role="assistant",
        content="",
        tool_calls=(
            ToolCall(id="call_1", name="weather", arguments='{"city": "Rome"}'),
            ToolCall(id="call_2", name="now", arguments="{}"),
        ),
    ),
    ChatMessage(role="tool", content="sunny <|im_end|>", tool_call_id="call_1"),
    ChatMessage(role="tool", content="12:00", tool_call_id="call_2"),
    ChatMessage(role="user", content="Thanks"),
]
SPECS = [ToolSpec(name="weather", description="Tells the weather.", parameters=CITY), ToolSpec(name="now")]
NATIVE = {path.stem: path.read_text()[:-1] for path in (Path(__file__).parent / "tool_templates").glob("*.jinja")}
EXPECTED = {"hermes": 0, "mistral-named": 1, "mistral": 2, "functionary": 3, "function-tag": 4, "llama3": 5}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_format_of_a_template_is_recognised(name: str) -> None:
    """A template that writes functions, calls and results is used for them, and tells how the model writes calls."""
    template = ChatTemplate(NATIVE[name], control_texts=["<|im_end|>"])
    assert template.tool_format is TOOL_FORMATS[EXPECTED[name]]
    talk = [
        each
        if not each.tool_calls or template.tool_format.several
        else ChatMessage(role="assistant", content="", tool_calls=each.tool_calls[:1])
        for each in TALK
    ]
    prompt = template.render(talk, tools=SPECS)
    for text in ("Be brief.", "Tells the weather.", "Weather in Rome?", '"city"', '"Rome"', "sunny", "12:00", "Thanks"):
        assert text in prompt
    assert "sunny <|im_end|>" not in prompt
    assert "<tools>" not in prompt
    assert "Tells the weather." not in template.render(talk)
    before = template.render(talk[:2], tools=SPECS)
    assert prompt.startswith(
        before.removesuffix(template.tool_format.begin) if template.tool_format.begun_by_prompt else before
    )


@pytest.mark.parametrize("name", ["chatml", "gemma", "mistral-v1", "llama2", "qwen2.5"])
def test_templates_without_tools_are_told_in_words(name: str) -> None:
    """Functions are described in the system prompt, calls and results become text, and nothing gets lost."""
    source = (Path(__file__).parent / "templates" / f"{name}.jinja").read_text()[:-1]
    template = ChatTemplate(source, **TOKENS)
    assert template.tool_format is HERMES
    prompt = template.render(TALK, tools=SPECS)
    places = [
        prompt.find(text)
        for text in (
            "Be brief.",
            '{"name": "weather", "description": "Tells the weather."',
            '<tool_call>\n{"name": "NAME", "arguments": ',
            "Weather in Rome?",
            '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>',
            '<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>',
            "<tool_response>\nsunny",
            "<tool_response>\n12:00",
            "Thanks",
        )
    ]
    assert -1 not in places
    assert places == sorted(places)
    assert "<tools>" not in template.render(TALK)


def test_ids_of_calls_are_what_templates_insist_on() -> None:
    """Nine letters or digits, ours and those of others."""
    call = ToolParser(HERMES)
    (made,) = call.feed(HERMES.written("now", {})).calls
    assert re.fullmatch(r"[A-Za-z0-9]{9}", made.id)
    ids = re.findall(r'"id": "([^"]*)"', ChatTemplate(NATIVE["mistral"]).render(TALK, tools=SPECS))
    assert len(ids) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9]{9}", each) for each in ids)
