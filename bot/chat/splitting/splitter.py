"""Splits a text into messages."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence

import regex

from bot.chat.splitting.outline import Outline
from bot.chat.splitting.part import Part

_SENTENCE = re.compile(r"[.!?…][\"'\u201d\u2019\u00bb)\]]*\s+|[\u3002\uff01\uff1f]\s*")
_WORD = re.compile(r"\s+")
_GRAPHEME = regex.compile(r"\X")
_GOES_ON = regex.compile(r"\p{GCB=Extend}|\p{GCB=SpacingMark}|\p{GCB=ZWJ}")
"""Characters that belong to the one before them, a space too."""
_LEAST_FILLED = 4
"""A part is filled to a quarter at least, if need be by a cut at a lesser place."""
_MENDING = 3
"""Added markup may take a third of a part; more of it is left out, as something is wrong with such a text."""
_ROUNDS = 12


class Splitter:
    """Cuts at a paragraph, else a line, a sentence, a word, and else between two graphemes, as late as possible.

    Nothing is left out: the parts' slices are the whole text. What is open at a cut is closed, and opened again in the
    next part: blocks of code with their language, quotations, tables with their head, emphasis. Lists that were cut
    deep inside are moved to the left. White space at a cut is not shown.
    """

    def __init__(self, *, max_length: int | None, measure: Callable[[str], int] = len, plain: bool = False) -> None:
        """`measure` is the length of a Markdown text as it is sent; with `plain`, the text is sent as it is."""
        self._max_length = max_length
        self._measure = measure
        self._plain = plain

    def split(self, text: str, starts: Sequence[int] = ()) -> list[Part]:
        """The parts of `text`, one at least. `starts`: where the second part and some after it begin already.

        Starts are kept as long as what lies between them fits.
        """
        if self._max_length is None or not text:
            return [Part(start=0, end=len(text), text=text)]
        outline = Outline(text, plain=self._plain)
        return list(self._parts(outline, self._max_length, [place for place in starts if 0 < place < len(text)]))

    def _parts(self, outline: Outline, limit: int, starts: Sequence[int]) -> Iterator[Part]:
        length = len(outline.text)
        start = 0
        for end in starts:
            shown = self._shown(outline, start, end, limit)
            if end <= start or self._measure(shown) > limit:
                break  # what follows has changed what is open at the cut, or the text is another one
            yield Part(start=start, end=end, text=shown)
            start = end
        while start < length:
            end = self._end(outline, start, limit)
            shown = self._shown(outline, start, end, limit)
            if shown[-1:].isspace() and self._measure(shown) > limit:
                shown = shown.rstrip()  # the whole text, and what was too much of it is white space
            yield Part(start=start, end=end, text=shown)
            start = end

    def _end(self, outline: Outline, start: int, limit: int) -> int:
        """Where the part that begins at `start` ends."""
        length = len(outline.text)

        def fits(end: int) -> bool:
            return self._measure(self._shown(outline, start, end, limit)) <= limit

        # One character fits; a text of white space shows nothing and fits too.
        most = self._reach(start, length, fits, limit)
        if most == length:
            return length
        for end in _candidates(outline, start, most):
            if fits(end):
                # Nothing but white space is no message.
                return end if outline.text[end:].strip() or outline.in_code(end) else length
        return max(start + 1, most)

    def _reach(self, start: int, length: int, fits: Callable[[int], bool], limit: int) -> int:
        """The furthest end that fits, give or take what markup a cut adds."""
        good, bad = start, length + 1
        guess = min(length, start + limit)
        while good + 1 < bad:
            if fits(guess):
                good = guess
                guess = min(length, (good + bad) // 2 if bad <= length else good + limit)
                if good == length:
                    break
            else:
                bad = guess
                guess = (good + bad) // 2
        return good

    def _shown(self, outline: Outline, start: int, end: int, limit: int) -> str:
        body = outline.text[start:end]
        if start == 0 and end == len(outline.text):
            return body
        opening = outline.opening(start) if start and not self._plain else ""
        closing = outline.closing(end) if end < len(outline.text) and not self._plain else ""
        if (len(opening) + len(closing)) * _MENDING > limit:
            return body.strip()
        if start and not self._plain:
            body = _moved(body, outline.quote(start), outline.indent(start))
        if not (end < len(outline.text) and outline.in_code(end)):
            body = body.rstrip()
        elif body.endswith("\n"):
            body = body[:-1]
        if not opening:
            body = body.lstrip("\n")
        if closing.startswith("`") and body.endswith("`"):
            body += " "
        return opening + body + closing


def _candidates(outline: Outline, start: int, most: int) -> Iterator[int]:
    """Places to cut, the best first."""
    least = start + (most - start) // _LEAST_FILLED
    for places in (
        _within(outline.paragraph_starts, least, most),
        _within(outline.line_starts, least, most),
        _after(_SENTENCE, outline, least, most),
        _after(_WORD, outline, least, most),
        _graphemes(outline, start, most),
        _after(_WORD, outline, start, most),
    ):
        found = [place for place in places if place > start and outline.may_cut(place)]
        yield from found[: -_ROUNDS - 1 : -1]
    # What may not be cut is longer than a message: a link, or the head of a table.
    yield from _graphemes(outline, start, most)[: -_ROUNDS - 1 : -1]


def _within(places: Sequence[int], least: int, most: int) -> Sequence[int]:
    return places[bisect_left(places, least) : bisect_right(places, most)]


def _after(pattern: re.Pattern[str], outline: Outline, least: int, most: int) -> list[int]:
    """Behind each match; what a cut within a word of code would be is left to `_WORD`."""
    # One character further: the white space before `most` may go on there.
    ends = [match.end() for match in pattern.finditer(outline.text, least, min(len(outline.text), most + 1))]
    return [
        end
        for end in ends
        if end <= most and not (pattern is _SENTENCE and outline.in_code(end)) and not _GOES_ON.match(outline.text, end)
    ]


def _graphemes(outline: Outline, start: int, most: int) -> list[int]:
    window = outline.text[start : most + 64]
    return [start + match.end() for match in _GRAPHEME.finditer(window) if start + match.end() <= most]


def _moved(body: str, quote: str, indent: int) -> str:
    if not indent:
        return body
    lines = body.split("\n")
    return "\n".join(
        quote + _outdented(line[len(quote) :], indent) if quote and line.startswith(quote) else _outdented(line, indent)
        for line in lines
    )


def _outdented(line: str, indent: int) -> str:
    return line[min(indent, len(line) - len(line.lstrip(" "))) :]
