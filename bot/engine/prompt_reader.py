"""From a request to a prompt: rendered by the chat template and counted by the tokenizer."""

import re
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass

from bot.engine.chat_template import ChatTemplate
from bot.engine.constraint import Constraint
from bot.engine.grammar import Grammar
from bot.engine.prompt_lookup import PromptLookup
from bot.engine.reasoning import REASONING_TAGS, ReasoningSplitter, control_texts_in_tags, open_thought
from bot.engine.reply_writer import ReplyWriter
from bot.engine.stop_strings import StopStrings
from bot.engine.token_log import common_length
from bot.engine.tool_parser import ToolParser
from bot.engine.vocabulary import Vocabulary
from bot.errors import InvalidRequestError, PromptTooLongError
from bot.request import ChatMessage, GenerationRequest, ToolSpec
from bot.settings import ReasoningMode

_MOST_LOGPROBS = 20
_TOOL_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_THOUGHT_END = 32
"""Tokens. Closing a thought from outside takes fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPrompt:
    """A request, ready for the line."""

    text: bytes
    """The rendered prompt, control tokens spelled out."""
    prompt_tokens: int
    writer: ReplyWriter
    constraint: Constraint | None = None
    lookup: PromptLookup | None = None
    """What the reply may copy."""
    thought_tokens: frozenset[int] = frozenset()
    """Tokens with which the model may open a thought in front of what the constraint demands."""


class PromptReader:
    """Renders and measures prompts. Touches no context, so it may run beside the inference thread."""

    def __init__(self, *, template: ChatTemplate, vocabulary: Vocabulary, n_ctx: int) -> None:
        """`n_ctx` is one sequence's window, in tokens."""
        self._template = template
        self._vocabulary = vocabulary
        self._limit = n_ctx - 1  # at least one token of reply needs a place
        self._grammar = Grammar(vocabulary)
        self._thought_tokens = frozenset(
            tokens[0] for tag in REASONING_TAGS if len(tokens := vocabulary.tokenize(tag.open_tag.encode())) == 1
        )
        self._visible_controls = frozenset(text.encode() for text in control_texts_in_tags(vocabulary.control_texts))

    @property
    def knows_tools(self) -> bool:
        """Whether the model's template writes functions and calls itself."""
        return self._template.knows_tools

    def read(self, request: GenerationRequest) -> ReadPrompt:
        """Raises `PromptTooLongError` for what can never fit and `InvalidRequestError` for what cannot be rendered."""
        _check(request)
        if request.beginning_only:
            return self._beginning(request)
        if request.prompt is not None:
            return self._measured(request, self._with_bos(request.prompt).encode(errors="replace"))
        text = self.render(
            request.messages, request.reasoning, continue_final=request.continue_final, tools=_offered(request)
        )
        return self._measured(request, text)

    def _beginning(self, request: GenerationRequest) -> ReadPrompt:
        """What is the same whatever the user says next."""
        first, second = (
            self.render(
                (*request.messages, ChatMessage(role="user", content=content)),
                request.reasoning,
                tools=_offered(request),
            )
            for content in ("a", "b")
        )
        return self._measured(request, first[: common_length(first, second)])

    def _measured(self, request: GenerationRequest, text: bytes) -> ReadPrompt:
        """A rendered prompt, ready for the line. Raises `PromptTooLongError`."""
        count = len(self._vocabulary.tokenize(text))
        if not count:
            raise InvalidRequestError("There is nothing to write on.")
        if count > self._limit:
            raise PromptTooLongError(count, self._limit)
        room = self._limit + 1 - count
        max_tokens = room if request.max_tokens is None else min(request.max_tokens, room)
        raw = request.prompt is not None
        uncut = raw or request.constraint is not None or request.forced_arguments is not None
        source = request.copied_from.encode(errors="replace")
        tools = self._template.tool_format
        markers = {marker.encode() for marker in (tools.begin, tools.end) if marker and _offered(request)}
        started = None if raw else open_thought(text[-512:].decode(errors="replace"))
        constraint = self._constraint(request)
        budget = request.reasoning_budget or max(1, max_tokens // 2)
        if constraint is not None and constraint.least_tokens:
            budget = max(1, min(budget, max_tokens - constraint.least_tokens - _THOUGHT_END))
        writer = ReplyWriter(
            splitter=ReasoningSplitter.off() if raw else ReasoningSplitter(started),
            stops=StopStrings((*request.stop, *(() if uncut else self._template.stop))),
            visible_controls=self._visible_controls | markers,
            reasoning_budget=budget,
            tools=ToolParser(tools, required=request.tool_choice == "required") if _offered(request) else None,
            show_reasoning=request.reasoning == "show",
        )
        may_think = not raw and started is None and request.reasoning != "off" and self._template.has_thinking_switch
        return ReadPrompt(
            text=text,
            prompt_tokens=count,
            writer=writer,
            constraint=constraint,
            lookup=PromptLookup(source, self._vocabulary.tokenize) if source else None,
            thought_tokens=self._thought_tokens if may_think and constraint is not None else frozenset(),
        )

    def _constraint(self, request: GenerationRequest) -> Constraint | None:
        if request.constraint is not None:
            return self._grammar.json(request.constraint)
        return self._grammar.tools(request, self._template.tool_format) if _offered(request) else None

    def count(self, messages: SequenceOf[ChatMessage], reasoning: ReasoningMode, *, continue_final: bool) -> int:
        """Exact number of tokens of a prompt with these messages."""
        return len(self._vocabulary.tokenize(self.render(messages, reasoning, continue_final=continue_final)))

    def render(
        self,
        messages: SequenceOf[ChatMessage],
        reasoning: ReasoningMode = "hide",
        *,
        continue_final: bool = False,
        tools: SequenceOf[ToolSpec] = (),
    ) -> bytes:
        """The prompt as the model reads it, control tokens spelled out."""
        text = self._template.render(
            messages,
            add_generation_prompt=not continue_final,
            continue_final=continue_final,
            enable_thinking=False if reasoning == "off" else None,
            tools=tools,
        )
        if reasoning == "off" and not continue_final and (thought := open_thought(text[-256:])) is not None:
            text += thought.close_text  # a template that always opens a thought
        return self._with_bos(text).encode(errors="replace")

    def _with_bos(self, text: str) -> str:
        missing = self._vocabulary.add_bos and not text.startswith(self._vocabulary.bos_text)
        return self._vocabulary.bos_text + text if missing else text


def _offered(request: GenerationRequest) -> tuple[ToolSpec, ...]:
    """The functions that the model is told of."""
    return () if request.tool_choice == "none" else request.tools


def _check(request: GenerationRequest) -> None:
    """Raise `InvalidRequestError` for what makes no sense together."""
    if request.prompt is not None and (request.messages or request.continue_final or request.tools):
        raise InvalidRequestError("A raw prompt goes without messages and tools.")
    if request.constraint is not None and request.tools:
        raise InvalidRequestError("An answer of a given form and tools do not go together.")
    wanted = request.constraint or request.forced_arguments
    if wanted is not None and wanted.always_complete and request.stop:
        raise InvalidRequestError("A stop string may cut the answer that must be complete.")
    _check_tools(request)
    if request.logprobs is not None and not 0 <= request.logprobs <= _MOST_LOGPROBS:
        raise InvalidRequestError(f"logprobs must be between 0 and {_MOST_LOGPROBS}.")


def _check_tools(request: GenerationRequest) -> None:
    names = [tool.name for tool in request.tools]
    if len(set(names)) < len(names):
        raise InvalidRequestError("Two tools have the same name.")
    for name in names:
        if not _TOOL_NAME.fullmatch(name):
            raise InvalidRequestError(f"The tool name {name[:80]!r} is not letters, digits, '_', '-' and '.'.")
    if request.tool_choice == "required" and not names:
        raise InvalidRequestError("A tool must be called, and there is none.")
    if request.forced_arguments is not None and request.forced_tool is None:
        raise InvalidRequestError("Arguments can be forced only of a tool that is.")
    if request.forced_tool is not None:
        if request.tool_choice != "required":
            raise InvalidRequestError("One tool can be forced only where a call is required.")
        if request.forced_tool not in names:
            raise InvalidRequestError(f"The tool {request.forced_tool!r} must be called, and there is none.")
