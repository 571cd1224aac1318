"""The short language for schemas, such as `name, age int, tags [str], status open|closed, when date?: the due date`.

schema      = ["many"] fields
fields      = field {("," | end of line) field}
field       = name ["?"] [type ["?"]] [":" description]
type        = word | choice "|" choice {"|" choice} | "[" type "]" | "{" fields "}"
choice      = word | '"' text '"'
description = text up to a comma, a closing bracket or the end of the line | '"' text '"'
"""

import re
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, NoReturn

from bot.errors import SchemaError
from bot.schemas.fields import TYPES, Field, object_schema

MANY = "many"
_ALIASES = {
    "string": "str",
    "text": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "uri": "url",
    "date-time": "datetime",
}
_NAME = re.compile(r"[^\W\d]\w*(?:-\w+)*")
_WORD = re.compile(r"[^\s,;|:?\[\]{}\"]+")
_QUOTED = re.compile(r'"([^"\n]*)"')
_DESCRIPTION = re.compile(r"[^,\n}\]]+")
_SPACE = re.compile(r"[^\S\n]*")
_LINES = re.compile(r"\s*")
_DEEPEST = 5
_MOST_FIELDS = 64


class ShortLanguage:
    """Reads one schema. Errors point at the character."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def parse(self) -> tuple[tuple[Field, ...], bool]:
        """The fields, and whether there are many such records. Raises `SchemaError`."""
        self._skip(_LINES)
        many = re.match(rf"{MANY}\b(?!\s*[,?:|\[{{]|\s*$)", self._text[self._at :]) is not None
        if many:
            self._at += len(MANY)
        fields = self._fields()
        if self._at < len(self._text):
            self._fail(f"{self._text[self._at]!r} is not expected here")
        return fields, many

    def _fields(self) -> tuple[Field, ...]:
        found: list[Field] = []
        while True:
            self._skip(_LINES)
            start = self._at
            field = self._field()
            if any(field.name == other.name for other in found):
                self._fail(f"there are two fields called {field.name}", start)
            found.append(field)
            if len(found) > _MOST_FIELDS:
                self._fail(f"there are more than {_MOST_FIELDS} fields", start)
            self._skip(_SPACE)
            if not (self._take(",") or self._take("\n")):
                return tuple(found)
            self._skip(_LINES)
            if self._at == len(self._text) or self._text[self._at] == "}":
                return tuple(found)

    def _field(self) -> Field:
        name = self._match(_NAME)
        if name is None:
            self._fail("the name of a field is missing" if self._ended() else "a field's name begins with a letter")
        optional = self._take("?")
        self._skip(_SPACE)
        field = Field(name=name)
        if not self._ended() and self._text[self._at] not in ",:\n}]":
            field = self._type(field)
            optional = self._take("?") or optional
            self._skip(_SPACE)
        description = self._description() if self._take(":") else ""
        return replace(field, optional=optional, description=description)

    def _type(self, field: Field) -> Field:
        if self._text.startswith("[", self._at):
            return self._list(field)
        if self._text.startswith("{", self._at):
            return self._record(field)
        return self._word(field)

    def _list(self, field: Field) -> Field:
        start = self._at
        self._take("[")
        self._skip(_SPACE)
        inner = self._type(field)
        if inner.is_list:
            self._fail("a list of lists is not possible here; use JSON Schema for it", start)
        self._skip(_SPACE)
        if not self._take("]"):
            self._fail("the list is not closed: ] is missing")
        return replace(inner, is_list=True)

    def _record(self, field: Field) -> Field:
        start = self._at
        self._take("{")
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail(f"records are nested more than {_DEEPEST} deep", start)
        fields = self._fields()
        self._skip(_LINES)
        if not self._take("}"):
            self._fail("the record is not closed: } is missing")
        self._depth -= 1
        return replace(field, fields=fields)

    def _word(self, field: Field) -> Field:
        start = self._at
        choices = [self._choice()]
        while True:
            self._skip(_SPACE)
            if not self._take("|"):
                break
            self._skip(_SPACE)
            choices.append(self._choice())
        if len(choices) == 1:
            return replace(field, type=self._known(choices[0], start))
        if len(set(choices)) < len(choices):
            self._fail("the same choice is there twice", start)
        numbers = all(re.fullmatch(r"-?\d{1,15}", choice) for choice in choices)
        return replace(field, choices=tuple(int(choice) if numbers else choice for choice in choices))

    def _choice(self) -> str:
        quoted = _QUOTED.match(self._text, self._at)
        if quoted is not None and quoted[1].strip():
            self._at = quoted.end()
            return quoted[1].strip()
        word = self._match(_WORD)
        if word is None:
            self._fail("a type or a choice is missing")
        return word

    def _known(self, word: str, start: int) -> str:
        kind = _ALIASES.get(word.lower(), word.lower())
        if kind not in TYPES:
            near = get_close_matches(kind, [*TYPES, *_ALIASES], n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(TYPES)}"
            self._fail(f"{word!r} is no type; {hint}", start)
        return kind

    def _description(self) -> str:
        self._skip(_SPACE)
        quoted = _QUOTED.match(self._text, self._at)
        if quoted is not None:
            self._at = quoted.end()
            return quoted[1].strip()
        text = self._match(_DESCRIPTION)
        if text is None or not text.strip():
            self._fail("the description behind : is missing")
        return text.strip()

    def _match(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.match(self._text, self._at)
        if match is None:
            return None
        self._at = match.end()
        return match[0]

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._match(pattern)

    def _take(self, character: str) -> bool:
        if self._text.startswith(character, self._at):
            self._at += 1
            return True
        return False

    def _ended(self) -> bool:
        return self._at >= len(self._text)

    def _fail(self, problem: str, at: int | None = None) -> NoReturn:
        """Show the line with a mark under the character."""
        place = self._at if at is None else at
        begin = self._text.rfind("\n", 0, place) + 1
        line = self._text[begin:].partition("\n")[0]
        raise SchemaError(f"{problem}:\n\n```\n{line}\n{' ' * (place - begin)}^\n```")


def parse_short(text: str) -> tuple[dict[str, Any], bool]:
    """JSON Schema of a record in the short language, and whether there are many. Raises `SchemaError`."""
    fields, many = ShortLanguage(text).parse()
    return object_schema(fields), many
