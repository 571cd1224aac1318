"""Finds function calls in a reply while it streams."""

import json
import secrets
from dataclasses import dataclass, field

from bot.engine.json_lexer import JsonLexer
from bot.engine.tool_format import ToolFormat
from bot.request import ToolCall

_ID_LENGTH = 9  # what Mistral's templates insist on
_ID_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_SIGNS_OF_A_CALL = '{"name": '


@dataclass(slots=True)
class Parsed:
    """What the last piece made certain."""

    content: str = ""
    calls: list[ToolCall] = field(default_factory=list)


class ToolParser:
    """Tells calls from content; the same for any division of the reply into pieces.

    Blanks around calls are dropped. A call that is not complete at the end of the reply is dropped, too.
    """

    def __init__(self, tool_format: ToolFormat, *, required: bool = False) -> None:
        """`required` is for replies that consist of calls only."""
        self._format = tool_format
        self._held = ""
        self._inside = tool_format.begun_by_prompt or (required and not tool_format.begin)
        self._started = False
        self._name: str | None = None  # of the call that is being read, where it comes first
        self._lexer, self._scanned, self._complete = JsonLexer(), 0, False

    @property
    def inside(self) -> bool:
        """A call is being written."""
        return self._inside

    def feed(self, text: str) -> Parsed:
        """Take the next part of the reply."""
        self._held += text
        return self._run(final=False)

    def flush(self) -> Parsed:
        """End the reply."""
        return self._run(final=True)

    def _run(self, *, final: bool) -> Parsed:
        parsed = Parsed()
        while self._call(parsed) if self._inside else self._content(parsed, final=final):
            pass
        return parsed

    def _content(self, parsed: Parsed, *, final: bool) -> bool:
        """Pass on what is content; True where a call begins."""
        begin = self._format.begin
        if not begin:
            return self._bare_content(parsed, final=final)
        start = self._held.find(begin)
        if start >= 0:
            self._pass(parsed, self._held[:start].rstrip())
            self._held = self._held[start + len(begin) :]
            self._inside = True
            return True
        kept = 0 if final else _overlap(self._held, begin)
        safe = self._held[: len(self._held) - kept]
        if not final:
            safe = safe.rstrip()  # dropped if a call follows
        self._pass(parsed, safe)
        self._held = self._held[len(safe) :]
        return False

    def _bare_content(self, parsed: Parsed, *, final: bool) -> bool:
        """A call without a marker is one only where it begins the reply."""
        start = self._held.lstrip().removeprefix("<|python_tag|>").lstrip()
        if not self._started and start.startswith(_SIGNS_OF_A_CALL):
            self._held, self._inside = start, True
            return True
        if (
            not self._started
            and not final
            and (_SIGNS_OF_A_CALL.startswith(start) or "<|python_tag|>".startswith(start))
        ):
            return False
        self._pass(parsed, self._held)
        self._held = ""
        return False

    def _pass(self, parsed: Parsed, text: str) -> None:
        if text:
            self._started = True
            parsed.content += text

    def _call(self, parsed: Parsed) -> bool:
        """Take a whole call, or whole list of calls, out of what is held; False where it is not complete yet."""
        if self._format.shape == "named" and self._name is None:
            name, middle, rest = self._held.partition(self._format.middle)
            if not middle:
                return False
            self._held = rest
            if name.strip() == self._format.content_name != "":
                self._inside = False
                return True
            self._name = name.strip()
        if not self._value_ended():
            return False
        after = self._held[self._scanned :].lstrip()
        if not after.startswith(self._format.end):
            return False
        parsed.calls += self._calls_of(self._name or "", self._held[: self._scanned])
        self._held = after.removeprefix(self._format.end).lstrip()
        self._inside, self._started = False, True
        self._name, self._lexer, self._scanned, self._complete = None, JsonLexer(), 0, False
        return True

    def _value_ended(self) -> bool:
        """Read on to the end of the object or list that is held."""
        while not self._complete and self._scanned < len(self._held):
            self._lexer.feed(self._held[self._scanned].encode(errors="replace"))
            self._scanned += 1
            if self._lexer.depth == 0 and self._held[self._scanned - 1] in "}]":
                self._complete = True
        return self._complete

    def _calls_of(self, name: str, text: str) -> list[ToolCall]:
        if self._format.shape == "named":
            return [_call(name, text)]
        try:
            value = json.loads(text)
        except ValueError:
            return []
        calls = value if isinstance(value, list) else [value]
        return [
            _call(str(each.get("name", "")), json.dumps(each.get(self._format.arguments_key, {}), ensure_ascii=False))
            for each in calls
            if isinstance(each, dict)
        ]


def _call(name: str, arguments: str) -> ToolCall:
    return ToolCall(id="".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH)), name=name, arguments=arguments)


def _overlap(text: str, marker: str) -> int:
    """How many characters at the end of a text may be the start of a marker."""
    most = min(len(marker) - 1, len(text))
    return next((size for size in range(most, 0, -1) if text.endswith(marker[:size])), 0)
