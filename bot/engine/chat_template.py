"""Writes a conversation down the way a model was trained to read it."""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any

import jinja2

from bot.engine.chat_formats import CHAT_FORMATS
from bot.engine.template_sandbox import TemplateSandbox
from bot.engine.tool_format import HERMES, recognised
from bot.engine.tool_messages import described, generic, native
from bot.errors import ConfigError, InvalidRequestError, ModelLoadError
from bot.request import ChatMessage, ToolCall, ToolSpec
from bot.settings import ModelSettings

_RESERVED = frozenset({"messages", "add_generation_prompt", "bos_token", "eos_token"})
_END_MARK = "(hearthbot writes on here)"
_WORD_JOINER = "\N{WORD JOINER}"
_SYSTEM, _USER, _ASSISTANT, _LATE, _USER_2 = (f"probe{number}" for number in range(5))

_PROBE_TOOL = ToolSpec(
    name="probe_name",
    description="What the probe describes.",
    parameters={"type": "object", "properties": {"probe_argument": {"type": "string"}}},
)
_PROBE_TURNS = (
    ChatMessage(
        role="assistant",
        content="",
        tool_calls=(ToolCall(id="probe1234", name="probe_name", arguments='{"probe_argument": "probe_value"}'),),
    ),
    ChatMessage(role="tool", content="probe_result", tool_call_id="probe1234"),
)

_Message = dict[str, Any]


class ChatTemplate:
    """A chat template, compiled once and tried out, so that it is known what it can express.

    What a template cannot express is put into what it can: system prompts that it refuses, ignores or moves to the
    last message (which would change the prompt's start every turn) go into the first user message; messages that must
    alternate are joined. Nothing in the output changes from turn to turn by itself: `strftime_now` tells the day the
    template was made, at midnight, since a date that moved on would make every conversation be read again. A daemon
    that runs for weeks lags behind until its next start; that is the lesser evil.

    Texts of control tokens in what users and the model wrote are broken up by a word joiner (U+2060), so that nobody
    can close their own message and speak as somebody else. The system prompt is the owner's and stays as it is.
    """

    def __init__(
        self,
        source: str,
        *,
        bos_token: str = "",
        eos_token: str = "",
        control_texts: Collection[str] = (),
        variables: Mapping[str, Any] = MappingProxyType({}),
        stop: tuple[str, ...] = (),
        today: date | None = None,
    ) -> None:
        """Compile `source` and try it.

        `control_texts` are the texts of the model's control tokens, `variables` the owner's `chat_template_kwargs`,
        `stop` what ends a reply besides the model's end tokens.
        Raises `ModelLoadError` for a template that does not work, `ConfigError` for a reserved variable.
        """
        if reserved := sorted(_RESERVED & variables.keys()):
            raise ConfigError(f"model.chat_template_kwargs: {', '.join(reserved)} is set by the daemon itself")
        self.stop = stop
        self._variables = {
            "bos_token": bos_token,
            "eos_token": eos_token,
            "tools": None,
            "documents": None,
            **variables,
        }
        self._control_text = _pattern_of_starts(control_texts)
        now = datetime.combine(today or datetime.now().astimezone().date(), time())
        self._sandbox = TemplateSandbox(now)
        try:
            self._template, asked = self._sandbox.compile_template(source)
        except (jinja2.TemplateSyntaxError, RecursionError) as error:
            line = f" in line {error.lineno}" if isinstance(error, jinja2.TemplateSyntaxError) else ""
            raise ModelLoadError(f"the chat template has an error{line}: {error}. {_remedy()}") from error
        self.has_thinking_switch = bool(asked & {"enable_thinking", "thinking"})
        """The template can be asked to let the model answer without a thought."""
        self._as_parts = False
        self._takes_system = self._takes_late_system = self._takes_any_order = True
        self.tool_format = HERMES
        """How the model is asked to write calls of functions."""
        self.knows_tools = self._arguments_as_text = False
        """`knows_tools`: the template writes functions, calls and results itself."""
        self._try_out()
        if "tools" in asked:
            self._try_tools()

    @classmethod
    def choose(
        cls,
        settings: ModelSettings,
        *,
        model_template: str | None,
        bos_token: str = "",
        eos_token: str = "",
        control_texts: Collection[str] = (),
        today: date | None = None,
    ) -> "ChatTemplate":
        """The owner's template or named format, or else the model's own (`tokenizer.chat_template` of the GGUF).

        Raises `ModelLoadError` when there is none or it does not work, `ConfigError` for an unknown format.
        """
        stop: tuple[str, ...] = ()
        source = settings.chat_template or model_template
        if settings.chat_format is not None:
            chat_format = CHAT_FORMATS.get(settings.chat_format)
            if chat_format is None:
                raise ConfigError(_unknown_format(settings.chat_format))
            source, stop = chat_format.template, chat_format.stop
        if not source:
            raise ModelLoadError(f"this model has no chat template of its own. {_remedy()}")
        return cls(
            source,
            bos_token=bos_token,
            eos_token=eos_token,
            control_texts=control_texts,
            variables=settings.chat_template_kwargs,
            stop=stop,
            today=today,
        )

    def render(
        self,
        messages: Sequence[ChatMessage],
        *,
        add_generation_prompt: bool = True,
        continue_final: bool = False,
        enable_thinking: bool | None = None,
        tools: Sequence[ToolSpec] = (),
        variables: Mapping[str, Any] = MappingProxyType({}),
    ) -> str:
        """The prompt for `messages`.

        `continue_final` leaves the last message, which must be the assistant's, open at its end. `enable_thinking` sets
        the switches that the known families have; None leaves the choice to the template. `tools` are written by the
        template where it knows how, else into the system prompt. `variables` are further ones.
        Raises `InvalidRequestError` where the template cannot express the conversation.
        """
        if self.knows_tools:
            variables = {"tools": described(tools) or None, **variables}
        else:
            messages = generic(messages, tools)
        names: dict[str, str] = {}
        plain = [self._plain(message, names) for message in messages]
        if continue_final:
            if not messages or messages[-1].role != "assistant":
                raise InvalidRequestError("Only a reply of mine can be continued.")
            plain[-1]["content"] += _END_MARK
        switches = _thinking_switches(enable_thinking)
        try:
            text = self._run(
                self._fitted(plain), add_generation_prompt and not continue_final, {**switches, **variables}
            )
        except Exception as error:  # a template is a program: it may raise anything
            raise InvalidRequestError(
                "This model cannot express such a conversation.", f"chat template: {type(error).__name__}: {error}"
            ) from error
        if continue_final:
            text, mark, _ = text.rpartition(_END_MARK)
            if not mark:
                raise InvalidRequestError(
                    "This model cannot continue a reply.", "the chat template leaves the last message out"
                )
        return text

    def _run(self, messages: list[_Message], add_generation_prompt: bool, variables: Mapping[str, Any]) -> str:
        if self._as_parts:
            messages = [{**each, "content": [{"type": "text", "text": each["content"]}]} for each in messages]
        return self._sandbox.render(
            self._template,
            {
                **self._variables,
                **variables,
                "messages": messages,
                "add_generation_prompt": add_generation_prompt,
            },
        )

    def _plain(self, message: ChatMessage, names: dict[str, str]) -> _Message:
        if message.role == "system":
            return {"role": "system", "content": message.content}
        content = self._clean(message.content)
        if message.role == "tool" or message.tool_calls:
            cleaned = replace(message, content=content)
            return native(cleaned, names, clean=self._clean, as_text=self._arguments_as_text)
        return {"role": message.role, "content": content}

    def _clean(self, text: str) -> str:
        return text if self._control_text is None else self._control_text.sub(rf"\1{_WORD_JOINER}", text)

    def _fitted(self, messages: list[_Message]) -> list[_Message]:
        """The same conversation in terms that the template knows; the same for every turn of a conversation."""
        head = next((i for i, message in enumerate(messages) if message["role"] != "system"), len(messages))
        fitted: list[_Message] = []
        carried = [message["content"] for message in messages[:head]]  # system texts without a place so far
        if self._takes_system and carried:
            fitted.append({"role": "system", "content": "\n\n".join(carried)})
            carried = []
        for message in messages[head:]:
            if message["role"] == "system" and not self._takes_late_system:
                carried.append(message["content"])
                continue
            if message["role"] == "user":
                carried.append(message["content"])
            if carried:
                fitted.append({"role": "user", "content": "\n\n".join(carried)})
                carried = []
            if message["role"] != "user":
                fitted.append(message)
        if carried:
            fitted.append({"role": "user", "content": "\n\n".join(carried)})
        return fitted if self._takes_any_order else _alternating(fitted)

    def _try_out(self) -> None:
        """Find out what the template can express; raises `ModelLoadError` if not even one message."""
        if objection := self._objection([("user", _USER)]):
            self._as_parts = True
            if self._objection([("user", _USER)]):
                raise ModelLoadError(f"the chat template does not work: {objection}. {_remedy()}")
        turns = [("system", _SYSTEM), ("user", _USER), ("assistant", _ASSISTANT), ("user", _USER_2)]
        self._takes_system = self._can(turns[:2]) and self._can(turns)
        start = turns if self._takes_system else turns[1:]
        self._takes_late_system = self._can([*start[:-1], ("system", _LATE), ("user", _USER_2)])
        self._takes_any_order = self._can([("assistant", _ASSISTANT), ("user", _USER), ("user", _USER_2)])

    def _try_tools(self) -> None:
        """Find out whether the template writes functions, calls and results, and in which format."""
        system = [{"role": "system", "content": _SYSTEM}] if self._takes_system else []
        for as_text in (False, True):
            names: dict[str, str] = {}
            turns = (native(each, names, clean=str, as_text=as_text) for each in _PROBE_TURNS)
            messages = [*system, {"role": "user", "content": _USER}, *turns]
            try:
                text = self._run(messages, True, {"tools": described([_PROBE_TOOL])})
            except Exception:  # noqa: BLE001, S112 - a template is a program: it may raise anything
                continue
            called = re.search(r'"probe_argument": ?"probe_value"', text)
            expected = (_PROBE_TOOL.description, _PROBE_TURNS[1].content, *(_SYSTEM for _ in system))
            found = recognised(text)
            if found is not None and called and all(each in text for each in expected):
                if found.begun_by_prompt and not text.endswith(found.begin):
                    continue
                self.tool_format, self.knows_tools, self._arguments_as_text = found, True, as_text
                return

    def _can(self, turns: list[tuple[str, str]]) -> bool:
        return self._objection(turns) is None

    def _objection(self, turns: list[tuple[str, str]]) -> str | None:
        """None where the template writes every one of these messages, in their order."""
        try:
            text = self._run([{"role": role, "content": content} for role, content in turns], True, {})
        except Exception as error:  # noqa: BLE001 - a template is a program: it may raise anything
            return f"{type(error).__name__}: {error}"
        places = [text.find(content) for _, content in turns]
        return None if -1 not in places and places == sorted(places) else "it leaves messages out"


def _alternating(messages: list[_Message]) -> list[_Message]:
    """Join neighbours of the same role, and let a user begin."""
    joined: list[_Message] = []
    for message in messages:
        if joined and joined[-1]["role"] == message["role"] and _is_talk(joined[-1]) and _is_talk(message):
            joined[-1] = {**message, "content": f"{joined[-1]['content']}\n\n{message['content']}"}
            continue
        if message["role"] == "assistant" and (not joined or joined[-1]["role"] == "system"):
            joined.append({"role": "user", "content": ""})
        joined.append(message)
    return joined


def _is_talk(message: _Message) -> bool:
    return message["role"] != "tool" and "tool_calls" not in message


def _thinking_switches(enable_thinking: bool | None) -> dict[str, Any]:
    """`enable_thinking` (Qwen3, SmolLM3, GLM), `thinking` (Granite, DeepSeek-V3.1), `reasoning_effort` (gpt-oss)."""
    if enable_thinking is None:
        return {}
    effort = {} if enable_thinking else {"reasoning_effort": "low"}  # the least that gpt-oss knows
    return {"enable_thinking": enable_thinking, "thinking": enable_thinking, **effort}


def _pattern_of_starts(control_texts: Collection[str]) -> re.Pattern[str] | None:
    """Matches the first character of every control token's text, also of those that overlap."""
    texts = sorted((text for text in control_texts if len(text) > 1), key=len, reverse=True)
    if not texts:
        return None
    return re.compile(rf"(?=(?:{'|'.join(map(re.escape, texts))}))(.)", re.DOTALL)


def _unknown_format(name: str) -> str:
    near = difflib.get_close_matches(name, CHAT_FORMATS, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"model.chat_format: {name} is not known.{hint} Known formats: {', '.join(CHAT_FORMATS)}"


def _remedy() -> str:
    return (
        "Set model.chat_format to the format it was trained with (its model card says which), or model.chat_template "
        f"to a Jinja template. Known formats: {', '.join(CHAT_FORMATS)}"
    )
