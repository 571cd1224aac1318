"""Finds settings under which a model really runs here, by trying them in a child process.

A native crash (an illegal instruction, AMX on a virtual machine that only pretends to have it), an out-of-memory kill
or a failed allocation cannot be caught in process. So the first time a model, a library and settings meet, a child
loads the model and decodes once; as long as it dies, one thing is switched off and the next child is tried. The answer
is remembered.
"""

import hashlib
import json
import logging
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bot.engine.cpu import cpu_description
from bot.engine.load_params import ALL_LAYERS, LoadParams
from bot.errors import ModelLoadError

_LOGGER = logging.getLogger(__name__)
_CHILD = (sys.executable, "-m", "bot.engine.probe_child")
_TIMEOUT_S = 1800.0
"""A 13B model on a slow disk takes minutes; a child that hangs must not hang the start for ever."""
_MOST_LAYERS = 256
_SMALLEST_CTX = 1024


@dataclass(frozen=True, slots=True)
class _Step:
    params: LoadParams
    change: str
    """What was given up, for people; empty for what the owner asked for."""


class Probe:
    """Remembers its answers in a JSON file; a damaged file is as good as none."""

    def __init__(
        self,
        answers: Path,
        *,
        notify: Callable[[str], None],
        child: Sequence[str] = _CHILD,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        """`child` is the command that tries the parameters it gets as JSON on standard input."""
        self._answers = answers
        self._notify = notify
        self._child = tuple(child)
        self._timeout_s = timeout_s

    def find(self, wanted: LoadParams) -> LoadParams:
        """Return `wanted`, or the nearest to it that works. Raises `ModelLoadError` when nothing does."""
        key = self._key(wanted)
        remembered = self._read().get(key)
        if remembered is not None:
            _LOGGER.info("probe: remembered answer: %s", remembered["change"] or "runs as configured")
            if remembered["change"]:
                self._notify(remembered["change"])
            return LoadParams.from_json(remembered["params"])
        self._notify("Trying this model once in a child process (only the first time) ...")
        return self._search(key, wanted)

    def _search(self, key: str, wanted: LoadParams) -> LoadParams:
        step = _Step(wanted, "")
        failure = ""
        for candidate in _ladder(wanted):
            step = candidate
            failure = self._try(step.params)
            if not failure:
                break
            _LOGGER.warning("probe: %s: %s", step.change or "as configured", failure)
        else:
            raise ModelLoadError(f"{wanted.path}: this model does not run here, whatever is switched off: {failure}")
        if step.change:
            self._notify(step.change)
        self._write(key, step)
        return step.params

    def _try(self, params: LoadParams) -> str:
        """Run the child; returns why it failed, or an empty text."""
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter and module
                self._child,
                input=json.dumps(params.to_json()),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self._timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"no answer within {self._timeout_s:.0f} s"
        if done.returncode == 0:
            return ""
        last_lines = " / ".join(done.stderr.strip().splitlines()[-3:])
        return f"{_describe(done.returncode)}{': ' if last_lines else ''}{last_lines}"

    def _key(self, wanted: LoadParams) -> str:
        """Same model file, same settings, same library, same CPU."""
        stat = Path(wanted.path).stat()
        parts = (
            json.dumps(wanted.to_json(), sort_keys=True),
            f"{stat.st_size} {stat.st_mtime_ns}",
            version("llama-cpp-python"),
            cpu_description(),
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            answers: dict[str, dict[str, Any]] = json.loads(self._answers.read_text())
            for answer in answers.values():
                LoadParams.from_json(answer["params"])
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}
        return answers

    def _write(self, key: str, step: _Step) -> None:
        answers = {**self._read(), key: {"params": step.params.to_json(), "change": step.change}}
        temporary = self._answers.with_suffix(".tmp")
        try:
            self._answers.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary.write_text(json.dumps(answers, indent=1))
            temporary.replace(self._answers)
        except OSError as error:
            _LOGGER.warning("probe: the answer cannot be remembered: %s", error)


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


def _describe(returncode: int) -> str:
    if returncode > 0:
        return f"exit code {returncode}"
    try:
        return f"killed by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"killed by signal {-returncode}"
