"""Makes one object schema of several that must all hold, which is the same and can be made finite."""

from collections.abc import Mapping
from typing import Any

_DEEPEST = 16
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties")
_NAMED = ("properties", "patternProperties", "$defs", "definitions")


def merged(schema: Any, root: Mapping[str, Any] | None = None, depth: int = 0) -> Any:
    """`schema` with every `allOf` of objects taken apart, as far as that is possible without a change of meaning.

    `root` has the definitions; None where it is the schema itself.
    """
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return schema
    root = schema if root is None else root
    node: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _NAMED and isinstance(value, Mapping):
            node[key] = {name: merged(part, root, depth + 1) for name, part in value.items()}
        elif key in _LISTS and isinstance(value, list | tuple):
            node[key] = [merged(part, root, depth + 1) for part in value]
        elif key in _SINGLE:
            node[key] = merged(value, root, depth + 1)
        else:
            node[key] = value
    return _joined(node, root, depth) if "allOf" in node else node


def _joined(node: dict[str, Any], root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    whole = {key: value for key, value in node.items() if key != "allOf"}
    if isinstance(whole.get("$ref"), str):
        return node
    for part in node["allOf"]:
        target = _target(part, root, depth)
        if target is None or not _is_object(target) or "additionalProperties" in {*whole, *target}:
            return node
        for key, value in target.items():
            if key == "properties":
                whole[key] = _both(whole.get(key, {}), value)
            elif key == "required":
                whole[key] = list(dict.fromkeys([*whole.get(key, ()), *value]))
            elif key in {"description", "title"}:
                whole.setdefault(key, value)
            elif whole.setdefault(key, value) != value:
                return node
    return whole


def _both(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(ours)
    for name, part in theirs.items():
        both[name] = part if both.get(name, part) == part else {"allOf": [both[name], part]}
    return both


def _target(part: Any, root: Mapping[str, Any], depth: int) -> Mapping[str, Any] | None:
    """A schema in place of a reference to it; None where that is not to be found."""
    if not isinstance(part, Mapping):
        return None
    reference = part.get("$ref")
    if reference is None:
        return part
    known = {**root.get("definitions", {}), **root.get("$defs", {})}
    found = known.get(str(reference).rpartition("/")[2])
    return merged(found, root, depth + 1) if isinstance(found, Mapping) and set(part) == {"$ref"} else None


def _is_object(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type", "object")
    return kind == "object" and not {"$ref", "anyOf", "oneOf", "allOf", "const", "enum"} & set(schema)
