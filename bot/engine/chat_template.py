"""Writes a conversation down the way a model was trained to read it."""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any

import jinja2

from bot.engine.chat_formats import CHAT_FORMATS
from bot.engine.template_sandbox import TemplateSandbox
from bot.errors import ConfigError, InvalidRequestError, ModelLoadError
from bot.request import ChatMessage
from bot.settings import ModelSettings

_RESERVED = frozenset({"messages", "add_generation_prompt", "bos_token", "eos_token"})
_END_MARK = "(hearthbot writes on here)"
_WORD_JOINER = "\N{WORD JOINER}"
_SYSTEM, _USER, _ASSISTANT, _LATE, _USER_2 = (f"probe{number}" for number in range(5))

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
        self._try_out()

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
        variables: Mapping[str, Any] = MappingProxyType({}),
    ) -> str:
        """The prompt for `messages`.

        `continue_final` leaves the last message, which must be the assistant's, open at its end. `enable_thinking` sets
        the switches that the known families have; None leaves the choice to the template. `variables` are further ones.
        Raises `InvalidRequestError` where the template cannot express the conversation.
        """
        plain = [self._plain(message) for message in messages]
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

    def _plain(self, message: ChatMessage) -> _Message:
        content = message.content
        if message.role != "system" and self._control_text is not None:
            content = self._control_text.sub(rf"\1{_WORD_JOINER}", content)
        return {"role": message.role, "content": content}

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
        if joined and joined[-1]["role"] == message["role"]:
            joined[-1] = {**message, "content": f"{joined[-1]['content']}\n\n{message['content']}"}
            continue
        if message["role"] == "assistant" and (not joined or joined[-1]["role"] == "system"):
            joined.append({"role": "user", "content": ""})
        joined.append(message)
    return joined


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
