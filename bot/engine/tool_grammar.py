"""The grammar of replies that may or must call functions, for llguidance (Lark syntax)."""

import json
from collections.abc import Sequence
from typing import Any

from bot.engine.tool_format import ToolFormat
from bot.engine.vocabulary import Vocabulary

_MOST_CALLS = 16
_OPTIONS = {
    "whitespace_flexible": False,
    "item_separator": ", ",  # as Python writes JSON: what models have read
    "key_separator": ": ",
    "json_allowed_escapes": 'nrbtf\\"',
}


class ToolGrammar:
    """Writes grammars for one way to write calls."""

    def __init__(self, tool_format: ToolFormat, vocabulary: Vocabulary) -> None:
        self._format = tool_format
        self._vocabulary = vocabulary

    def source(self, tools: Sequence[tuple[str, Any]], *, required: bool, several: bool) -> str:
        """`tools` are names and checked schemas of arguments. Unless `required`, text may come before or instead."""
        written = self._format
        calls = [f"args_{number}: %json {_schema(schema)}" for number, (_, schema) in enumerate(tools)]
        calls += [
            f"call_{number}: {_text(written.head(name))} args_{number} {_text(written.tail)}"
            for number, (name, _) in enumerate(tools)
        ]
        calls.append("call: " + " | ".join(f"call_{number}" for number in range(len(tools))))
        more = _MOST_CALLS - 1 if several and written.several else 0
        if written.shape == "array":
            calls.append('body: "[" call ' + _up_to(more, '", " call') + ' "]"')
            more = 0
        else:
            calls.append("body: call")
        calls.append(f"rest: {_text(written.gap)} body {_text(written.gap)} {self._marker(written.end)}")
        return "\n".join((*self._start(required=required, more=more), *calls)) + "\n"

    def _start(self, *, required: bool, more: int) -> list[str]:
        begin = self._marker(self._format.begin)
        following = "more: " + _up_to(more, f"{_text(self._format.gap)} {begin} rest")
        if self._format.begun_by_prompt:
            content = _text(self._format.content_name + self._format.middle)
            text = [] if required else [f"text: {content} TEXT", "TEXT: /(.|\\n)*/"]
            return [f"start: {'' if required else 'text | '}rest more", *text, following]
        if required:
            return [f"start: {begin} rest more", following]
        if not self._format.begin:
            return ["start: TEXT | rest more", r"TEXT: /([^{ \n](.|\n)*)?/", following]
        if begin.startswith("<"):  # a token, which no text can contain
            return [f"start: TEXT ({begin} rest more)?", "TEXT: /(.|\\n)*/", following]
        return [
            "start: TEXT | head rest more",
            f"head[lazy]: TEXT {begin}",
            "TEXT: /(.|\\n)*/",
            following,
        ]

    def _marker(self, text: str) -> str:
        """A marker that is a token of its own is not the same as its text."""
        tokens = self._vocabulary.tokenize(text.encode()) if text else []
        if len(tokens) == 1 and self._vocabulary.is_marker(tokens[0]):
            return f"<[{tokens[0]}]>"
        return _text(text)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _up_to(times: int, what: str) -> str:
    return f"({what}){{0,{times}}}" if times else '""'


def _schema(schema: Any) -> str:
    return json.dumps({**schema, "x-guidance": _OPTIONS}, ensure_ascii=False)
