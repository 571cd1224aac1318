"""A JSON Schema in few words, as a small model reads it best."""

import json
from collections.abc import Mapping
from typing import Any

_FORMATS = {
    "date": "date YYYY-MM-DD",
    "date-time": "date and time YYYY-MM-DDThh:mm:ssZ",
    "time": "time hh:mm:ssZ",
    "uri": "web address https://...",
    "email": "e-mail address",
}
_NAMES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": "null"}
_DEEPEST = 6


def outline(schema: Mapping[str, Any], *, many: bool) -> str:
    """The form of the answer: `{"name": text, "age": whole number or null}`, with descriptions as comments."""
    form = _form(schema, "", 0)
    return f"[{form}, ...]" if many else form


def _form(schema: Any, indent: str, depth: int) -> str:
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return "anything"
    if "const" in schema or "enum" in schema:
        choices = schema["enum"] if "enum" in schema else [schema["const"]]
        return " or ".join(json.dumps(each, ensure_ascii=False) for each in choices)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_form(part, indent, depth + 1) for part in schema[key]))
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2] or "the same again"
    if "properties" in schema:
        return _record(schema, indent, depth)
    kinds = schema.get("type", "anything")
    return " or ".join(_single(kind, schema, indent, depth) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _single(kind: str, schema: Mapping[str, Any], indent: str, depth: int) -> str:
    if kind == "array":
        return f"[{_form(schema.get('items', True), indent, depth + 1)}, ...]"
    if kind == "object":
        return "{...}"
    if kind == "string" and "format" in schema:
        return _FORMATS.get(schema["format"], str(schema["format"]))
    return _NAMES.get(kind, kind)


def _record(schema: Mapping[str, Any], indent: str, depth: int) -> str:
    inner = f"{indent}  "
    lines = []
    required = schema.get("required", ())
    for name, part in schema["properties"].items():
        form = _form(part, inner, depth + 1)
        if name not in required and not form.endswith("null"):
            form += " or null"
        about = part.get("description", "") if isinstance(part, Mapping) else ""
        lines.append(f"{inner}{json.dumps(name, ensure_ascii=False)}: {form}{f' ({about})' if about else ''}")
    return "\n".join(["{", ",\n".join(lines), f"{indent}}}"])
