"""One message of a text that was split."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`text[start:end]` of the whole, and what is shown of it."""

    start: int
    end: int
    text: str
    """With markup closed at its end that is open in the whole, and opened again at its beginning."""
