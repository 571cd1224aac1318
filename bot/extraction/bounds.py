"""Makes a schema finite, so that no answer can go on for ever."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.extraction.formats import PATTERNS
from bot.extraction.keys import other_keys

_LARGEST = 10**15
"""Whole numbers beyond lose digits in JSON's floating point, and no text of everyday life has them."""
_MOST_DIGITS = 1e-9
_LONGEST_FIXED = 64
"""Characters, more than a date, a time or an identifier needs: with less room there would be no answer at all."""
_SHORTEST_ADDRESS = 32
_ADDRESSES = frozenset({"email", "idn-email", "uri", "iri", "hostname", "idn-hostname"})
"""Formats of what has no blanks in it."""
_ANNOTATIONS = frozenset(
    {"$schema", "$id", "$comment", "title", "default", "examples", "readOnly", "writeOnly", "deprecated"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The limits that a schema gets where it has none of its own."""

    max_string: int = 200
    max_address: int = 200
    """Of strings that have an address's format."""
    max_items: int = 20

    def apply(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The schema that the model is held to: every answer to it is one to `schema`, but for what is said next.

        A property that need not be there has to be, and may be null: so a small model says of each whether it found
        it, instead of ending early. `Absent.strip` takes those nulls out again.
        """
        bounded: dict[str, Any] = self._bounded(schema)
        return bounded

    def _bounded(self, schema: Any, *, alternative: bool = False) -> Any:
        """`alternative`: one of several, told apart by the properties that they have or lack."""
        if not isinstance(schema, Mapping):
            return self._anything() if schema is True else schema
        if not set(schema) - _ANNOTATIONS - {"description", "$defs", "definitions"}:
            return {**self._kept(schema), **self._anything()}
        if "const" in schema or "enum" in schema:
            return self._kept(schema)
        bounded = self._kept(schema)
        for key in ("anyOf", "oneOf", "allOf"):
            if key in schema:
                # What `all_of` could not put together must stay open for one another's properties.
                bounded[key] = [
                    part if key == "allOf" and _has_properties(part) else self._bounded(part, alternative=True)
                    for part in schema[key]
                ]
        kinds = self._kinds(schema)
        if "string" in kinds:
            self._bound_string(schema, bounded)
        if "integer" in kinds or "number" in kinds:
            self._bound_number(schema, bounded, whole="number" not in kinds)
        if "array" in kinds:
            self._bound_array(schema, bounded)
        if "object" in kinds:
            self._bound_object(schema, bounded, alternative=alternative)
        return bounded

    def _kept(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Without what is no concern of the compiler's, its definitions bounded."""
        kept = {key: value for key, value in schema.items() if key not in _ANNOTATIONS}
        for key in ("$defs", "definitions"):
            if key in kept:
                kept[key] = {name: self._bounded(part) for name, part in kept[key].items()}
        return kept

    @staticmethod
    def _kinds(schema: Mapping[str, Any]) -> set[str]:
        """The types that this schema itself speaks of; none where others that it names do."""
        given = schema.get("type")
        if given is not None:
            return {given} if isinstance(given, str) else set(given)
        if any(key in schema for key in ("$ref", "anyOf", "oneOf", "allOf")):
            found = set()
            if "properties" in schema:
                found.add("object")
            if "items" in schema or "prefixItems" in schema:
                found.add("array")
            return found
        return {"string", "number", "array", "object"}

    def _bound_string(self, schema: Mapping[str, Any], bounded: dict[str, Any]) -> None:
        if "pattern" not in schema and (pattern := PATTERNS.get(schema.get("format", ""))):
            bounded["pattern"] = pattern
            del bounded["format"]
        least = schema.get("minLength", 0)
        if "pattern" not in bounded and schema.get("format") in _ADDRESSES:
            most = min(self.max_string, self.max_address)
            least = max(least, _SHORTEST_ADDRESS)
        else:
            most = self.max_string
            least = max(least, _LONGEST_FIXED if {"pattern", "format"} & set(bounded) else 0)
        bounded["maxLength"] = schema.get("maxLength", max(most, least))

    @staticmethod
    def _bound_number(schema: Mapping[str, Any], bounded: dict[str, Any], *, whole: bool) -> None:
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        if low is None:
            bounded["minimum"] = min(-_LARGEST, high * 2 if high is not None else 0)
        if high is None:
            bounded["maximum"] = max(_LARGEST, low * 2 if low is not None else 0)
        if low is not None and low == high and schema.get("type") == "number":
            bounded["enum"] = [low]  # the compiler finds no number of so many digits between equal bounds
        elif not whole and "multipleOf" not in schema:
            bounded["multipleOf"] = _MOST_DIGITS

    def _bound_array(self, schema: Mapping[str, Any], bounded: dict[str, Any]) -> None:
        prefix = schema.get("prefixItems", ())
        if prefix:
            bounded["prefixItems"] = [self._bounded(part) for part in prefix]
        if schema.get("items") is not False:
            bounded["items"] = self._bounded(schema.get("items", True))
        most = max(self.max_items, len(prefix), schema.get("minItems", 0))
        bounded["maxItems"] = schema.get("maxItems", most)

    def _bound_object(self, schema: Mapping[str, Any], bounded: dict[str, Any], *, alternative: bool) -> None:
        properties = schema.get("properties", {})
        required = set(schema.get("required", ()))
        counted = "minProperties" in schema or "maxProperties" in schema
        if properties:
            bounded["properties"] = {
                name: self._bounded(part) if name in required or alternative or counted else self._or_null(part)
                for name, part in properties.items()
            }
            if not alternative and not counted:
                named = [name for name, part in properties.items() if part is not False]
                bounded["required"] = [*named, *(name for name in schema.get("required", ()) if name not in named)]
        if "patternProperties" in schema:
            bounded["patternProperties"] = {
                pattern: self._bounded(part) for pattern, part in schema["patternProperties"].items()
            }
        extra = schema.get("additionalProperties")
        if extra is None and (properties or alternative) and set(properties) >= required:
            bounded["additionalProperties"] = False
        elif extra is not False:
            others = self._bounded(True if extra is None else extra)
            if "patternProperties" in schema:  # only the compiler can tell which keys these leave
                bounded["additionalProperties"] = others
            else:
                bounded["patternProperties"] = {other_keys(properties): others}
                bounded["additionalProperties"] = False
        free = "patternProperties" in bounded or bounded.get("additionalProperties") is not False
        # Properties can be counted only where each that has a name is there.
        if free and not counted and False not in properties.values() and not (alternative and properties):
            bounded["maxProperties"] = self.max_items + len(set(properties) | required)

    def _or_null(self, schema: Any) -> Any:
        bounded = self._bounded(schema)
        if schema is False or not isinstance(bounded, dict):
            return bounded
        if bounded.get("type") == "null" or (isinstance(bounded.get("type"), list) and "null" in bounded["type"]):
            return bounded
        return {"anyOf": [bounded, {"type": "null"}]}

    def _anything(self) -> dict[str, Any]:
        """What an empty schema allows, as far as it is of use: a single value, or a list of them."""
        single: list[dict[str, Any]] = [
            {"type": "string", "maxLength": self.max_string},
            {"type": "number", "minimum": -_LARGEST, "maximum": _LARGEST, "multipleOf": _MOST_DIGITS},
            {"type": "boolean"},
            {"type": "null"},
        ]
        listed = {"type": "array", "items": {"anyOf": single}, "maxItems": self.max_items}
        return {"anyOf": [*single, listed]}


def _has_properties(schema: Any) -> bool:
    return isinstance(schema, Mapping) and "properties" in schema
