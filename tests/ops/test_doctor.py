import json
from dataclasses import replace
from pathlib import Path

from click import unstyle

from bot.check import Check
from bot.cli.doctor import as_text
from bot.engine.measurement import Choice, Measurement
from bot.engine.probe_answers import ProbeAnswer
from bot.ops import model_check
from bot.paths import Paths
from bot.settings import Configuration, EngineSettings
from tests.support.hearthbot_process import Hearthbot
from tests.support.real_engine import load_params


def findings(hearthbot: Hearthbot) -> tuple[int, dict[str, dict[str, str]]]:
    """Return the exit code, and the findings by name."""
    ended = hearthbot.run("doctor", "--json")
    return ended.returncode, {check["name"]: check for check in map(json.loads, ended.stdout.splitlines())}


def test_a_sound_installation_is_ok_from_top_to_bottom(hearthbot: Hearthbot) -> None:
    """With the embedded model every check is made, none fails, and the speed was measured."""
    hearthbot.configure("engine: {n_ctx: 1024, max_parallel: 1, n_threads: 1, tune: off}")
    code, found = findings(hearthbot)
    assert code == 0
    assert list(found) == [
        "python",
        "libraries",
        "processor",
        "graphics",
        "clock",
        "service",
        "configuration",
        "storage",
        "model",
        "memory",
        "probe",
        "tuning",
        "chat template",
        "speed",
    ]
    assert {check["status"] for check in found.values()} <= {"ok", "warn"}
    assert "tokens/s" in found["speed"]["found"]


def test_findings_stand_in_one_column() -> None:
    """Whatever the length of a name, of those that there are, and what to do about it stands under it."""
    lines = [
        as_text(Check(name=name, status="warn", found="FOUND", fix="FIX")).splitlines()
        for name in ("clock", "telegram webhook", "discord intents")
    ]
    places = {unstyle(found).index("FOUND") for found, _ in lines} | {fix.index("FIX") for _, fix in lines}
    assert len(places) == 1


def test_what_was_chosen_by_measuring_is_shown() -> None:
    """With its figures; and why nothing was chosen, where that is so."""
    params = load_params(EngineSettings())
    measured = Measurement(choice=Choice.of(params), read_s=0.01, write_s=0.1, long_read_s=None)
    answer = ProbeAnswer(params=params, change="", measurements=(measured,))
    assert "reads 100 and writes 10 tokens/s" in model_check._tuning(answer).found
    assert "busy" in model_check._tuning(replace(answer, measurements=None)).found
    assert "could not be measured" in model_check._tuning(replace(answer, measurements=())).found
    assert "engine.tune: off" in model_check._tuning(replace(answer, params=replace(params, tunable=None))).found


def test_an_answer_that_was_not_kept_is_a_warning(tmp_path: Path) -> None:
    """An engine that has started without leaving an answer could not write it, and every start will be slow."""
    paths = Paths(config=tmp_path, data=tmp_path, cache=tmp_path, state=tmp_path)
    check = model_check.ModelCheck(Configuration(), paths=paths, notify=lambda _: None)
    (found,) = check._probe(load_params(EngineSettings()), EngineSettings())
    assert found.status == "warn"
    assert str(tmp_path / "probe.json") in found.found


def test_a_wrong_configuration_is_the_last_finding(hearthbot: Hearthbot) -> None:
    """What stands on it is not examined, and the exit code is the configuration's."""
    path = hearthbot.configure("engine:\n  n_ctx: many\n")
    code, found = findings(hearthbot)
    assert code == 2
    assert list(found)[-1] == "configuration"
    assert str(path) in found["configuration"]["found"]
    assert found["configuration"]["fix"]


def test_a_damaged_database_does_not_hide_a_missing_model(hearthbot: Hearthbot) -> None:
    """Both are found, each with a way to mend it, and the exit code is the first one's."""
    hearthbot.configure("model:\n  path: nowhere.gguf\n")
    hearthbot.database.parent.mkdir(parents=True)
    hearthbot.database.write_text("this is no database, however long the text in this file becomes " * 20)
    code, found = findings(hearthbot)
    assert code == 4
    assert {name for name, check in found.items() if check["status"] == "fail"} == {"storage", "model"}
    assert all(found[name]["fix"] for name in ("storage", "model"))


def test_a_file_that_is_no_model_is_told_apart_from_one_that_is_missing(hearthbot: Hearthbot) -> None:
    """The finding names the file and says what is wrong with it."""
    (hearthbot.home / "model.gguf").write_text("<!doctype html>")
    hearthbot.configure(f"model:\n  path: {hearthbot.home}/model.gguf\n")
    code, found = findings(hearthbot)
    assert code == 3
    assert "is not a GGUF file" in found["model"]["found"]


def test_findings_for_people_have_a_sign_and_a_way_to_mend(hearthbot: Hearthbot) -> None:
    """The fix stands under what was found."""
    hearthbot.configure("model:\n  path: nowhere.gguf\n")
    shown = hearthbot.run("doctor").stdout.splitlines()
    failed = next(number for number, line in enumerate(shown) if line.startswith("FAIL"))
    assert "nowhere.gguf" in shown[failed]
    assert shown[failed + 1].strip().startswith("set model.path")
