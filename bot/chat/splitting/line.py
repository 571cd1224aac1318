"""One line of a Markdown text, with what it is part of."""

from dataclasses import dataclass
from typing import Literal

LineKind = Literal["blank", "text", "heading", "fence_open", "code", "fence_close", "table_head", "table_rule", "row"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A block of code (https://spec.commonmark.org/0.31.2/#fenced-code-blocks)."""

    quote: str
    """What its lines begin with where it stands in a quotation."""
    indent: int
    """Columns before its marks."""
    marks: str
    info: str
    """The language, mostly."""

    @property
    def opening(self) -> str:
        """The line that begins it anew."""
        return f"{self.quote}{self.marks}{self.info}\n"

    @property
    def closing(self) -> str:
        """The line that ends it."""
        return f"{self.quote}{self.marks}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`text[start:end]`, its end of line included."""

    start: int
    end: int
    kind: LineKind
    quote: str = ""
    """The marks of a quotation it begins with."""
    lead: str = ""
    """What has to stand in front of its rest where it is cut: marks of a quotation and of a heading."""
    indent: int = 0
    """Spaces after the marks of the quotation that only say how deep in a list it is."""
    fence: Fence | None = None
    """The block of code that it belongs to."""
    table_head: str = ""
    """The head of the table of which it is a row."""
    begins: bool = False
    """A paragraph of its own begins here."""
