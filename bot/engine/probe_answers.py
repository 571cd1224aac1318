"""What the probe found, kept in a JSON file."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bot.engine.load_params import LoadParams
from bot.engine.measurement import Measurement
from bot.engine.tuning import choose

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAnswer:
    """Settings under which a model runs here."""

    params: LoadParams
    change: str
    """What was given up, for people; empty for what the owner asked for."""
    measurements: tuple[Measurement, ...] | None
    """What the tuning was chosen from, empty if measuring failed; None before it was tried, or if it is off."""
    busy_times: int = 0
    """How often what was measured was thrown away, as the machine did something else at the time."""

    @property
    def chosen(self) -> Measurement | None:
        """The choice that `params` have, with its figures, if anything was measured."""
        return choose(self.measurements or ())

    @property
    def settled(self) -> bool:
        """Whether there is nothing left to measure."""
        return self.params.tunable is None or self.measurements is not None

    def to_json(self) -> dict[str, Any]:
        """A mapping that `from_json` understands."""
        measurements = None if self.measurements is None else [each.to_json() for each in self.measurements]
        return {
            "params": self.params.to_json(),
            "change": self.change,
            "measurements": measurements,
            "busy_times": self.busy_times,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what `to_json` wrote. Raises `TypeError`, `KeyError` or `ValueError` for anything else."""
        measurements = data["measurements"]
        return cls(
            params=LoadParams.from_json(data["params"]),
            change=data["change"],
            busy_times=data["busy_times"],
            measurements=None if measurements is None else tuple(Measurement.from_json(each) for each in measurements),
        )


class ProbeAnswers:
    """Answers by key. A damaged file is as good as none, and one that cannot be written costs only the memory."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, key: str) -> ProbeAnswer | None:
        """The answer to a question that was asked before."""
        return self._read().get(key)

    def put(self, key: str, answer: ProbeAnswer) -> None:
        """Remember an answer."""
        answers = {**self._read(), key: answer}
        temporary = self._path.with_suffix(".tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary.write_text(json.dumps({each: kept.to_json() for each, kept in answers.items()}, indent=1))
            temporary.replace(self._path)
        except OSError as error:
            _LOGGER.warning("probe: the answer cannot be remembered: %s", error)

    def _read(self) -> dict[str, ProbeAnswer]:
        try:
            answers = json.loads(self._path.read_text())
            return {key: ProbeAnswer.from_json(answer) for key, answer in answers.items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}
