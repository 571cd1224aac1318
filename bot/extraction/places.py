"""Every single value of a record, with its place and what its schema says of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
_DEEPEST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One value that holds no others."""

    path: Path
    value: str | int | float
    chosen: bool
    """One of a few that the schema lists, which need not be in the text as it is."""
    optional: bool
    """It may be null, or may be left out."""


def places(value: Any, schema: Mapping[str, Any]) -> Iterator[Place]:
    """The strings and numbers in `value`, in order."""
    yield from _walk(value, [schema], schema, (), optional=False)


def _walk(value: Any, schemas: list[Any], root: Mapping[str, Any], path: Path, *, optional: bool) -> Iterator[Place]:
    known = [each for schema in schemas for each in _expanded(schema, root)]
    optional = optional or any(_may_be_null(schema) for schema in known)
    if isinstance(value, dict):
        for key, item in value.items():
            parts = [schema["properties"][key] for schema in known if key in schema.get("properties", ())]
            parts = parts or [schema.get("additionalProperties", True) for schema in known]
            needed = any(key in schema.get("required", ()) for schema in known)
            yield from _walk(item, parts, root, (*path, key), optional=not needed)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, [_item(schema, index) for schema in known], root, (*path, index), optional=False)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        chosen = any("const" in schema or value in schema.get("enum", ()) for schema in known)
        yield Place(path=path, value=value, chosen=chosen, optional=optional)


def _item(schema: Mapping[str, Any], index: int) -> Any:
    prefix = schema.get("prefixItems", ())
    return prefix[index] if index < len(prefix) else schema.get("items", True)


def _expanded(schema: Any, root: Mapping[str, Any], depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """A schema, what it refers to, and its alternatives."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return
    yield schema
    reference = schema.get("$ref")
    if isinstance(reference, str):
        yield from _expanded(_target(reference, root), root, depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        for part in schema.get(key, ()):
            yield from _expanded(part, root, depth + 1)


def _target(reference: str, root: Mapping[str, Any]) -> Any:
    found: Any = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        if not part:
            continue
        name = part.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _may_be_null(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "null" or (isinstance(kind, list) and "null" in kind) or None in schema.get("enum", (0,))
