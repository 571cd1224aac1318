"""Reads a Markdown text line by line, far enough to know what a cut would tear apart."""

import re
from collections.abc import Iterator

from bot.chat.splitting.line import Fence, Line

_QUOTE = re.compile(r"(?: {0,3}> ?)+")
_FENCE = re.compile(r"( *)(?:[-*+] +|\d{1,9}[.)] +)?(`{3,}(?=[^`]*$)|~{3,})([^\n]*)")
_HEADING = re.compile(r" {0,3}#{1,6} +")
_ITEM = re.compile(r" *(?:[-*+]|\d{1,9}[.)])(?: |$)")
_RULE = re.compile(r" {0,3}\|?[ :-]*-[ :-]*(?:\|[ :-]*)*$")


def scan_plain(text: str) -> Iterator[Line]:
    """The lines of a text in which nothing is markup."""
    start = 0
    for line in text.splitlines(keepends=True):
        yield Line(start=start, end=start + len(line), kind="text" if line.strip() else "blank", begins=True)
        start += len(line)


class BlockScan:
    """What is open from line to line: a block of code, a table, a list."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._fence: Fence | None = None
        self._table = ""
        self._in_list = False
        self._in_paragraph = False

    def lines(self) -> Iterator[Line]:
        """Every line, in order. Only a line feed ends one, as in the platforms' own renderers."""
        start = 0
        while start < len(self._text):
            end = self._text.find("\n", start) + 1 or len(self._text)
            line = self._line(start, end)
            self._in_paragraph = line.kind == "text"
            yield line
            start = end

    def _line(self, start: int, end: int) -> Line:
        whole = self._text[start:end].rstrip("\n")
        quote = match[0] if (match := _QUOTE.match(whole)) else ""
        if self._fence is not None:
            if self._fence.quote and not quote:
                self._fence = None  # a quotation ends, and its block of code with it
            else:
                return self._code(start, end, whole[len(quote) if self._fence.quote else 0 :])
        rest = whole[len(quote) :]
        if not rest.strip():
            self._table = ""
            return Line(start=start, end=end, kind="blank", quote=quote)
        if (match := _FENCE.fullmatch(rest)) is not None:
            marks = match[2]
            indent = len(rest) - len(rest.lstrip()) if not _ITEM.match(rest) else match.start(2)
            self._fence = Fence(quote=quote, indent=indent, marks=marks, info=match[3].strip())
            return Line(start=start, end=end, kind="fence_open", quote=quote, indent=self._depth(rest), begins=True)
        return self._table_line(start, end, quote, rest) or self._text_line(start, end, quote, rest)

    def _code(self, start: int, end: int, rest: str) -> Line:
        fence = self._fence
        assert fence is not None  # noqa: S101 - the caller's condition
        closes = rest.strip()
        if closes and set(closes) == {fence.marks[0]} and len(closes) >= len(fence.marks):
            self._fence = None
            return Line(start=start, end=end, kind="fence_close", quote=fence.quote, fence=fence)
        return Line(start=start, end=end, kind="code", quote=fence.quote, lead=fence.quote, fence=fence)

    def _table_line(self, start: int, end: int, quote: str, rest: str) -> Line | None:
        if self._table and "|" in rest:
            kind_is_rule = self._table.count("\n") == 1
            if kind_is_rule:
                self._table += self._text[start:end]
                return Line(start=start, end=end, kind="table_rule", quote=quote)
            return Line(start=start, end=end, kind="row", quote=quote, table_head=self._table, begins=True)
        self._table = ""
        following = self._text[end : self._text.find("\n", end) + 1 or len(self._text)].rstrip("\n")
        below = following[len(quote) :] if following.startswith(quote) else ""
        if "|" in rest and "|" in below and _RULE.fullmatch(below):
            self._table = self._text[start:end]
            return Line(start=start, end=end, kind="table_head", quote=quote, begins=True)
        return None

    def _text_line(self, start: int, end: int, quote: str, rest: str) -> Line:
        if (heading := _HEADING.match(rest)) is not None:
            return Line(start=start, end=end, kind="heading", quote=quote, lead=quote + heading[0], begins=True)
        item = _ITEM.match(rest) is not None
        if item:
            self._in_list = True
        elif not rest.startswith(" ") and not self._in_paragraph:
            self._in_list = False
        return Line(
            start=start,
            end=end,
            kind="text",
            quote=quote,
            lead=quote,
            indent=self._depth(rest),
            begins=item or not self._in_paragraph,
        )

    def _depth(self, rest: str) -> int:
        return len(rest) - len(rest.lstrip(" ")) if self._in_list else 0
