import json
import stat
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest

import bot
from bot.cli.main import main

ROOT = Path(bot.__file__).parents[1]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder and the user's folder are empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a shell would see of a command."""

    exit_code: object
    stdout: str
    stderr: str


def _run(*arguments: str) -> Result:
    stdout, stderr = StringIO(), StringIO()
    with redirect_stdout(stdout), redirect_stderr(stderr), pytest.raises(SystemExit) as ended:
        main(["config", *arguments])
    return Result(exit_code=ended.value.code, stdout=stdout.getvalue(), stderr=stderr.getvalue())


def test_check_says_what_was_read(tmp_path: Path) -> None:
    """The file, the model, the persona and the adapters are named."""
    (tmp_path / "config.yaml").write_text("model: {path: a.gguf}\nadapters: {console: {enabled: false}}\n")
    result = _run("check")
    assert result.exit_code == 0
    assert result.stdout.startswith("config.yaml: OK, 2 of ")
    assert "model     a.gguf" in result.stdout
    assert "adapters  none" in result.stdout


def test_check_without_a_file() -> None:
    """No file is no mistake."""
    result = _run("check")
    assert result.exit_code == 0
    assert result.stdout.startswith("no file found, built-in defaults: OK")


@pytest.mark.parametrize("command", ["check", "show"])
def test_mistakes_end_with_exit_code_2(tmp_path: Path, command: str) -> None:
    """All of them go to standard error, and nothing to standard output."""
    (tmp_path / "other.yaml").write_text("engine: {n_ctx: 1}\nadapters: {consle: {}}\n")
    result = _run(command, "--config", "other.yaml")
    assert result.exit_code == 2
    assert not result.stdout
    assert "other.yaml:1:17: engine.n_ctx: " in result.stderr
    assert "did you mean console?" in result.stderr


def test_show_names_sources_and_masks_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key has its effective value and where it came from."""
    monkeypatch.setenv("MY_TOKEN", "hf_secret")
    (tmp_path / "config.yaml").write_text("model: {hf_token_env: MY_TOKEN}\nengine:\n  n_ctx: 2048\n")
    result = _run("show")
    assert "  n_ctx: 2048  # config.yaml:3\n" in result.stdout
    assert "  n_batch: 512  # default\n" in result.stdout
    assert "  hf_token: '********'  # environment variable MY_TOKEN\n" in result.stdout
    assert "hf_secret" not in result.stdout


def test_show_for_programs(tmp_path: Path) -> None:
    """`--json` has the file, the settings and the sources."""
    (tmp_path / "config.yaml").write_text("model: {hf_token: hf_secret}\ngeneration: {logit_bias: {5: 1}}\n")
    shown = json.loads(_run("show", "--json").stdout)
    assert shown["path"] == "config.yaml"
    assert set(shown["settings"]["model"]["hf_token"]) == {"*"}
    assert shown["settings"]["generation"]["logit_bias"] == {"5": 1}
    assert shown["sources"]["engine.n_ctx"] == "default"


def test_init_writes_for_the_owner_only(tmp_path: Path) -> None:
    """The default place is the user's configuration folder; it is made, and others cannot read the file."""
    result = _run("init")
    file = tmp_path / "xdg" / "hearthbot" / "config.yaml"
    assert result.exit_code == 0
    assert f"wrote {file}" in result.stdout.replace("\n", "")
    assert file.read_bytes() == (ROOT / "config.example.yaml").read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert _run("check").stdout.startswith(f"{file}: OK")


def test_init_never_touches_what_is_there(tmp_path: Path) -> None:
    """Neither a file nor a folder nor a broken link is written over."""
    (tmp_path / "mine.yaml").write_text("persona: hearth")
    (tmp_path / "link.yaml").symlink_to("gone.yaml")
    for name, reason in (("mine.yaml", "exists already"), ("link.yaml", "exists already"), (".", "is a folder")):
        result = _run("init", name)
        assert result.exit_code == 2
        assert reason in result.stderr
    assert (tmp_path / "mine.yaml").read_text() == "persona: hearth"
    assert not (tmp_path / "gone.yaml").exists()


def test_init_says_why_it_cannot_write(tmp_path: Path) -> None:
    """A place that cannot be is an error of its own, not a trace."""
    (tmp_path / "file").touch()
    result = _run("init", "file/config.yaml")
    assert result.exit_code == 2
    assert "file/config.yaml: its folder cannot be made: " in result.stderr
    assert _run("init", "/dev/full/x").exit_code == 2


def test_the_installed_package_has_the_example() -> None:
    """The build puts the file where `config init` looks for it, and the units where `service install` does."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert build["force-include"] == {
        "config.example.yaml": "bot/config.example.yaml",
        "systemd": "bot/systemd",
    }
    assert (ROOT / "config.example.yaml").is_file()
