"""Replies that must be JSON by a schema: token by token, whatever the model would like."""

import json
from typing import Any

import jsonschema
import numpy as np
import pytest

from bot.engine.constraint import Constraint
from bot.engine.grammar import Grammar
from bot.engine.tool_format import TOOL_FORMATS, ToolFormat
from bot.engine.tool_parser import ToolParser
from bot.engine.vocabulary import Vocabulary
from bot.errors import InvalidRequestError, RequestError
from bot.request import GenerationRequest, JsonConstraint, ToolSpec
from tests.support.json_schemas import PERSON, REFUSED, SCHEMAS


class Writer:
    """Follows a constraint as the engine does, with a model that chooses at random or wants to open everything."""

    def __init__(self, vocabulary: Vocabulary, seed: int) -> None:
        self._vocabulary = vocabulary
        self._random = np.random.default_rng(seed)
        self._favourites = [vocabulary.tokenize(text)[0] for text in (b"{", b"[", b",", b'"', b"-")] if seed else []

    def write(self, constraint: Constraint, room: int) -> bytes | None:
        """What it wrote; None where the room was not enough for an end."""
        tokens = constraint.begin()
        while not constraint.ended:
            if len(tokens) >= room:
                return self._text(tokens) if constraint.complete else None
            token = self._choose(constraint)
            if self._vocabulary.is_end(token):
                break
            tokens += constraint.take(token, room - len(tokens))
        assert len(tokens) <= room
        return self._text(tokens)

    def _choose(self, constraint: Constraint) -> int:
        logits = self._random.standard_normal(self._vocabulary.size).astype(np.float32)
        constraint.mask(logits)
        token = int(logits.argmax())
        assert constraint.allows(token)
        return next((each for each in self._favourites if constraint.allows(each)), token)

    def _text(self, tokens: list[int]) -> bytes:
        return b"".join(map(self._vocabulary.piece, tokens))


def assert_valid(text: bytes | None, schema: Any) -> None:
    """It is JSON, and what the schema says."""
    assert text is not None
    jsonschema.validate(json.loads(text), schema)


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("extra", [0, 1, 7, 60])
def test_a_value_is_closed_in_time(grammar: Grammar, vocabulary: Vocabulary, name: str, extra: int) -> None:
    """However little room there is above the least, and whatever the model wants, a complete valid value comes out."""
    schema = SCHEMAS[name]
    for seed in range(2):
        constraint = grammar.json(JsonConstraint(schema=schema, always_complete=True))
        room = constraint.least_tokens + extra
        assert_valid(Writer(vocabulary, seed).write(constraint, room), schema)


@pytest.mark.parametrize("known", TOOL_FORMATS, ids=[known.signature for known in TOOL_FORMATS])
def test_a_forced_call_is_closed_in_time(grammar: Grammar, vocabulary: Vocabulary, known: ToolFormat) -> None:
    """In every family's way to write one: whatever the model wants, one complete call with valid arguments."""
    tool = ToolSpec(name="person", parameters={"type": "object"})
    wanted = JsonConstraint(schema=PERSON, always_complete=True)
    request = GenerationRequest(
        messages=(), user="", tools=(tool,), tool_choice="required", forced_tool="person", forced_arguments=wanted
    )
    for extra in (0, 3, 40):
        for seed in range(2):
            constraint = grammar.tools(request, known)
            text = Writer(vocabulary, seed).write(constraint, constraint.least_tokens + extra)
            assert text is not None
            parser = ToolParser(known, required=True)
            if known.begin and not known.begun_by_prompt:
                assert text.startswith(known.begin.encode())
            parsed = [parser.feed(text.decode()), parser.flush()]
            (call,) = [each for part in parsed for each in part.calls]
            assert call.name == "person"
            jsonschema.validate(json.loads(call.arguments), PERSON)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_value_that_ends_is_valid(grammar: Grammar, vocabulary: Vocabulary, name: str) -> None:
    """Where the value may be cut, it is valid whenever it was not."""
    schema = SCHEMAS[name]
    for seed in range(2):
        text = Writer(vocabulary, seed).write(grammar.json(JsonConstraint(schema=schema)), 200)
        if text is not None:
            assert_valid(text, schema)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_guaranteed_is_refused(grammar: Grammar, name: str) -> None:
    """The refusal names what is in the way, and nothing is weakened in silence."""
    with pytest.raises(InvalidRequestError, match=name):
        grammar.json(JsonConstraint(schema=REFUSED[name]))


def test_a_value_without_an_end_is_refused(grammar: Grammar) -> None:
    """A schema that only an endless value fits cannot be completed."""
    endless = {"type": "object", "properties": {"again": {"$ref": "#"}}, "required": ["again"]}
    with pytest.raises(InvalidRequestError, match="no value that is short enough"):
        grammar.json(JsonConstraint(schema=endless, always_complete=True))


class Stutterer(Writer):
    """Wants the same token again and again."""

    def __init__(self, vocabulary: Vocabulary, text: bytes) -> None:
        super().__init__(vocabulary, 0)
        self._wanted = vocabulary.tokenize(text)[0]

    def _choose(self, constraint: Constraint) -> int:
        logits = np.zeros(self._vocabulary.size, dtype=np.float32)
        logits[self._wanted] = 1
        constraint.mask(logits)
        return int(logits.argmax())


@pytest.mark.parametrize("text", [b" ", b"1", b"ha"])
def test_a_string_that_goes_round_in_circles_is_ended(grammar: Grammar, vocabulary: Vocabulary, text: bytes) -> None:
    """Where it is copied from a text that does not do so, and may end."""
    schema = {"type": "array", "items": {"type": "string", "maxLength": 300}, "minItems": 1, "maxItems": 1}
    longest = {}
    for copied_from in ("", "Otto has 11 hats.", f"He said: {text.decode() * 300}"):
        wanted = JsonConstraint(schema=schema, always_complete=True, copied_from=copied_from)
        written = Stutterer(vocabulary, text).write(grammar.json(wanted), 400)
        assert_valid(written, schema)
        longest[copied_from] = len(json.loads(written or b"")[0])
    free, bound, copied = longest.values()
    assert free > 250
    assert copied > 250
    assert bound < 60


@pytest.mark.parametrize("schema", [{"minLength": 100}, {"format": "email"}, {"pattern": "^1+(done|ended)$"}])
def test_a_string_that_may_not_end_yet_goes_on(
    grammar: Grammar, vocabulary: Vocabulary, schema: dict[str, Any]
) -> None:
    """What the schema asks for comes first."""
    schema = {"type": "string", "maxLength": 200, **schema}
    wanted = JsonConstraint(schema=schema, always_complete=True, copied_from="Otto")
    assert_valid(Stutterer(vocabulary, b"1").write(grammar.json(wanted), 400), schema)


UNWRITABLE = "a\U00087d2ab"
"""The demo model's vocabulary lacks this character's first byte."""


def test_what_the_vocabulary_lacks_is_left_out_where_it_may_be(grammar: Grammar, vocabulary: Vocabulary) -> None:
    """A choice that cannot be written to its end is taken back, whatever the model wants."""
    lacking = {"const": UNWRITABLE}
    schema = {"type": "array", "items": {"anyOf": [lacking, {"type": "array", "items": lacking, "maxItems": 1}]}}
    for seed in range(4):
        constraint = grammar.json(JsonConstraint(schema=schema | {"minItems": 1, "maxItems": 3}, always_complete=True))
        assert_valid(Writer(vocabulary, seed).write(constraint, 60), schema)


def test_a_way_to_the_end_is_found_around_what_the_vocabulary_lacks(grammar: Grammar, vocabulary: Vocabulary) -> None:
    """Where the first choices lead nowhere, others are tried."""
    absent = {"enum": [None, "+" + UNWRITABLE, UNWRITABLE]}
    names = ["a", "b", "c"]
    schema = {"type": "object", "properties": dict.fromkeys(names, absent), "required": names}
    for seed in range(2):
        constraint = grammar.json(JsonConstraint(schema=schema, always_complete=True))
        assert_valid(Writer(vocabulary, seed).write(constraint, constraint.least_tokens), schema)


def test_what_the_vocabulary_lacks_is_refused_where_it_must_be_written(grammar: Grammar) -> None:
    """Before the model begins."""
    with pytest.raises(InvalidRequestError, match="characters"):
        grammar.json(JsonConstraint(schema={"const": UNWRITABLE}, always_complete=True))


def test_what_the_vocabulary_lacks_ends_a_reply_that_may_be_cut(grammar: Grammar, vocabulary: Vocabulary) -> None:
    """With an error in place of some token that the schema does not allow."""
    with pytest.raises(RequestError, match="required form"):
        Writer(vocabulary, 0).write(grammar.json(JsonConstraint(schema={"const": UNWRITABLE})), 60)


def test_what_is_certain_comes_without_asking_the_model(grammar: Grammar, vocabulary: Vocabulary) -> None:
    """The brace and the first key are there before the model says anything, and keys follow values."""
    constraint = grammar.json(JsonConstraint(schema=PERSON))
    text = b"".join(map(vocabulary.piece, constraint.begin()))
    assert text.startswith(b'{"na')
    for token in vocabulary.tokenize(b'{"name":"Jason",')[len(vocabulary.tokenize(text)) :]:
        text += b"".join(map(vocabulary.piece, constraint.take(token, 100)))
    assert text.startswith(b'{"name":"Jason","ag')


def test_the_model_may_not_write_blanks_or_halves_of_characters(grammar: Grammar, vocabulary: Vocabulary) -> None:
    """White space between values and escapes of half characters are never possible."""
    constraint = grammar.json(JsonConstraint(schema={"type": "array", "items": {"type": "string"}}))
    constraint.begin()
    (blank,) = vocabulary.tokenize(b" ")
    (line,) = vocabulary.tokenize(b"\n")
    assert not constraint.allows(blank)
    assert not constraint.allows(line)
    constraint.take(vocabulary.tokenize(b'["')[0], 100)
    assert constraint.allows(blank)
    assert constraint.prefix(vocabulary.tokenize(b"a\\ud800")) < len(vocabulary.tokenize(b"a\\ud800"))
