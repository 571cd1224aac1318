"""A Markdown table as text that lines up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from markdown_it.token import Token
from rich.cells import cell_len

Alignment = Literal["left", "center", "right"]


@dataclass(slots=True, kw_only=True)
class Table:
    """Cells by row, the head first."""

    alignments: list[Alignment] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    @classmethod
    def of(cls, tokens: Sequence[Token], within: Callable[[str], Sequence[Token]]) -> "Table":
        """The table that `tokens` describe, from `table_open` to `table_close`; `within` reads what is in a cell."""
        table = cls()
        for token in tokens:
            match token.type:
                case "tr_open":
                    table.rows.append([])
                case "th_open":
                    table.alignments.append(_alignment(token))
                case "inline":
                    table.rows[-1].append(_plain(within(token.content)))
        return table

    def draw(self) -> str:
        """Columns padded to their widest cell, with a rule under the head."""
        widths = [max(1, *(cell_len(cell) for cell in column)) for column in zip(*self.rows, strict=True)]
        head, *body = (self._line(row, widths) for row in self.rows)
        return "\n".join([head, "  ".join("─" * width for width in widths), *body])

    def _line(self, row: Sequence[str], widths: Sequence[int]) -> str:
        cells = (_pad(*each) for each in zip(row, widths, self.alignments, strict=True))
        return "  ".join(cells).rstrip()


def _alignment(token: Token) -> Alignment:
    style = str(token.attrs.get("style", ""))
    if "center" in style:
        return "center"
    return "right" if "right" in style else "left"


def _plain(tokens: Sequence[Token]) -> str:
    """A cell's text without marks, which mean nothing in a code block."""
    parts = (" " if child.type in {"softbreak", "hardbreak"} else child.content for child in tokens)
    text = "".join(part for part in parts)
    return text.replace("<br>", " ").replace("<br/>", " ").replace("<br />", " ")


def _pad(cell: str, width: int, alignment: Alignment) -> str:
    room = width - cell_len(cell)
    before = {"left": 0, "center": room // 2, "right": room}[alignment]
    return " " * before + cell + " " * (room - before)
