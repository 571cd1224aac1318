"""JSON Schemas made into constraints for the loaded model."""

import ctypes
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import llama_cpp
from llguidance import LLMatcher, LLTokenizer

from bot.engine.closing import ClosingFinder
from bot.engine.constraint import Constraint
from bot.engine.tool_format import ToolFormat
from bot.engine.tool_grammar import ToolGrammar
from bot.engine.vocabulary import Vocabulary
from bot.errors import InvalidRequestError
from bot.request import GenerationRequest, JsonConstraint, ToolSpec

T = TypeVar("T")

_KEPT = 32
"""Compiled grammars. A bot asks with the same few schemas again and again."""
_OPTIONS: Mapping[str, Any] = {
    "whitespace_flexible": False,
    # Without `\uXXXX`: half of a surrogate pair is JSON that no Python string can be written from.
    "json_allowed_escapes": 'nrbtf\\"',
}


class Grammar:
    """Compiles for one model. Thread-safe, and slow the first time: not for the inference thread."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._lock = threading.Lock()
        self._tokenizer: LLTokenizer | None = None
        self._finder: ClosingFinder | None = None
        self._compiled: OrderedDict[str, LLMatcher] = OrderedDict()
        self._closings: OrderedDict[str, list[int]] = OrderedDict()

    def json(self, wanted: JsonConstraint) -> Constraint:
        """A constraint for one reply. Raises `InvalidRequestError` for what llguidance cannot guarantee."""
        source = LLMatcher.grammar_from_json_schema(_checked(wanted.schema), overrides=_OPTIONS)  # type: ignore[arg-type]
        return self._constraint(source, wanted)

    def tools(self, request: GenerationRequest, tool_format: ToolFormat) -> Constraint:
        """A constraint for a reply that may or must call functions. Raises `InvalidRequestError`."""
        offered = [tool for tool in request.tools if request.forced_tool in (None, tool.name)]
        wanted = request.forced_arguments
        if wanted is not None:
            offered = [replace(tool, parameters=wanted.schema) for tool in offered]
        source = ToolGrammar(tool_format, self._vocabulary).source(
            [(tool.name, self._arguments(tool)) for tool in offered],
            required=request.tool_choice == "required",
            several=request.parallel_tool_calls and request.forced_tool is None,
        )
        return self._constraint(LLMatcher.grammar_from_lark(source), wanted)

    def _arguments(self, tool: ToolSpec) -> Any:
        """The checked schema of a function's arguments; that each compiles alone tells which one does not."""
        schema = {"type": "object", **tool.parameters}
        try:
            if schema["type"] != "object":
                raise _refusal("arguments must be an object")
            text = _checked(schema)
            self._matcher(LLMatcher.grammar_from_json_schema(text, overrides=_OPTIONS))  # type: ignore[arg-type]
        except InvalidRequestError as error:
            raise InvalidRequestError(f"Tool {tool.name}: {error.user_text}") from error
        return json.loads(text)

    def _constraint(self, source: str, wanted: JsonConstraint | None) -> Constraint:
        matcher = self._matcher(source)
        if wanted is None or not wanted.always_complete:
            return Constraint(matcher, self._vocabulary)
        with self._lock:
            known = self._closings.get(source)
        constraint = Constraint(
            matcher, self._vocabulary, finder=self._finder, closing=known, copied_from=wanted.copied_from
        )
        if known is None:
            with self._lock:
                _keep(self._closings, source, constraint.closing)
        return constraint

    def _matcher(self, source: str) -> LLMatcher:
        with self._lock:
            compiled = self._compiled.pop(source, None)
            if compiled is None:
                compiled = LLMatcher(self._built_tokenizer(), source, log_level=0)
                if compiled.is_error():
                    raise _refusal(compiled.get_error())
            _keep(self._compiled, source, compiled)
            return compiled.deep_copy()

    def _built_tokenizer(self) -> LLTokenizer:
        """The vocabulary as llguidance sees it, which takes a second to build."""
        if self._tokenizer is None:
            self._tokenizer = _tokenizer_of(self._vocabulary)
            self._finder = ClosingFinder(self._vocabulary)
        return self._tokenizer


def _keep(kept: OrderedDict[str, T], source: str, value: T) -> None:
    kept[source] = value
    if len(kept) > _KEPT:
        kept.popitem(last=False)


def _tokenizer_of(vocabulary: Vocabulary) -> LLTokenizer:
    """What `llguidance.llamacpp` does, without the deprecated call it makes for every token."""
    # A byte that no text has, in front of the name, tells a marker from a text that reads like it.
    tokens = [
        (b"\xff" if vocabulary.is_marker(token) else b"") + vocabulary.piece(token) for token in range(vocabulary.size)
    ]
    built: LLTokenizer = LLTokenizer.from_llamacpp(  # type: ignore[attr-defined] # not in the type stubs
        tokens=tokens,
        vocab_ptr=vocabulary.pointer,
        tokenize_fptr=ctypes.cast(llama_cpp.llama_cpp._lib.llama_tokenize, ctypes.c_void_p).value,  # noqa: SLF001
        eos_token=vocabulary.end_tokens,
        slices=LLTokenizer.json_slices(),
    )
    return built


def _refusal(reason: str) -> InvalidRequestError:
    return InvalidRequestError(f"This JSON Schema cannot be guaranteed: {' '.join(reason.split())[:300]}")


def _checked(schema: Mapping[str, Any]) -> str:
    """The schema as text, without what says nothing, and refused where the grammar would promise too much."""
    try:
        return json.dumps(_checked_node(schema), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequestError("This JSON Schema is not JSON.", repr(error)) from error


def _checked_node(node: Any) -> Any:
    if isinstance(node, Mapping):
        _check_free_keys(node)
        silent = {"$schema"} | ({"uniqueItems"} if node.get("uniqueItems") is False else set())
        return {key: _checked_node(value) for key, value in node.items() if key not in silent}
    return [_checked_node(each) for each in node] if isinstance(node, list | tuple) else node


def _check_free_keys(node: Mapping[str, Any]) -> None:
    """Keys without a name in the schema can come twice in the grammar, and count once in JSON."""
    least, named, required = node.get("minProperties"), node.get("properties"), node.get("required")
    if isinstance(least, int) and least > 1:
        names = {*(named if isinstance(named, Mapping) else ()), *(required if isinstance(required, list) else ())}
        if least > len(names):
            raise _refusal("minProperties above 1 needs as many named properties")
