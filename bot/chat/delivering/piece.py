"""One message of an answer, as it is to be shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.adapter import ReplyLimits
from bot.chat.splitting.splitter import Splitter


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of the answer's text, as Markdown or as it is."""

    start: int
    end: int
    text: str
    plain: bool = False


def pieces(text: str, limits: ReplyLimits, starts: Sequence[int] = ()) -> list[Piece]:
    """The messages of a text; `starts` as in `Splitter.split`."""
    splitter = Splitter(max_length=limits.max_length, measure=limits.measure)
    return [Piece(start=part.start, end=part.end, text=part.text) for part in splitter.split(text, starts)]


def plain_pieces(piece: Piece, text: str, limits: ReplyLimits) -> list[Piece]:
    """The same part of `text` for a platform that refused it as Markdown."""
    splitter = Splitter(max_length=limits.max_length, measure=utf16_length, plain=True)
    return [
        Piece(start=piece.start + part.start, end=piece.start + part.end, text=part.text, plain=True)
        for part in splitter.split(text[piece.start : piece.end])
    ]


def utf16_length(text: str) -> int:
    """The longest of the ways in which platforms count plain text (Telegram's; others count code points)."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
