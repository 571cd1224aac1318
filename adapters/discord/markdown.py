"""The model's Markdown as Discord shows it."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import discord
from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.discord.table import Table

MAX_LENGTH = 2000
"""Code points of a message: https://discord.com/developers/docs/resources/message#create-message"""
_CODE_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
_IMAGE = re.compile(r"!\[([^\]\n]*)\]\((\S+?)(?:\s+\"[^\"\n]*\")?\)")
_BOLD = re.compile(r"(?<![\w_])__(?=\S)([^\n]+?)(?<=\S)__(?![\w_])")
_TASK = re.compile(r"^(\s*(?:[-*+]|\d+[.)]) )\[([ xX])\] ", re.MULTILINE)
_RULE = "─" * 12
_DEEPEST_HEADING = 3
_REMEMBERED = 128
_FENCE = "```"
_BROKEN_FENCE = "`\u200b``"  # with a zero-width space, so that it ends no code block


class DiscordMarkdown:
    """Discord shows most of CommonMark by itself: https://support.discord.com/hc/en-us/articles/210298617.

    Changed is what it shows otherwise: tables, headings below the third level, rules, images, tasks, `__bold__` (it
    would be underlined), fences that are not three backticks, and a fence that is still open.

    Remembers the last few, because the core measures a text before it sends it, and again while the next one grows.
    """

    def __init__(self) -> None:
        # What stands within a block is looked at in tables only.
        self._parser = MarkdownIt("commonmark").enable("table").disable("inline")
        self.render = lru_cache(maxsize=_REMEMBERED)(self._render)

    def length(self, text: str) -> int:
        """How long a Markdown text counts once it is rendered, in code points.

        That is how the API counts: https://github.com/discord/discord-api-docs/issues/1315.
        """
        return len(self.render(text))

    @staticmethod
    def plain(text: str) -> str:
        """Return the text to send where each character is to be seen, as far as there is room for that."""
        escaped = discord.utils.escape_markdown(text)
        return escaped if len(escaped) <= MAX_LENGTH else text

    def _render(self, text: str) -> str:
        """Return the text to send."""
        lines = text.split("\n")
        references: dict[str, Any] = {}
        tokens = self._parser.parse(text, references)
        changed: dict[int, tuple[int, str]] = {}
        for index, token in enumerate(tokens):
            if token.map is None:
                continue
            start, end = token.map
            replacement = self._block(tokens, index, lines[start:end], references)
            if replacement is not None and not any(first <= start < last for first, (last, _) in changed.items()):
                changed[start] = (end, replacement)
        return "\n".join(_replaced(lines, changed))

    def _block(self, tokens: list[Token], index: int, lines: list[str], references: dict[str, Any]) -> str | None:
        """What stands for the lines of a block; None where they stay as they are, or belong to several blocks."""
        token = tokens[index]
        match token.type:
            case "table_open" if token.level == 0:
                rest = tokens[index:]
                end = next(at for at, each in enumerate(rest) if each.type == "table_close")
                drawn = (
                    Table.of(rest[:end], lambda text: self._within(text, references))
                    .draw()
                    .replace(_FENCE, _BROKEN_FENCE)
                )
                return f"{_FENCE}\n{drawn}\n{_FENCE}" + _blank_tail(lines)
            case "heading_open" if token.level == 0:
                level = int(token.tag.removeprefix("h"))
                content = _inline(tokens[index + 1].content)
                return f"{'#' * level} {content}" if level <= _DEEPEST_HEADING else f"**{content.replace('**', '')}**"
            case "hr" if token.level == 0:
                return _RULE
            case "fence":
                return _fence(token, lines)
            case "inline":
                return _inline("\n".join(lines))
            case _:
                return None

    def _within(self, text: str, references: dict[str, Any]) -> Sequence[Token]:
        tokens: list[Token] = []
        self._parser.inline.parse(text, self._parser, references, tokens)
        return tokens


def _replaced(lines: list[str], changed: dict[int, tuple[int, str]]) -> list[str]:
    result, at = [], 0
    while at < len(lines):
        if at in changed:
            at, text = changed[at]
            result.append(text)
        else:
            result.append(lines[at])
            at += 1
    return result


def _fence(token: Token, lines: list[str]) -> str | None:
    """The same code between three backticks."""
    opened = lines[0]
    body = lines[1:]
    closing = body[-1].strip(" >") if body else ""
    closed = len(closing) >= len(token.markup) and not closing.strip(token.markup[0])
    if token.markup == _FENCE and closed:
        return None
    if closed or (body and not body[-1].strip()):
        body = body[:-1]
    indent = opened[: opened.index(token.markup)]
    inner = [line.replace(_FENCE, _BROKEN_FENCE) for line in body]
    return "\n".join([f"{indent}{_FENCE}{token.info.strip()}", *inner, f"{indent}{_FENCE}"])


def _inline(text: str) -> str:
    """Text with its code spans left alone."""
    parts, at = [], 0
    for span in _CODE_SPAN.finditer(text):
        parts += [_marks(text[at : span.start()]), span[0]]
        at = span.end()
    return "".join([*parts, _marks(text[at:])])


def _marks(text: str) -> str:
    text = _TASK.sub(lambda task: f"{task[1]}{'☐' if task[2] == ' ' else '☑'} ", text)
    text = _IMAGE.sub(lambda image: f"[{image[1] or 'image'}]({image[2]})", text)
    return _BOLD.sub(r"**\1**", text)


def _blank_tail(lines: list[str]) -> str:
    """A block may take the blank lines behind it along."""
    return "\n" * (len(lines) - len("\n".join(lines).rstrip().split("\n")))
