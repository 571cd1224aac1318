"""Cuts a long text at the ends of sentences."""

import re
from collections.abc import Sequence
from itertools import pairwise

_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+(?=[\"'(\[]?[^\W_a-z])|(?<=[。！？])|\n\s*\n|\n(?=\s*[-*•#|\d])|\n")
_OVERLAP = 0.1
"""Share of a part that the next one begins with, so that what stands across the cut is whole in one of them."""


def sentences(text: str) -> list[str]:
    """The sentences and lines of a text, with the space behind them; joined they are the text."""
    cuts = [0, *(match.end() for match in _END.finditer(text)), len(text)]
    return [text[start:end] for start, end in pairwise(cuts) if end > start]


def chunks(text: str, longest: int) -> Sequence[str]:
    """Parts of at most `longest` characters that overlap, cut between sentences where these are not too long."""
    if len(text) <= longest:
        return [text]
    pieces = [
        sentence[start : start + longest] for sentence in sentences(text) for start in range(0, len(sentence), longest)
    ]
    parts: list[str] = []
    current: list[str] = []
    size = 0
    for piece in pieces:
        if current and size + len(piece) > longest:
            parts.append("".join(current))
            current = _tail(current, min(int(longest * _OVERLAP), longest - len(piece)))
            size = sum(map(len, current))
        current.append(piece)
        size += len(piece)
    parts.append("".join(current))
    return [part for part in parts if part.strip()]


def _tail(pieces: Sequence[str], longest: int) -> list[str]:
    """The last sentences that are together not longer than this."""
    kept: list[str] = []
    for piece in reversed(pieces):
        if sum(map(len, kept)) + len(piece) > longest:
            break
        kept.insert(0, piece)
    return kept
