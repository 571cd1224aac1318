import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import bot
from bot.cli.config import example
from bot.config import LoadedConfig, load, parse
from bot.config.shape import Shape, known_keys
from bot.loader import AdapterLoader
from bot.settings import Configuration

ROOT = Path(bot.__file__).parents[1]
BLOCK = re.compile(r"^ *[^#\n].*\n((?: *#\|.*\n)+)", re.MULTILINE)


def _plain() -> str:
    return (ROOT / "config.example.yaml").read_text()


def _with_blocks() -> str:
    """The file with each block of `#|` lines in place of the line above it."""
    return BLOCK.sub(lambda match: re.sub(r"#\| ?", "", match[1]), _plain())


def _load(folder: Path, text: str) -> LoadedConfig:
    file = folder / "config.yaml"
    file.write_text(text)
    return load(file, environ={"LAPTOP_KEY": "k" * 48}, adapter_settings=AdapterLoader().settings_type)


def _missing(shape: Shape, value: Any, path: str, above: tuple[type, ...] = ()) -> list[str]:
    """Keys of the models that `value` lacks; of several entries in a list or a dictionary one must have each key.

    A model inside of itself was shown already.
    """
    if shape.model:
        above = (*above, shape.model)
        return [
            missing
            for key in known_keys(shape.model)
            for missing in (
                _missing(Shape.of_field(shape.model.model_fields[key]), value[key], f"{path}.{key}", above)
                if isinstance(value, dict) and key in value
                else [f"{path}.{key}"]
            )
        ]
    if shape.item and shape.item.model and shape.item.model not in above:
        entries = list(value.values() if isinstance(value, dict) else value or [])
        lacks = [set(_missing(shape.item, entry, f"{path}[]", above)) for entry in entries]
        if not lacks:
            return [f"{path}[]"]
        return sorted(key for key in set().union(*lacks) if all(any(key.startswith(p) for p in lack) for lack in lacks))
    return []


def _every_key(text: str) -> list[str]:
    document, problems = parse(text, "example")
    assert not problems
    sections = dict(document.data)
    adapters = sections.pop("adapters")
    shape = Shape.of(Configuration)
    missing = [key for key in _missing(shape, {**sections, "adapters": {}}, "") if key != ".adapters[]"]
    loader = AdapterLoader()
    for name in loader.names():
        missing += _missing(Shape.of(loader.settings_type(name)), adapters.get(name), f".adapters.{name}")
    return missing


def test_the_example_lists_every_key() -> None:
    """Each key of each model, of the adapters too, is in the file; for what stands in empty lists, in a `#|` block."""
    missing = _every_key(_plain())
    assert missing == [".model.lora[]", ".extraction.schemas[].examples[]", ".adapters.web.api_keys[]"]
    assert not _every_key(_with_blocks())


def test_a_key_that_is_left_out_is_noticed() -> None:
    """The check above fails for a file that lacks a key in a section, in an adapter or in a persona."""
    for line in ("n_batch: 512", "markdown: true", "top_k: null", "assistant: Lovely", "scale: 1.0"):
        text = "".join(kept for kept in _with_blocks().splitlines(keepends=True) if not kept.strip().startswith(line))
        assert [key for key in _every_key(text) if key.endswith(line.split(":")[0])]


@pytest.mark.parametrize("text", [_plain, _with_blocks])
def test_the_example_loads(tmp_path: Path, text: Any) -> None:
    """It is right as it stands, and with every block in place."""
    loaded = _load(tmp_path, text())
    assert loaded.settings.persona == "hearth"
    assert len(loaded.settings.personas) == 3


def test_values_in_the_example_are_the_defaults(tmp_path: Path) -> None:
    """But for the added personas and the adapters' sections being there, the file changes nothing."""
    settings, default = _load(tmp_path, _plain()).settings, Configuration()
    for name in set(known_keys(Configuration)) - {"personas", "adapters"}:
        assert getattr(settings, name) == getattr(default, name), name
    assert settings.personas["hearth"] == default.personas["hearth"]
    for adapter in settings.adapters.values():
        assert adapter == type(adapter)(enabled=adapter.enabled)


def test_every_key_is_explained() -> None:
    """A comment stands above each key, except in the second and later personas, which repeat what was explained."""
    lines = _plain().splitlines()
    explained: set[str] = set()
    for above, line in pairwise(lines):
        match = re.match(r"^( *)(?:- )?([a-z_]+):", line)
        if not match:
            continue
        if above.lstrip().startswith("#"):
            explained.add(match[2])
        else:
            assert match[2] in explained | set(Configuration().personas) | {"cook", "tutor"}, line


def test_the_example_says_what_the_defaults_are() -> None:
    """Where a comment gives a number or a word as the default, it is the value that follows."""
    checked = 0
    pattern = re.compile(r"Default: ([-\w.]+)[^\n]*\n(?: +#[^\n]*\n)* +[a-z_0-9]+: (\S+)\n")
    for default, value in pattern.findall(_plain()):
        plain = default.rstrip(".")
        if re.fullmatch(r"-?[\d.]+|true|false|auto|hide|text|info|layer|f16", plain):
            assert parse(f"v: {plain}", "")[0].data == parse(f"v: {value}", "")[0].data, (default, value)
            checked += 1
    assert checked > 30


def test_init_writes_this_file() -> None:
    """In a checkout the packaged example is the file at the top."""
    assert example() == (ROOT / "config.example.yaml").read_bytes()


def test_models_have_descriptions() -> None:
    """Every field of every model says what it is."""
    seen: set[type[BaseModel]] = set()

    def check(shape: Shape) -> None:
        if shape.model and shape.model not in seen:
            seen.add(shape.model)
            for name, field in shape.model.model_fields.items():
                assert field.description, f"{shape.model.__name__}.{name}"
                check(Shape.of_field(field))
        elif shape.item:
            check(shape.item)

    check(Shape.of(Configuration))
    assert len(seen) > 10
