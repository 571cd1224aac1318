"""A configuration file that was read: plain values, and where each of them stands."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

KeyPath = tuple[str | int, ...]
"""Keys from the top of the file down; a whole number counts the entries of a list from 0, or is a numeric key."""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file, both counted from 1. Columns are characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Where one key and its value stand."""

    key: Mark
    value: Mark
    text: str | None = None
    """The value as it is written, where it is a plain word or number; None for quoted text, lists and sections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The values of one file. `entries` has every key path that the file mentions; the empty one is the whole file."""

    file: str
    data: Mapping[str | int, Any]
    entries: Mapping[KeyPath, Entry]
    broken: frozenset[KeyPath] = frozenset()
    """Paths whose value could not be made sense of; the reader has said so."""

    def nearest(self, path: KeyPath) -> Entry:
        """The entry of `path`, or of the innermost section around it that the file has."""
        while path and path not in self.entries:
            path = path[:-1]
        return self.entries.get(path, Entry(key=Mark(1, 1), value=Mark(1, 1)))

    def renamed(self, names: Mapping[KeyPath, KeyPath]) -> "Document":
        """The same document, where what stands at each path in `names` is found under its other path too."""
        entries = dict(self.entries)
        for old, new in names.items():
            below = {path: entry for path, entry in entries.items() if path[: len(old)] == old}
            entries |= {(*new, *path[len(old) :]): entry for path, entry in below.items()}
        return replace(self, entries=entries)

    def where(self, path: KeyPath) -> str:
        """`file:line` of the key."""
        return f"{self.file}:{self.nearest(path).key.line}"


def printable(text: str) -> str:
    """`text` on one line, with everything escaped that a terminal would act on or could not show."""
    shown = (c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
    return "".join(shown)


def format_path(path: KeyPath) -> str:
    """`personas.cook.examples[0].user`; keys with dots or spaces are quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        plain = part.replace("_", "").replace("-", "").isalnum()
        text += ("." if text else "") + (part if plain else f'"{printable(part)}"')
    return text
