"""Finding the model."""

import importlib.util
from pathlib import Path

import pytest

from bot.engine.download_progress import LineProgress
from bot.engine.model_file import ModelFile, existing_gguf, resolve
from bot.errors import ModelLoadError
from bot.settings import ModelSettings
from tests.support.gguf_files import gguf
from tests.support.hub_server import hub_server


def find(**keys: str) -> ModelFile:
    """Resolve settings that need no download."""

    def never(line: str) -> None:
        raise AssertionError(line)

    return resolve(ModelSettings(**keys), cache_dir=Path("/nonexistent"), notify=never)


def test_local_file(tmp_path: Path) -> None:
    """A file that is there is taken, with its name and size."""
    path = tmp_path / "Some-Model.Q4_K_M.gguf"
    path.write_bytes(gguf())
    found = find(path=str(path))
    assert (found.path, found.parts, found.name, found.size) == (path, (path,), "Some-Model.Q4_K_M", len(gguf()))
    assert found.header.metadata["general.name"] == "tiny"


def test_home_and_relative_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the home folder, and a relative path starts at the working directory."""
    (tmp_path / "m.gguf").write_bytes(gguf())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert find(path="~/m.gguf").path == find(path="m.gguf").path == tmp_path / "m.gguf"


def test_missing_file(tmp_path: Path) -> None:
    """A missing file is told with the key and the most similar name in its folder."""
    for name in ("Qwen2.5-3B-Q4_K_M.gguf", "other.gguf"):
        (tmp_path / name).write_bytes(gguf())
    with pytest.raises(ModelLoadError, match=r"model\.path: there is no file .* has Qwen2\.5-3B-Q4_K_M\.gguf$"):
        find(path=str(tmp_path / "qwen2.5-3b-Q4_K_M.gguf"))


def test_folder(tmp_path: Path) -> None:
    """A folder is refused with the models in it."""
    (tmp_path / "a.gguf").write_bytes(gguf())
    with pytest.raises(ModelLoadError, match=r"is a folder\. That folder has a\.gguf"):
        find(path=str(tmp_path))


def test_missing_folder(tmp_path: Path) -> None:
    """A folder that is not there is told as such."""
    with pytest.raises(ModelLoadError, match=r"there is no folder .*models"):
        find(path=str(tmp_path / "models" / "a.gguf"))


class TestSplitModels:
    """Models in several files."""

    @pytest.mark.parametrize("named", [1, 2, 3])
    def test_all_there(self, tmp_path: Path, named: int) -> None:
        """Whichever part is named, the first is opened and all are checked and counted."""
        for number in (1, 2, 3):
            (tmp_path / f"m-0000{number}-of-00003.gguf").write_bytes(gguf())
        found = find(path=str(tmp_path / f"m-0000{named}-of-00003.gguf"))
        assert found.path.name == "m-00001-of-00003.gguf"
        assert (found.name, len(found.parts), found.size) == ("m", 3, 3 * len(gguf()))

    def test_part_missing(self, tmp_path: Path) -> None:
        """A missing part is named."""
        for number in (1, 3):
            (tmp_path / f"m-0000{number}-of-00003.gguf").write_bytes(gguf())
        with pytest.raises(ModelLoadError, match=r"split into 3 files, of which m-00002-of-00003\.gguf is not in"):
            find(path=str(tmp_path / "m-00001-of-00003.gguf"))

    def test_part_truncated(self, tmp_path: Path) -> None:
        """A part that is not whole is refused."""
        (tmp_path / "m-00001-of-00002.gguf").write_bytes(gguf())
        (tmp_path / "m-00002-of-00002.gguf").write_bytes(gguf(cut=1))
        with pytest.raises(ModelLoadError, match=r"m-00002-of-00002\.gguf is not all there"):
            find(path=str(tmp_path / "m-00001-of-00002.gguf"))

    @pytest.mark.parametrize("name", ["m-00003-of-00002.gguf", "m-00000-of-00002.gguf", "m-00001-of-99999.gguf"])
    def test_impossible_numbers(self, tmp_path: Path, name: str) -> None:
        """A part beyond the last one is refused."""
        (tmp_path / name).write_bytes(gguf())
        with pytest.raises(ModelLoadError, match="check the file's name"):
            find(path=str(tmp_path / name))

    def test_downloaded(self, tmp_path: Path) -> None:
        """Every part of a split model is downloaded, into one folder."""
        with hub_server() as (hub, endpoint):
            hub.files = {f"q4/m-0000{number}-of-00002.gguf": gguf() for number in (1, 2)}
            settings = ModelSettings(repo=hub.repo, file="q4/m-00001-of-00002.gguf")
            lines: list[str] = []
            found = resolve(
                settings,
                cache_dir=tmp_path,
                notify=lines.append,
                progress=LineProgress(lines.append),
                endpoint=endpoint,
            )
        assert [part.name for part in found.parts] == ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"]
        assert found.path.is_relative_to(tmp_path)


def test_demo_model() -> None:
    """Without settings the model of the demo package is taken."""
    found = find()
    assert found.name.startswith("SmolLM2-135M-Instruct")
    assert found.header.metadata["general.architecture"] == "llama"


def test_demo_model_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings and without the demo package, the error says all the ways to get a model."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelLoadError, match=r"`make run`.*hearthbot\[demo\].*model\.path.*model\.repo"):
        find()


def test_lora_adapter(tmp_path: Path) -> None:
    """Other files than the model's are checked under the key that names them."""
    with pytest.raises(ModelLoadError, match=r"model\.lora\[0\]\.path: there is no file"):
        existing_gguf(str(tmp_path / "a.gguf"), "model.lora[0].path")
    (tmp_path / "a.gguf").write_bytes(gguf())
    assert existing_gguf(str(tmp_path / "a.gguf"), "model.lora[0].path") == tmp_path / "a.gguf"
