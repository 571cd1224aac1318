"""JSON Schemas of all kinds, and answers that a model that is held to one might give."""

import json
import random
from typing import Any

from hypothesis import strategies as st
from llguidance import LLMatcher, LLTokenizer

_NAMES = st.sampled_from(["name", "age", "größe", "价格", "a b", "x-1", "total_amount", "🙂", "items", "$id", "e'mail"])
_FORMATS = st.sampled_from(["date", "time", "date-time", "email", "uri", "uuid", "ipv4", "hostname", "duration"])
_PATTERNS = st.sampled_from(
    ["^[A-Z]{2}[0-9]{3,6}$", "^(yes|no)$", "^\\d+(\\.\\d{2})?$", "[a-z]+@[a-z]+", "^[^ ]{1,5}$"]
)
_SMALL = st.integers(0, 8)


def _strings() -> st.SearchStrategy[dict[str, Any]]:
    lengths = st.tuples(_SMALL, _SMALL).map(lambda pair: {"minLength": min(pair), "maxLength": max(pair)})
    return st.one_of(
        st.just({"type": "string"}),
        lengths.map(lambda limits: {"type": "string", **limits}),
        _PATTERNS.map(lambda pattern: {"type": "string", "pattern": pattern}),
        _FORMATS.map(lambda kind: {"type": "string", "format": kind}),
    )


def _numbers() -> st.SearchStrategy[dict[str, Any]]:
    limits = st.tuples(st.integers(-1000, 1000), st.integers(0, 2000))
    ranged = limits.map(lambda pair: {"minimum": pair[0], "maximum": pair[0] + pair[1]})
    kind = st.sampled_from(["integer", "number"])
    return st.one_of(
        kind.map(lambda name: {"type": name}),
        st.tuples(kind, ranged).map(lambda pair: {"type": pair[0], **pair[1]}),
        st.just({"type": "integer", "multipleOf": 5}),
        st.just({"type": "number", "multipleOf": 0.01, "minimum": 0}),
        st.integers(-50, 50).map(lambda low: {"type": "number", "exclusiveMinimum": low}),
    )


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8)
_PLAIN = st.one_of(_TEXT, st.integers(-99, 99), st.booleans(), st.none())
_LEAVES = st.one_of(
    _strings(),
    _numbers(),
    st.just({"type": "boolean"}),
    st.just({"type": ["string", "null"]}),
    st.just({"type": ["integer", "null"]}),
    st.just({}),
    st.just({"type": "object"}),
    st.just({"type": "array"}),
    st.lists(_PLAIN, min_size=1, max_size=4, unique_by=json.dumps).map(lambda values: {"enum": values}),
    st.recursive(_PLAIN, lambda inner: st.lists(inner, max_size=2), max_leaves=3).map(lambda value: {"const": value}),
)


def _objects(parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    @st.composite
    def build(draw: st.DrawFn) -> dict[str, Any]:
        properties = draw(st.dictionaries(_NAMES, parts, min_size=1, max_size=4))
        schema: dict[str, Any] = {"type": "object", "properties": properties}
        schema["required"] = [name for name in properties if draw(st.booleans())]
        extra = draw(st.sampled_from(["absent", "closed", "free"]))
        if extra != "absent":
            schema["additionalProperties"] = False if extra == "closed" else draw(parts)
        if draw(st.booleans()):
            schema["description"] = "something"
        return schema

    return build()


def _arrays(parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    limited = st.tuples(parts, st.integers(0, 2), _SMALL).map(
        lambda each: {"type": "array", "items": each[0], "minItems": each[1], "maxItems": each[1] + each[2]}
    )
    fixed = st.lists(parts, min_size=1, max_size=3).map(
        lambda each: {"type": "array", "prefixItems": each, "items": False, "minItems": len(each)}
    )
    return st.one_of(parts.map(lambda part: {"type": "array", "items": part}), limited, fixed)


def _alternatives(parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    told_apart = st.just({"oneOf": [{"type": "string", "maxLength": 9}, {"type": "integer"}, {"type": "null"}]})
    return st.one_of(st.lists(parts, min_size=1, max_size=3).map(lambda each: {"anyOf": each}), told_apart)


def records() -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of objects: nested, with lists, alternatives, bounds, patterns, formats, choices and references."""
    parts = st.recursive(
        _LEAVES, lambda inner: st.one_of(_objects(inner), _arrays(inner), _alternatives(inner)), max_leaves=8
    )
    plain = _objects(parts)
    linked = st.tuples(_objects(parts), _NAMES).map(
        lambda pair: {
            "$defs": {"node": pair[0]},
            "type": "object",
            "properties": {
                pair[1]: {"$ref": "#/$defs/node"},
                "more": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": [pair[1]],
        }
    )
    tree = st.just(
        {
            "$defs": {
                "tree": {
                    "type": "object",
                    "properties": {
                        "v": {"type": "string"},
                        "below": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
                    },
                    "required": ["v"],
                }
            },
            "type": "object",
            "properties": {"root": {"$ref": "#/$defs/tree"}},
            "required": ["root"],
        }
    )
    return st.one_of(plain, plain, plain, linked, tree)


def grammar(schema: dict[str, Any]) -> LLMatcher:
    """The schema as the engine compiles it, over bytes in place of tokens."""
    source = LLMatcher.grammar_from_json_schema(
        json.dumps(schema), overrides={"whitespace_flexible": False, "json_allowed_escapes": 'nrbtf\\"'}
    )
    matcher = LLMatcher(LLTokenizer("byte"), source)
    assert not matcher.is_error(), matcher.get_error()
    return matcher


def takes(schema: dict[str, Any], text: str) -> bool:
    """Whether the text can be written under the schema, as a beginning at least."""
    return grammar(schema).try_consume_tokens(list(text.encode())) == len(text.encode())


def random_answer(schema: dict[str, Any], seed: int, *, longest: int = 20_000) -> str | None:
    """What a model that chooses blindly writes under the schema; None where it does not end in time."""
    matcher, chance, written = grammar(schema), random.Random(seed), bytearray()  # noqa: S311 - no secret
    while len(written) < longest:
        if matcher.is_stopped():
            return written.decode()
        mask = matcher.compute_bitmask()
        allowed = [byte for byte in range(256) if mask[byte // 8] >> byte % 8 & 1]
        if not allowed or (matcher.is_accepting() and chance.random() < 0.5):
            return written.decode()
        ends = [byte for byte in b'"}]' if byte in allowed]  # or every key would be very long
        byte = chance.choice(ends if ends and chance.random() < 0.3 else allowed)
        written.append(byte)
        matcher.consume_token(byte)
    return None
