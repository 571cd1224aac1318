"""How the effective configuration is shown: every key, where its value came from, and no secret."""

from typing import Any

from pydantic import BaseModel, SecretStr

from bot.config.document import KeyPath, format_path, printable
from bot.config.loading import LoadedConfig, dump_value
from bot.config.shape import known_keys
from bot.settings import MASK


def as_yaml(loaded: LoadedConfig) -> str:
    """YAML with the source of each value as a comment. Read again it gives the same settings, secrets excepted."""
    return "\n".join(_section(loaded, loaded.settings, (), ""))


def as_json(loaded: LoadedConfig) -> dict[str, Any]:
    """The same for programs: `path`, `settings` (nested) and `sources` (by key path)."""
    return {
        "path": str(loaded.path) if loaded.path else None,
        "settings": _plain(loaded.settings),
        "sources": dict(loaded.sources),
    }


def _section(loaded: LoadedConfig, value: Any, path: KeyPath, indent: str) -> list[str]:
    lines: list[str] = []
    for name, item in _items(value):
        at = (*path, name)
        key = f"{indent}{dump_value(name)}:"
        if isinstance(item, tuple) and any(isinstance(entry, BaseModel) for entry in item):
            lines.append(key)
            for index, entry in enumerate(item):
                first, *others = _section(loaded, entry, (*at, index), f"{indent}    ")
                lines += [f"{indent}  - {first.lstrip()}", *others]
        elif _items(item):
            lines += [key, *_section(loaded, item, at, f"{indent}  ")]
        else:
            source = loaded.sources[format_path(at)]
            lines.append(f"{key} {dump_value(_plain(item))}  # {printable(source)}")
    return lines


def _items(value: Any) -> list[tuple[str | int, Any]]:
    if isinstance(value, BaseModel):
        return [(name, getattr(value, name)) for name in known_keys(type(value))]
    return list(value.items()) if isinstance(value, dict) else []


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, BaseModel | dict):
        return {name: _plain(item) for name, item in _items(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
