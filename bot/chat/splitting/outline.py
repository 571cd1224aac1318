"""What a cut at any place of a text would tear apart, and how to mend it."""

from bisect import bisect_right
from functools import cached_property

from bot.chat.splitting.block_scan import BlockScan, scan_plain
from bot.chat.splitting.inline_span import InlineSpan, inline_spans
from bot.chat.splitting.line import Line


class Outline:
    """A text, read as Markdown or as plain."""

    def __init__(self, text: str, *, plain: bool = False) -> None:
        self.text = text
        self.lines: list[Line] = list(scan_plain(text) if plain else BlockScan(text).lines())
        self._plain = plain
        self._starts = [line.start for line in self.lines]
        self._spans: dict[int, list[InlineSpan]] = {}

    def line_at(self, place: int) -> int:
        """Index of the line that a cut at `place` leaves, or begins, the rest of."""
        return bisect_right(self._starts, place) - 1

    def may_cut(self, place: int) -> bool:
        """Whether both sides can be mended."""
        index = self.line_at(place)
        line = self.lines[index]
        if place == line.start:
            before = self.lines[index - 1] if index else None
            orphans = before is not None and before.kind == "fence_open"
            return line.kind not in {"fence_close", "table_rule"} and not orphans and not self._under_rule(index)
        if line.kind in {"fence_open", "fence_close", "table_head", "table_rule"}:
            return False
        if place < line.start + len(line.lead):
            return False
        return all(
            place <= span.start or place >= span.end or span.inner_start < place < span.inner_end
            for span in self._spans_at(place)
        )

    def opening(self, place: int) -> str:
        """What a part that begins at `place` needs in front."""
        line = self.lines[self.line_at(place)]
        inside = place > line.start
        opening = line.fence.opening if line.fence is not None else ""
        if line.table_head and not inside:
            opening += line.table_head
        if inside:
            opening += line.lead
        return opening + "".join(span.marker for span in self._open_spans(place))

    def closing(self, place: int) -> str:
        """What a part that ends at `place` needs behind."""
        line = self.lines[self.line_at(place)]
        if line.fence is not None:
            return f"\n{line.fence.closing}"
        return "".join(span.marker for span in reversed(self._open_spans(place)))

    def indent(self, place: int) -> int:
        """How many columns the lines of a part that begins at `place` are moved to the left at most."""
        line = self.lines[self.line_at(place)]
        return line.fence.indent if line.fence is not None else line.indent

    def quote(self, place: int) -> str:
        """The marks of the quotation that `place` is in."""
        return self.lines[self.line_at(place)].quote

    def in_code(self, place: int) -> bool:
        """Whether white space at `place` means something."""
        return self.lines[self.line_at(place)].fence is not None

    @cached_property
    def paragraph_starts(self) -> list[int]:
        """Places where a new block begins, not right under its heading."""
        found = []
        for before, line in zip(self.lines, self.lines[1:], strict=False):
            if line.kind in {"blank", "code", "fence_close", "table_rule", "row"}:
                continue
            ends = before.kind in {"blank", "fence_close"} or line.kind in {"fence_open", "heading"}
            ends = ends or (self._plain and before.kind == "blank")
            if ends and not self._heads(line):
                found.append(line.start)
        return found

    @cached_property
    def line_starts(self) -> list[int]:
        """Places where a line begins that shows something, or is code."""
        return [line.start for line in self.lines[1:] if line.kind != "blank"]

    def _heads(self, line: Line) -> bool:
        """Whether the last that shows something before `line` is a heading."""
        index = self.line_at(line.start) - 1
        while index >= 0 and self.lines[index].kind == "blank":
            index -= 1
        return index >= 0 and self.lines[index].kind == "heading"

    def _under_rule(self, index: int) -> bool:
        """The first row of a table would leave its head behind alone."""
        return index > 0 and self.lines[index - 1].kind == "table_rule" and self.lines[index].kind == "row"

    def _open_spans(self, place: int) -> list[InlineSpan]:
        """Outermost first."""
        spans = [span for span in self._spans_at(place) if span.inner_start < place < span.inner_end]
        return sorted(spans, key=lambda span: span.start)

    def _spans_at(self, place: int) -> list[InlineSpan]:
        index = self.line_at(place)
        line = self.lines[index]
        if self._plain or line.kind not in {"text", "heading", "row", "table_head"}:
            return []
        first = index
        while first and not self.lines[first].begins and self.lines[first - 1].kind == "text":
            first -= 1
        start = self.lines[first].start
        if start not in self._spans:
            last = first
            while (
                last + 1 < len(self.lines) and self.lines[last + 1].kind == "text" and not self.lines[last + 1].begins
            ):
                last += 1
            self._spans[start] = list(inline_spans(self.text, start, self.lines[last].end))
        return self._spans[start]
