"""What a benchmark found: a table, a plot, and whether it reached what was wanted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One figure against what was wanted of it."""

    what: str
    figure: float
    limit: float
    at_least: bool = False
    """Whether the limit is the least that will do; else it is the most."""
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether it was reached."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    def as_text(self) -> str:
        """Return a line of Markdown."""
        wanted = "at least" if self.at_least else "at most"
        verdict = "reached" if self.met else "**missed**"
        return f"- {self.what}: {self.figure:.3g}{self.unit} ({wanted} {self.limit:.3g}{self.unit}): {verdict}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Lines over a common axis, or one bar each where a series has one value."""

    x_label: str
    y_label: str
    series: Mapping[str, Sequence[float]]
    x: Sequence[float] = ()
    """Where the values are; 1, 2, 3 ... when empty."""
    log_y: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything about one benchmark."""

    name: str
    title: str
    about: str
    """What was done, in a sentence or two."""
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    reaches: Sequence[Reach] = ()
    plot: Plot | None = None
    missing: Sequence[str] = ()
    """Peers that could not be measured."""
    raw: Mapping[str, object] = field(default_factory=dict)
    """Every figure, for programs."""

    def as_markdown(self) -> str:
        """Return the section for a page."""
        lines = [f"### {self.title}", "", self.about, ""]
        lines += [_row(self.header), _row(["---"] * len(self.header)), *map(_row, self.rows), ""]
        if self.missing:
            lines += [f"Not measured, because not installed: {', '.join(self.missing)}.", ""]
        if self.reaches:
            lines += [*(reach.as_text() for reach in self.reaches), ""]
        if self.plot is not None:
            lines += [f"![{self.title}](results/{self.name}.png)", ""]
        return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def milliseconds(seconds: float) -> str:
    """A duration as tables have it."""
    return f"{seconds * 1000:.0f}"
