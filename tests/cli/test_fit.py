import json
from pathlib import Path
from typing import Any

import pytest

from bot.cli import fit
from bot.config import parse
from bot.engine.gpu_devices import GpuDevice
from tests.support.gguf_headers import header, llama2_13b, llama_parts
from tests.support.hearthbot_process import Hearthbot


@pytest.fixture
def llama_2(tmp_path: Path) -> Path:
    """Llama-2 13B Q4_0, all header."""
    path = tmp_path / "llama-2-13b.Q4_0.gguf"
    path.write_bytes(llama2_13b())
    return path


def test_the_worked_example(hearthbot: Hearthbot, llama_2: Path) -> None:
    """For a 3 GiB card and n_ctx 1024 a program gets every row and 11 to 14 layers, with no card in sight."""
    shown = hearthbot.run("fit", str(llama_2), "--vram", "3GiB", "--n-ctx", "1024", "--json")
    assert shown.returncode == 0, shown.stderr
    report = json.loads(shown.stdout)
    assert 11 <= report["recommended"]["n_gpu_layers"] <= 14
    assert report["layers"][10]["weights_mib"] == pytest.approx(1701.95, rel=0.01)
    assert [row["n_gpu_layers"] for row in report["layers"]] == list(range(42))
    assert "not all there" in shown.stderr


def test_the_table_ends_with_lines_for_the_configuration(hearthbot: Hearthbot, llama_2: Path) -> None:
    """What is printed last is YAML that the configuration takes, with the number of the row that is marked."""
    shown = hearthbot.run("fit", str(llama_2), "--vram", "3072MiB", "--n-ctx", "1024", "--max-parallel", "1")
    assert shown.returncode == 0, shown.stderr
    marked = next(line for line in shown.stdout.splitlines() if line.startswith("->"))
    document, problems = parse(shown.stdout[shown.stdout.index("engine:") :], "shown")
    assert not problems
    assert document.data == {"engine": {"n_gpu_layers": int(marked.split()[1])}}


def test_several_cards(hearthbot: Hearthbot, llama_2: Path) -> None:
    """Their sizes have a comma between them, and the table ends with what each would hold."""
    shown = hearthbot.run("fit", str(llama_2), "--vram", "3136MiB,6272MiB", "--n-ctx", "1024", "--max-parallel", "1")
    assert shown.returncode == 0, shown.stderr
    assert "3136 + 6272 MiB" in shown.stdout
    assert [line.split()[0] for line in shown.stdout.splitlines() if line.endswith(("card 0", "card 1"))] == [
        "14",
        "27",
    ]


def test_what_is_not_given_is_as_configured(hearthbot: Hearthbot, llama_2: Path) -> None:
    """The window comes from the file, the command line goes before it, and the model may be the configured one."""
    hearthbot.configure(f"model:\n  path: {llama_2}\nengine:\n  n_ctx: 2048\n  max_parallel: 1\n  type_k: q8_0\n")
    shown = hearthbot.run("fit", str(llama_2), "--vram", "3G", "--type-k", "f16", "--json")
    best = json.loads(shown.stdout)["recommended"]
    assert (best["n_ctx"], best["max_parallel"], best["type_k"]) == (2048, 1, "f16")
    assert hearthbot.run("fit", "--vram", "3G").returncode == 3  # to run it, the tensors are needed too


def test_the_demo_model(hearthbot: Hearthbot) -> None:
    """Without a model and without a configuration it is about the embedded one, all of which fits."""
    shown = hearthbot.run("fit", "--vram", "3GiB", "--json")
    assert json.loads(shown.stdout)["recommended"]["n_gpu_layers"] == 31
    assert shown.stderr == ""


def test_split_model(hearthbot: Hearthbot, tmp_path: Path) -> None:
    """Any part of a split model stands for all of them, and a missing one is named."""
    tensors, metadata = llama_parts(layers=3, n_embd=256, n_ff=512, n_vocab=1000, heads=4)
    paths = [tmp_path / f"m-0000{number}-of-00002.gguf" for number in (1, 2)]
    paths[0].write_bytes(header(metadata, tensors[:11]))
    shown = hearthbot.run("fit", str(paths[0]), "--vram", "3GiB")
    assert (shown.returncode, "m-00002-of-00002.gguf" in shown.stderr) == (3, True)
    paths[1].write_bytes(header({}, tensors[11:]))
    shown = hearthbot.run("fit", str(paths[1]), "--vram", "3GiB", "--json")
    assert json.loads(shown.stdout)["recommended"]["n_gpu_layers"] == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--vram", "3"), "such as 3GiB"),
        (("--vram", "3GiB,6"), "such as 3GiB"),
        (("--vram", "3GiB", "--n-ctx", "3"), "--n-ctx"),
        (("--vram", "3GiB", "--max-parallel", "99"), "--max-parallel"),
        (("--vram", "3GiB", "--type-k", "q9"), "--type-k"),
    ],
)
def test_wrong_options(hearthbot: Hearthbot, llama_2: Path, arguments: tuple[str, ...], said: str) -> None:
    """A wrong size, window or type is named, and ends with the exit code of a wrong configuration."""
    shown = hearthbot.run("fit", str(llama_2), *arguments)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert said in " ".join(shown.stderr.split())


def test_a_file_that_is_no_language_model_is_named(hearthbot: Hearthbot, tmp_path: Path) -> None:
    """The path is in the message, and the exit code is that of the model."""
    path = tmp_path / "adapter.gguf"
    path.write_bytes(header({}, []))
    shown = hearthbot.run("fit", str(path), "--vram", "3GiB")
    assert (shown.returncode, shown.stdout) == (3, "")
    assert f"{path}: this is no language model" in shown.stderr


def test_without_a_card_it_asks_for_the_memory(
    llama_2: Path, monkeypatch: pytest.MonkeyPatch, hearthbot: Hearthbot
) -> None:
    """Where the library sees no card, the message says what to add."""
    monkeypatch.setattr(fit, "gpu_devices", lambda: ())
    config = hearthbot.configure("{}\n")
    with pytest.raises(fit.ConfigError, match="--vram 3GiB"):
        fit.show(config, llama_2, vram=None, as_json=True)


@pytest.mark.parametrize(
    ("engine", "expected"),
    [("{}", [3072, 6144]), ("{split_mode: none}", [3072]), ("{split_mode: none, main_gpu: 1}", [6144])],
)
def test_the_free_memory_of_a_card_is_asked_for(  # noqa: PLR0917 - fixtures
    llama_2: Path,
    monkeypatch: pytest.MonkeyPatch,
    hearthbot: Hearthbot,
    capsys: pytest.CaptureFixture[str],
    engine: str,
    expected: list[int],
) -> None:
    """Of several cards it is all, or the one that is configured, and it is said."""
    cards = (GpuDevice(description="P106-090", free=3 * 2**30), GpuDevice(description="GTX 1660", free=6 * 2**30))
    monkeypatch.setattr(fit, "gpu_devices", lambda: cards)
    given: dict[str, Any] = {"n_ctx": 1024}
    fit.show(hearthbot.configure(f"engine: {engine}\n"), llama_2, vram=None, as_json=True, **given)
    shown = capsys.readouterr()
    assert [card["vram_mib"] for card in json.loads(shown.out)["recommended"]["cards"]] == expected
    assert all(f"{each} MiB free" in shown.err for each in expected)
