"""A text in a form in which the same words are the same characters, and the way back to where they stood."""

import re
import unicodedata
from dataclasses import dataclass

_LIKE = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        "。": ".",
        "、": ",",
        "，": ",",
        "：": ":",
        "；": ";",
    }
)
_WORD = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\W_\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]+")


@dataclass(frozen=True, slots=True)
class Span:
    """Where something stands in a text: from character `start` up to, without, `end`."""

    start: int
    end: int


class NormalText:
    """Lower case, no accents, one kind of dash and quote, full-width characters as usual ones, single spaces."""

    def __init__(self, source: str) -> None:
        self.source = source
        characters: list[str] = []
        places: list[int] = []
        for place, character in enumerate(source):
            for piece in _normal(character):
                if piece == " " and (not characters or characters[-1] == " "):
                    continue
                characters.append(piece)
                places.append(place)
        self.text = "".join(characters)
        self._places = places
        self.words = [(match[0], match.start(), match.end()) for match in _WORD.finditer(self.text)]

    def span(self, start: int, end: int) -> Span:
        """Where in the source the characters `start` to `end` of the normal text stand."""
        return Span(self._places[start], self._places[end - 1] + 1)

    def find(self, value: str) -> Span | None:
        """The first place where `value` stands by itself, not inside a longer word or number."""
        wanted = NormalText(value).text.strip(" \"'.,;:!?()")
        if not wanted:
            return None
        start = self.text.find(wanted)
        while start >= 0:
            end = start + len(wanted)
            if not (self._joined(start) or self._joined(end)):
                return self.span(start, end)
            start = self.text.find(wanted, start + 1)
        return None

    def find_near(self, value: str) -> Span | None:
        """The place where all words of `value` stand close together, in any order; two of them at least."""
        wanted = [word for word, _, _ in NormalText(value).words]
        if len(wanted) < 2:  # noqa: PLR2004 - one word is near itself everywhere
            return None
        widest = len(wanted) + 1 + len(wanted) // 3
        needed = set(wanted)
        for first, (word, start, _) in enumerate(self.words):
            if word not in needed:
                continue
            missing = list(wanted)
            for other, _, end in self.words[first : first + widest]:
                if other in missing:
                    missing.remove(other)
                    if not missing:
                        return self.span(start, end)
        return None

    def _joined(self, place: int) -> bool:
        """Whether a word goes on across this place."""
        if not 0 < place < len(self.text):
            return False
        return _is_spelled(self.text[place - 1]) and _is_spelled(self.text[place])


def _normal(character: str) -> str:
    if character.isascii():
        return " " if character.isspace() else character.lower().translate(_LIKE)
    pieces = unicodedata.normalize("NFKD", character.translate(_LIKE)).casefold()
    kept = "".join(piece for piece in pieces if not unicodedata.combining(piece))
    # What holds no place, such as a joiner or a direction mark, stands between no two letters.
    return "".join(" " if piece.isspace() else piece for piece in kept if unicodedata.category(piece) != "Cf")


def _is_spelled(character: str) -> bool:
    """Whether it is part of a word whose ends are seen; Chinese and Japanese words have none."""
    return character.isalnum() and not ("\u2e80" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff")
