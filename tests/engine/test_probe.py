"""The probe survives what kills its child, and remembers what works."""

import json
import resource
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.engine import probe as probe_module
from bot.engine.gpu_devices import GpuDevice
from bot.engine.probe import Probe
from bot.errors import ModelLoadError
from bot.settings import EngineSettings
from tests.support.real_engine import load_params

PARAMS = load_params(EngineSettings(n_ctx=4096, max_parallel=2, tune="off"))

CRASHING = """
import json, os, signal, sys
params = json.load(sys.stdin)
if {condition}:
    os.kill(os.getpid(), signal.{signal})
"""
"""A child that dies like a native crash under some settings; what it would do otherwise is not its subject."""


def crashing(condition: str, signal_name: str) -> list[str]:
    """The command of a child that is killed by a signal when `condition` holds for `params`."""
    return [sys.executable, "-c", CRASHING.format(condition=condition, signal=signal_name)]


def probe(tmp_path: Path, told: list[str], **more: object) -> Probe:
    """A probe that remembers in a temporary folder and tells `told`."""
    return Probe(tmp_path / "cache" / "probe.json", notify=told.append, **more)  # type: ignore[arg-type]


def test_the_real_model_runs_here(tmp_path: Path) -> None:
    """A real child finds settings under which the demo model loads and decodes on this very machine."""
    told: list[str] = []
    found = probe(tmp_path, told).find(PARAMS).params
    assert replace(found, use_extra_bufts=True) == PARAMS
    assert len(told) == 1 if found == PARAMS else "CPU extra buffers" in told[-1]


def test_an_answer_is_remembered(tmp_path: Path) -> None:
    """The second time no child is started, and what was given up is said again."""
    told: list[str] = []
    child = crashing("params['use_extra_bufts']", "SIGSEGV")
    first = probe(tmp_path, told, child=child).find(PARAMS).params
    second = probe(tmp_path, told, child=["/nonexistent"]).find(PARAMS).params
    assert first == second == replace(PARAMS, use_extra_bufts=False)
    assert told[-1] == told[-2]


def test_another_card_is_tried_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ran on the one may not run on the other; a model that uses none does not care."""
    found = probe(tmp_path, [], child=crashing("False", "SIGSEGV"))
    on_card = replace(PARAMS, n_gpu_layers=12)
    for params in (PARAMS, on_card):
        found.find(params)
    monkeypatch.setattr(probe_module, "gpu_devices", lambda: (GpuDevice(description="GTX 1660", free=1),))
    assert found.remembered(PARAMS) is not None
    assert found.remembered(on_card) is None


@pytest.mark.parametrize("signal_name", ["SIGSEGV", "SIGILL", "SIGKILL", "SIGABRT"])
def test_a_crash_is_stepped_down_from(tmp_path: Path, signal_name: str) -> None:
    """A child that dies of a crash or an out-of-memory kill costs one setting, not the start."""
    told: list[str] = []
    found = probe(tmp_path, told, child=crashing("params['use_extra_bufts']", signal_name)).find(PARAMS).params
    assert found == replace(PARAMS, use_extra_bufts=False)
    assert "CPU extra buffers (AMX, repacking) off" in told[-1]


def test_gpu_layers_are_stepped_down(tmp_path: Path) -> None:
    """Layers that do not fit are halved until the child survives."""
    told: list[str] = []
    child = crashing("params['n_gpu_layers'] > 20", "SIGABRT")
    found = probe(tmp_path, told, child=child).find(replace(PARAMS, n_gpu_layers=99)).params
    assert found.n_gpu_layers == 12
    assert "n_gpu_layers 12" in told[-1]


def test_a_real_lack_of_memory_is_stepped_down_from(tmp_path: Path) -> None:
    """A child whose memory is really limited cannot get a huge KV cache, and one with a smaller window can."""
    told: list[str] = []
    limited = f"""
import resource, runpy
resource.setrlimit(resource.RLIMIT_AS, ({3 << 30}, {3 << 30}))
runpy.run_module("bot.engine.probe_child", run_name="__main__")
"""
    wanted = replace(PARAMS, n_ctx=65536, max_parallel=2)  # 24 KiB a token: 3 GiB of KV cache
    found = probe(tmp_path, told, child=[sys.executable, "-c", limited]).find(wanted).params
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY
    assert found.max_parallel == 1
    assert found.n_ctx <= 65536
    assert "max_parallel 1" in told[-1]


def test_a_model_that_never_runs_is_an_error(tmp_path: Path) -> None:
    """When everything is switched off and the child still dies, the error says of what; nothing is remembered."""
    with pytest.raises(ModelLoadError, match=signal.SIGABRT.name):
        probe(tmp_path, [], child=crashing("True", "SIGABRT")).find(PARAMS)
    assert not (tmp_path / "cache" / "probe.json").exists()


def test_a_library_for_another_cpu_is_told(tmp_path: Path) -> None:
    """An illegal instruction whatever is switched off is the library's fault, and the error says how to compile it."""
    with pytest.raises(ModelLoadError, match=r"compiled for another CPU.*`make rebuild`"):
        probe(tmp_path, [], child=crashing("True", "SIGILL")).find(PARAMS)


def test_a_child_that_hangs_is_given_up(tmp_path: Path) -> None:
    """A child without an answer is killed and stepped down from."""
    child = [
        sys.executable,
        "-c",
        "import json, sys, threading; p = json.load(sys.stdin)\nif p['use_extra_bufts']: threading.Event().wait()",
    ]
    found = probe(tmp_path, [], child=child, timeout_s=2).find(PARAMS).params
    assert not found.use_extra_bufts


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', '{"a": {"params": {"path": "x"}}}', "\x00"])
def test_damaged_answers_are_ignored(tmp_path: Path, content: str) -> None:
    """Whatever is in the file of answers, the probe asks again and writes a good one."""
    answers = tmp_path / "cache" / "probe.json"
    answers.parent.mkdir()
    answers.write_text(content)
    assert probe(tmp_path, [], child=crashing("False", "SIGILL")).find(PARAMS).params == PARAMS
    assert len(json.loads(answers.read_text())) == 1


def test_another_question_is_asked_anew(tmp_path: Path) -> None:
    """An answer for other settings is not taken."""
    told: list[str] = []
    asked = probe(tmp_path, told, child=crashing("False", "SIGILL"))
    asked.find(PARAMS)
    asked.find(replace(PARAMS, n_ctx=2048))
    assert len(told) == 2


def test_an_answer_that_cannot_be_remembered_still_counts(tmp_path: Path) -> None:
    """With no place to write the model starts all the same."""
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert probe(tmp_path, [], child=crashing("False", "SIGILL")).find(PARAMS).params == PARAMS
