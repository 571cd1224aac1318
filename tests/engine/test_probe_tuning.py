"""What the probe's measuring child finds out is used and remembered, whatever happens to the child."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.engine.load_gauge import LoadGauge
from bot.engine.measurement import Choice, Measurement
from bot.engine.probe import Probe
from bot.settings import EngineSettings
from tests.support.real_engine import load_params

# one thread, so that a busy machine does not stretch the tests
PARAMS = replace(load_params(EngineSettings(n_ctx=512, max_parallel=1)), n_threads=1, n_threads_batch=1)
DEFAULT = Measurement(choice=Choice.of(PARAMS), read_s=0.01, write_s=0.1, long_read_s=None)
BETTER = replace(DEFAULT, choice=replace(DEFAULT.choice, flash_attn=True), read_s=0.008, write_s=0.05)

SURVIVES = (sys.executable, "-c", "import json, sys; json.load(sys.stdin)")
NEVER = ("/nonexistent",)
SIGKILL = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
HANG = "import threading; threading.Event().wait()"


class IdleGauge(LoadGauge):
    """A machine that does nothing else."""

    def others(self) -> float:
        """Nothing."""
        return 0.0


class BusyGauge(LoadGauge):
    """A machine that does a lot else."""

    def others(self) -> float:
        """Half of it."""
        return 0.5


def printing(*measurements: Measurement, then: str = "") -> tuple[str, ...]:
    """The command of a child that prints measurements, and then does something."""
    lines = "".join(json.dumps(each.to_json()) + "\n" for each in measurements)
    return (sys.executable, "-c", f"print({lines!r}, end='', flush=True)\n{then}")


def probe(tmp_path: Path, told: list[str], **more: object) -> Probe:
    """A probe that remembers in a temporary folder; the model runs as it is, and the machine is idle."""
    settings = {"child": SURVIVES, "gauge": IdleGauge, **more}
    return Probe(tmp_path / "probe.json", notify=told.append, **settings)  # type: ignore[arg-type]


def test_the_real_model_is_measured_in_short(tmp_path: Path) -> None:
    """Real children find settings, measure the demo model, and nothing is asked again."""
    told: list[str] = []
    found = probe(tmp_path, told, tuning_budget_s=1.0, child=(sys.executable, "-m", "bot.engine.probe_child"))
    answer = found.find(PARAMS)
    assert answer.chosen is not None
    assert answer.measurements is not None
    assert answer.measurements[0].choice == Choice.of(PARAMS)
    assert Choice.of(answer.params) == answer.chosen.choice
    assert answer.params.prefill_tokens_per_s == pytest.approx(1 / answer.chosen.read_s)
    assert "tokens/s" in told[-1]
    assert probe(tmp_path, [], child=NEVER, tuning_child=NEVER).find(PARAMS) == answer


def test_what_was_chosen_is_used_and_remembered(tmp_path: Path) -> None:
    """The best measurement is in the parameters, people are told, and the second time no child is started."""
    told: list[str] = []
    answer = probe(tmp_path, told, tuning_child=printing(DEFAULT, BETTER)).find(PARAMS)
    assert answer.params == replace(PARAMS, flash_attn=True, prefill_tokens_per_s=1 / 0.008)
    assert "125" in told[-1]
    assert "flash attention on" in told[-1]
    assert probe(tmp_path, []).remembered(PARAMS) == answer
    assert probe(tmp_path, []).remembered(replace(PARAMS, n_ctx=256)) is None
    again: list[str] = []
    assert probe(tmp_path, again, child=NEVER, tuning_child=NEVER).find(PARAMS) == answer
    assert again == []


@pytest.mark.parametrize("then", [SIGKILL, HANG, "print('{')", "raise SystemExit(3)"])
def test_what_was_measured_before_a_crash_counts(tmp_path: Path, then: str) -> None:
    """A child that dies, hangs or prints rubbish loses only what it had not measured yet."""
    child = printing(DEFAULT, BETTER, then=then)
    answer = probe(tmp_path, [], tuning_child=child, tuning_timeout_s=2).find(PARAMS)
    assert answer.measurements == (DEFAULT, BETTER)
    assert answer.params.flash_attn is True


@pytest.mark.parametrize("then", [SIGKILL, HANG, "print('no JSON')"])
def test_without_measurements_the_defaults_stay(tmp_path: Path, then: str) -> None:
    """Measuring that fails is told, changes nothing, and is not tried at every start."""
    told: list[str] = []
    answer = probe(tmp_path, told, tuning_child=printing(then=then), tuning_timeout_s=2).find(PARAMS)
    assert answer.params == PARAMS
    assert answer.chosen is None
    assert "did not work" in told[-1]
    assert probe(tmp_path, [], child=NEVER, tuning_child=NEVER).find(PARAMS) == answer


def test_what_had_to_be_given_up_is_measured(tmp_path: Path) -> None:
    """The child measures the settings that work here, not those that were asked for."""
    dies = "import json, os, sys; json.load(sys.stdin)['use_extra_bufts'] and os.abort()"
    line = json.dumps(DEFAULT.to_json())
    measures = f"import json, sys; json.load(sys.stdin)['params']['use_extra_bufts'] or print({line!r})"
    answer = probe(
        tmp_path, [], child=(sys.executable, "-c", dies), tuning_child=(sys.executable, "-c", measures)
    ).find(PARAMS)
    assert not answer.params.use_extra_bufts
    assert answer.measurements == (DEFAULT,)


def test_a_busy_machine_is_measured_again(tmp_path: Path) -> None:
    """Rates beside other work are not kept: the defaults stay until a start finds the machine idle."""
    told: list[str] = []
    child = printing(DEFAULT, BETTER)
    first = probe(tmp_path, told, tuning_child=child, gauge=BusyGauge).find(PARAMS)
    assert first.params == PARAMS
    assert not first.settled
    assert "busy" in told[-1]
    second = probe(tmp_path, told, child=NEVER, tuning_child=child).find(PARAMS)
    assert second.params.flash_attn is True
    assert second.settled


def test_a_machine_that_is_always_busy_is_taken_as_it_is(tmp_path: Path) -> None:
    """Not every start is spent on measuring."""
    child = printing(DEFAULT, BETTER)
    answers = [probe(tmp_path, [], tuning_child=child, gauge=BusyGauge).find(PARAMS) for _ in range(4)]
    assert [answer.settled for answer in answers] == [False, False, False, True]
    assert answers[-1].params.flash_attn is True


def test_a_start_that_was_stopped_while_measuring_goes_on_there(tmp_path: Path) -> None:
    """What the probe found is kept before measuring begins, and only measuring is done again."""

    def stop(line: str) -> None:
        if line.startswith("Measuring"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Probe(tmp_path / "probe.json", notify=stop, child=SURVIVES, tuning_child=NEVER).find(PARAMS)
    assert probe(tmp_path, [], child=NEVER, tuning_child=printing(DEFAULT)).find(PARAMS).settled


@pytest.mark.parametrize("settings", [{"tune": "off"}, {"probe": "off"}])
def test_measuring_can_be_switched_off(tmp_path: Path, settings: dict[str, str]) -> None:
    """Neither without tuning nor without the probe is anything measured."""
    params = load_params(EngineSettings.model_validate(settings))
    assert params.tunable is None
    answer = probe(tmp_path, [], tuning_child=NEVER).find(params)
    assert answer.params == params
    assert answer.settled
