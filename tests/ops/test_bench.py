import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cli.bench import _measure as measure_and_print
from bot.engine.child import run_child
from bot.ops.bench import AS_CONFIGURED, CHILD, Bench, Measured, Variant, variants_of
from bot.ops.bench_advice import advise
from bot.ops.speed import Speed
from bot.paths import Paths
from bot.settings import Configuration, EngineSettings
from tests.support.hearthbot_process import Hearthbot
from tests.support.real_engine import demo_model, load_params

PARAMS = replace(load_params(EngineSettings(n_ctx=4096, n_threads=1)), n_threads_batch=1)
SPEED = Speed(
    history_tokens=512,
    prefill_tokens_per_s=256.0,
    decode_tokens_per_s={1: 50.0, 2: 80.0, 4: 110.0},
    save_ms=4.0,
    restore_ms=2.0,
    state_bytes=512 * 20_000,
    load_s=0.2,
)


def paths_in(folder: Path) -> Paths:
    """Folders of a user who has nothing yet."""
    return Paths(config=folder / "config", data=folder / "data", cache=folder / "cache", state=folder / "state")


def measured(name: str = AS_CONFIGURED, *, others: float = 0.0, **changes: object) -> Measured:
    """A variant with a speed that differs from `SPEED` in some figures."""
    speed = replace(SPEED, **changes)  # type: ignore[arg-type] # the figures have several types
    return Measured(variant=Variant(name=name, params=PARAMS), speed=speed, others=others)


def rates(factor: float) -> Mapping[int, float]:
    """Writing rates that are `factor` times those of `SPEED`."""
    return {count: rate * factor for count, rate in SPEED.decode_tokens_per_s.items()}


def bench_with(child: str, tmp_path: Path) -> Bench:
    """A bench whose child process is a line of Python."""
    return Bench(paths=paths_in(tmp_path), notify=lambda _: None, child=(sys.executable, "-c", child))


def test_a_real_model_is_measured_in_a_child_process() -> None:
    """Rates, copies and the state's size are all there, and a state is brought back faster than it is read again."""
    params = replace(PARAMS, n_ctx=256, max_parallel=2)
    outcome = run_child(CHILD, params.to_json(), timeout_s=100)
    assert outcome.failure == ""
    speed = Speed.from_json(json.loads(outcome.output))
    assert set(speed.decode_tokens_per_s) == {1, 2}
    assert min(speed.prefill_tokens_per_s, *speed.decode_tokens_per_s.values()) > 0
    assert speed.history_tokens < 256
    assert speed.state_bytes > speed.history_tokens * 1000
    assert 0 < speed.restore_ms < speed.evaluate_ms


def test_a_model_that_cannot_be_loaded_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    """The child says on standard error what is wrong, and the exit code is that of a model."""
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF but nothing more")
    outcome = run_child(CHILD, replace(PARAMS, path=str(broken)).to_json(), timeout_s=100)
    assert "exit code 3" in outcome.failure
    assert "broken.gguf" in outcome.failure


def test_a_variant_that_crashes_does_not_end_the_measurements(tmp_path: Path) -> None:
    """Its failure names the signal, and the next variant is measured."""
    child = (
        "import json, os, sys; threads = json.load(sys.stdin)['n_threads']\n"
        f"print({json.dumps(SPEED.to_json())!r}) if threads == 1 else os.abort()"
    )
    variants = [Variant(name="two", params=replace(PARAMS, n_threads=2)), Variant(name="one", params=PARAMS)]

    async def measure() -> list[Measured]:
        return [each async for each in bench_with(child, tmp_path).measure(variants)]

    crashed, fine = asyncio.run(measure())
    assert crashed.speed is None
    assert "SIGABRT" in crashed.failure
    assert fine.speed == SPEED


def test_variants_differ_from_the_configuration_in_what_their_name_says() -> None:
    """The first is the configuration; no variant is the same as another."""
    variants = variants_of(replace(PARAMS, n_threads=99, n_threads_batch=99))
    assert variants[0].name == AS_CONFIGURED
    assert variants[0].params.n_threads == 99
    seen = [json.dumps(variant.params.to_json(), sort_keys=True) for variant in variants]
    assert len(set(seen)) == len(seen)
    for variant in variants[1:]:
        for setting in variant.name.split(", "):
            key, value = setting.split(": ")
            assert str(getattr(variant.params, key)).lower() == value


def test_a_quantized_cache_is_never_measured_without_flash_attention() -> None:
    """llama.cpp refuses that combination, so it would only be reported as a failure."""
    for base in (PARAMS, replace(PARAMS, type_k="q8_0", type_v="q8_0", flash_attn=True)):
        for variant in variants_of(base):
            assert variant.params.type_v != "q8_0" or variant.params.flash_attn is True


def test_what_is_better_in_everything_is_recommended_by_its_key() -> None:
    """The sentence has the key as it is written in the YAML file, and how much it gains."""
    faster = measured("n_threads: 4", prefill_tokens_per_s=512.0, decode_tokens_per_s=rates(1.5))
    (sentence, *_) = advise([measured(), faster], EngineSettings())
    assert sentence == "Set `engine.n_threads: 4`: it reads 100% faster and writes 50% faster."


def test_what_is_better_in_one_thing_and_worse_in_another_is_a_trade() -> None:
    """Flash attention on a CPU often reads faster and writes slower: the owner has to choose."""
    trade = measured("flash_attn: true", prefill_tokens_per_s=300.0, decode_tokens_per_s=rates(0.7))
    found = advise([measured(), trade], EngineSettings())
    assert any(
        "`engine.flash_attn: true` is a trade: it reads 17% faster and writes 30% slower" in each for each in found
    )
    assert not any(each.startswith("Set") for each in found)


def test_differences_that_are_noise_are_not_advice() -> None:
    """Five per cent is what two runs of the same differ by."""
    found = advise([measured(), measured("n_ubatch: 128", prefill_tokens_per_s=268.0)], EngineSettings())
    assert not any("n_ubatch" in each for each in found)
    assert any(each.startswith("None of the other") for each in found)


def test_a_busy_machine_is_said_before_everything_else() -> None:
    """Figures that something else has spoilt must not be taken for this machine's."""
    found = advise([measured(), measured("n_threads: 4", others=0.5)], EngineSettings())
    assert found[0].startswith("Other programs took up to 50%")


@pytest.mark.parametrize(
    ("parallel", "words"), [(1, "`engine.max_parallel: 4` would pay"), (4, "suits this machine"), (8, "More than 4 at")]
)
def test_replies_at_the_same_time_are_advised_from_their_rates(parallel: int, words: str) -> None:
    """Each doubling here writes over a fifth more, so four at a time are worth their memory."""
    assert any(words in each for each in advise([measured()], EngineSettings(max_parallel=parallel)))


def test_where_parallel_replies_gain_nothing_fewer_are_advised() -> None:
    """Two at a time that write no more than one only take memory."""
    flat = measured(decode_tokens_per_s={1: 50.0, 2: 52.0, 4: 53.0})
    assert any("More than 1 at a time gain little" in each for each in advise([flat], EngineSettings(max_parallel=2)))


def test_a_model_slower_than_people_read_is_said() -> None:
    """Two tokens a second is what an old box writes with a model that is too large for it."""
    (sentence, *_) = advise([measured(decode_tokens_per_s={1: 2.0})], EngineSettings())
    assert "smaller model" in sentence


def test_what_a_quantized_cache_saves_and_costs_is_told() -> None:
    """Memory and both rates are compared with the configuration's."""
    quantized = measured("type_k: q8_0, type_v: q8_0", state_bytes=512 * 10_000, decode_tokens_per_s=rates(0.8))
    found = advise([measured(), quantized], EngineSettings())
    assert any(
        "takes 50% of the memory for conversations, and it reads as fast and writes 20% slower" in each
        for each in found
    )


def test_a_switched_off_store_is_advised_against() -> None:
    """Without RAM and disk every eviction costs a reading."""
    found = advise([measured()], EngineSettings(kv_ram_mb=0, kv_disk_mb=0))
    assert any("Set `engine.kv_ram_mb`" in each and "reading them again 2.0 s" in each for each in found)


def test_a_report_for_programs_is_one_json_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It has the figures of every variant and the advice; progress goes to standard error."""
    bench = bench_with(f"print({json.dumps(SPEED.to_json())!r})", tmp_path)
    settings = Configuration.model_validate(
        {"model": {"path": str(demo_model())}, "engine": {"n_ctx": 600, "n_threads": 1, "probe": "off"}}
    )
    asyncio.run(measure_and_print(bench, settings, as_json=True))
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert found["measured"][0]["settings"] == AS_CONFIGURED
    assert found["measured"][0]["speed"]["prefill_tokens_per_s"] == 256.0
    assert found["advice"]
    assert shown.err.count("measured: ") == len(found["measured"])
    assert not (tmp_path / "cache/kv").exists()


def test_a_report_for_people_is_a_table_and_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every variant has a line that is not broken on 80 columns."""
    bench = bench_with(f"print({json.dumps(SPEED.to_json())!r})", tmp_path)
    settings = Configuration.model_validate(
        {"model": {"path": str(demo_model())}, "engine": {"n_ctx": 600, "n_threads": 1, "probe": "off"}}
    )
    asyncio.run(measure_and_print(bench, settings, as_json=False))
    lines = capsys.readouterr().out.splitlines()
    assert any(line.strip().startswith("type_k: q8_0, type_v: q8_0") and "256.0" in line for line in lines)
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("- ") for line in lines)


def test_a_missing_model_has_its_exit_code(hearthbot: Hearthbot) -> None:
    """As everywhere: 3, and the key to correct."""
    hearthbot.configure("model:\n  path: nowhere.gguf\n")
    ended = hearthbot.run("bench")
    assert ended.returncode == 3
    assert "model.path" in ended.stderr
