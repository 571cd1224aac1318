"""A file that was read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Its text, without what only a screen needs."""

    name: str
    text: str
    pages: int | None = None
    """Of a PDF."""
