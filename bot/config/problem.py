"""One thing that is wrong with the configuration."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from bot.config.document import KeyPath, Mark, format_path, printable
from bot.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong and where. `mark` is None only where there is no file to point into."""

    file: str
    text: str
    mark: Mark | None = None
    path: KeyPath = ()

    def __str__(self) -> str:
        place = f"{printable(self.file)}:"
        if self.mark:
            place += f"{self.mark.line}:{self.mark.column}:"
        key = f" {format_path(self.path)}:" if self.path else ""
        return f"{place}{key} {self.text}"


def config_error(problems: Iterable[Problem]) -> ConfigError:
    """The error that lists all of `problems` in the order of the file, each once."""
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: (problem.mark or Mark(0, 0), problem.text))
    if len(ordered) == 1:
        return ConfigError(str(ordered[0]))
    lines = [f"{len(ordered)} problems in the configuration:", *(f"  {problem}" for problem in ordered)]
    return ConfigError("\n".join(lines))


def did_you_mean(word: str, known: Collection[str]) -> str:
    """`; did you mean ...?` with the known word that is nearest to `word`, or nothing where none is near."""
    by_lower = {name.lower(): name for name in known}
    nearest = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[nearest[0]]}?" if nearest else ""
