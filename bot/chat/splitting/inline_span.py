"""Markup inside a paragraph: emphasis, code, and what is not to be cut."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<escape>\\.)"
    r"|(?P<ticks>`+)"
    r"|(?P<whole><[a-z][a-z0-9+.-]*:[^\s<>]*>|&\#?\w{1,32};|!?\[(?:[^\[\]\\\n]|\\.)*\]\((?:[^()\s]|\([^()\s]*\))*"
    r'(?: +"[^"\n]*")?\))'
    r"|(?P<run>\*+|_+|~{2,}|\|{2})",
    re.DOTALL | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineSpan:
    """What lies between `inner_start` and `inner_end` is marked by `marker` on both sides.

    Nothing is inside where the span may not be cut at all: a link, an entity, an escaped character.
    """

    start: int
    inner_start: int
    inner_end: int
    end: int
    marker: str = ""


@dataclass(slots=True)
class _Run:
    mark: str
    start: int
    length: int


def inline_spans(text: str, start: int, end: int) -> Iterator[InlineSpan]:
    """The spans of the paragraph `text[start:end]`; a nested one is within another, or beside it.

    The rules are CommonMark's for emphasis, less its rule of threes, and for code; `~~` strikes through and `||` hides,
    as on chat platforms: https://spec.commonmark.org/0.31.2/#emphasis-and-strong-emphasis
    """
    position = start
    open_runs: list[_Run] = []
    while (match := _TOKEN.search(text, position, end)) is not None:
        position = match.end()
        if match["ticks"]:
            closing = _closing_ticks(text, match.end(), end, len(match["ticks"]))
            if closing is not None:
                yield InlineSpan(
                    start=match.start(),
                    inner_start=match.end(),
                    inner_end=closing,
                    end=(position := closing + len(match["ticks"])),
                    marker=match["ticks"],
                )
        elif match["run"]:
            yield from _pair(text, _Run(match["run"][0], match.start(), len(match["run"])), open_runs)
        else:
            yield InlineSpan(start=match.start(), inner_start=match.end(), inner_end=match.start(), end=match.end())


def _closing_ticks(text: str, start: int, end: int, length: int) -> int | None:
    for match in re.compile("`+").finditer(text, start, end):
        if len(match[0]) == length:
            return match.start()
    return None


def _pair(text: str, run: _Run, open_runs: list[_Run]) -> Iterator[InlineSpan]:
    before = text[run.start - 1 : run.start] or " "
    after = text[run.start + run.length : run.start + run.length + 1] or " "
    left = not after.isspace() and (not _punctuation(after) or before.isspace() or _punctuation(before))
    right = not before.isspace() and (not _punctuation(before) or after.isspace() or _punctuation(after))
    opens = left and (run.mark != "_" or not right or _punctuation(before))
    closes = right and (run.mark != "_" or not left or _punctuation(after))
    while closes and run.length:
        index = next((at for at in reversed(range(len(open_runs))) if open_runs[at].mark == run.mark), None)
        if index is None:
            break
        opener = open_runs[index]
        del open_runs[index + 1 :]
        length = 2 if min(opener.length, run.length) > 1 else 1
        inner_start = opener.start + opener.length
        yield InlineSpan(
            start=inner_start - length,
            inner_start=inner_start,
            inner_end=run.start,
            end=run.start + length,
            marker=run.mark * length,
        )
        opener.length -= length
        run.start += length
        run.length -= length
        if not opener.length:
            del open_runs[index]
    if opens and run.length:
        open_runs.append(run)


def _punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"
