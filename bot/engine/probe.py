"""Finds settings under which a model really runs here, and runs well, by trying them in child processes.

A native crash (an illegal instruction, AMX on a virtual machine that only pretends to have it), an out-of-memory kill
or a failed allocation cannot be caught in process. So the first time a model, a library and settings meet, a child
loads the model and decodes once; as long as it dies, one thing is switched off and the next child is tried. Then
another child measures what suits this machine, see `bot.engine.tuning`. The answer is remembered.
"""

import hashlib
import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from bot.engine.child import run_child
from bot.engine.cpu import cpu_description
from bot.engine.gpu_devices import gpu_devices
from bot.engine.load_gauge import LoadGauge
from bot.engine.load_params import ALL_LAYERS, LoadParams
from bot.engine.measurement import Measurement
from bot.engine.probe_answers import ProbeAnswer, ProbeAnswers
from bot.errors import ModelLoadError

_LOGGER = logging.getLogger(__name__)
_CHILD = (sys.executable, "-m", "bot.engine.probe_child")
_TUNING_CHILD = (sys.executable, "-m", "bot.engine.tuning_child")
_TIMEOUT_S = 1800.0
"""A 13B model on a slow disk takes minutes; a child that hangs must not hang the start for ever."""
_TUNING_TIMEOUT_S = 300.0
"""By now the model's file is in the page cache, and measuring bounds itself."""
_TUNING_BUDGET_S = 20.0
_BUSY = 0.2
"""Share of the CPUs' time that other programs may take while this one is measured."""
_MOST_BUSY_TIMES = 3
_MOST_LAYERS = 256
_SMALLEST_CTX = 1024


@dataclass(frozen=True, slots=True)
class _Step:
    params: LoadParams
    change: str


class Probe:
    """Asks once and remembers."""

    def __init__(
        self,
        answers: Path,
        *,
        notify: Callable[[str], None],
        child: Sequence[str] = _CHILD,
        timeout_s: float = _TIMEOUT_S,
        tuning_child: Sequence[str] = _TUNING_CHILD,
        tuning_timeout_s: float = _TUNING_TIMEOUT_S,
        tuning_budget_s: float = _TUNING_BUDGET_S,
        gauge: Callable[[], LoadGauge] = LoadGauge,
    ) -> None:
        """`answers` is a JSON file.

        `child` is the command that tries the parameters it gets as JSON on standard input; `tuning_child` gets them
        with `budget_s`, the time its measurements may take, and prints each as a line of JSON.
        """
        self._answers = ProbeAnswers(answers)
        self._notify = notify
        self._child = tuple(child)
        self._timeout_s = timeout_s
        self._tuning_child = tuple(tuning_child)
        self._tuning_timeout_s = tuning_timeout_s
        self._tuning_budget_s = tuning_budget_s
        self._gauge = gauge

    def find(self, wanted: LoadParams) -> ProbeAnswer:
        """Find what is nearest to `wanted` and works, tuned. Raises `ModelLoadError` when nothing works."""
        key = self._key(wanted)
        answer = self._answers.get(key)
        if answer is None:
            self._notify("Trying this model once in a child process (only the first time) ...")
            answer = self._search(wanted)
            self._answers.put(key, answer)
        else:
            _LOGGER.info("probe: remembered answer: %s", answer.change or "runs as configured")
        if answer.change:
            self._notify(answer.change)
        if not answer.settled:
            answer = self._tune(answer)
            self._answers.put(key, answer)
        return answer

    def remembered(self, wanted: LoadParams) -> ProbeAnswer | None:
        """What `find` found out; None if it was never asked, or its answer could not be kept. Starts no child."""
        return self._answers.get(self._key(wanted))

    def _search(self, wanted: LoadParams) -> ProbeAnswer:
        signals = set()
        failure = ""
        for step in _ladder(wanted):
            outcome = run_child(self._child, step.params.to_json(), timeout_s=self._timeout_s)
            failure = outcome.failure
            if not failure:
                return ProbeAnswer(params=step.params, change=step.change, measurements=None)
            _LOGGER.warning("probe: %s: %s", step.change or "as configured", failure)
            signals.add(outcome.signal)
        if signals == {signal.SIGILL}:
            raise ModelLoadError(
                "the installed llama.cpp was compiled for another CPU than this machine's: every try ended with an "
                "illegal instruction (SIGILL). Run `make rebuild` to compile it again for this machine"
            )
        raise ModelLoadError(f"{wanted.path}: this model does not run here, whatever is switched off: {failure}")

    def _tune(self, answer: ProbeAnswer) -> ProbeAnswer:
        """Measure. What fails or takes too long leaves the defaults, and what was measured before that counts.

        So does a machine that is busy, until it was found busy so often that it seems to be like that.
        """
        self._notify("Measuring what suits this machine (only the first time) ...")
        gauge = self._gauge()
        request = {"params": answer.params.to_json(), "budget_s": self._tuning_budget_s}
        outcome = run_child(self._tuning_child, request, timeout_s=self._tuning_timeout_s)
        if outcome.failure:
            _LOGGER.warning("probe: measuring ended early: %s", outcome.failure)
        if gauge.others() > _BUSY and answer.busy_times < _MOST_BUSY_TIMES:
            self._notify("The machine was busy with something else: it will be measured again at the next start.")
            return replace(answer, busy_times=answer.busy_times + 1)
        tuned = replace(answer, measurements=_measurements(outcome.output))
        chosen = tuned.chosen
        if chosen is None:
            self._notify("Measuring did not work here; the usual settings stay.")
            return tuned
        self._notify(f"Measured: this machine {chosen}.")
        params = replace(chosen.choice.put_into(answer.params), prefill_tokens_per_s=1 / chosen.read_s)
        return replace(tuned, params=params)

    def _key(self, wanted: LoadParams) -> str:
        """Same model files, same settings, same library, same CPU, and same cards where the settings use any."""
        stats = [Path(path).stat() for path in (wanted.path, *(path for path, _ in wanted.lora))]
        parts = (
            json.dumps(wanted.to_json(), sort_keys=True),
            *(f"{stat.st_size} {stat.st_mtime_ns}" for stat in stats),
            version("llama-cpp-python"),
            cpu_description(),
            *(card.description for card in (gpu_devices() if wanted.n_gpu_layers else ())),
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _measurements(output: str) -> tuple[Measurement, ...]:
    """The lines that a child printed, up to the first that it was killed over."""
    found = []
    for line in output.splitlines():
        try:
            found.append(Measurement.from_json(json.loads(line)))
        except (ValueError, TypeError, KeyError):
            break
    return tuple(found)


def _ladder(wanted: LoadParams) -> Iterator[_Step]:
    """From what was asked for down to what runs nearly everywhere, one thing given up at a time."""
    yield _Step(wanted, "")
    params = replace(wanted, use_extra_bufts=False)
    given_up = ["CPU extra buffers (AMX, repacking) off"]
    yield _Step(params, _sentence(given_up))
    layers = _MOST_LAYERS if params.n_gpu_layers == ALL_LAYERS else params.n_gpu_layers
    while layers:
        layers //= 2
        params = replace(params, n_gpu_layers=layers)
        yield _Step(params, _sentence([*given_up, f"n_gpu_layers {layers}"]))
    if wanted.n_gpu_layers:
        given_up.append("n_gpu_layers 0")
    if params.max_parallel > 1:
        params = replace(params, max_parallel=1)
        given_up.append("max_parallel 1")
        yield _Step(params, _sentence(given_up))
    while params.n_ctx // 2 >= _SMALLEST_CTX:
        params = replace(params, n_ctx=params.n_ctx // 2)
        yield _Step(params, _sentence([*given_up, f"n_ctx {params.n_ctx}"]))


def _sentence(given_up: list[str]) -> str:
    return f"This model does not run here as configured; it runs with: {', '.join(given_up)}."
