"""What somebody writes behind `/extract`."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.schemas.fields import TYPES
from bot.schemas.schema import Schema
from bot.schemas.short_language import MANY

_FIRST = re.compile(r"(\S+)(?:\s+|$)(.*)", re.DOTALL)
_QUOTED = re.compile(r'"[^"\n]*"')
_SIGNS = re.compile(rf"[\[\]{{}}|]|\?(?=[\s,]|$)|:\s|\b(?:{'|'.join(TYPES)})\b")
_LONGEST = 500
"""Characters of a schema that is written in place."""
_WORDS = 2
"""Words of a field that has no type the language knows: its name and something mistyped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractArgument:
    """Which schema, and the text. `schema` is None where nothing says which."""

    schema: Schema | None
    many: bool
    text: str


def parse_argument(argument: str, find: Callable[[str], Schema | None]) -> ExtractArgument:
    """`[many] [NAME] text`, or `fields ; text`; `find` knows the schemas that have a name. Raises `SchemaError`."""
    word, rest = _split(argument)
    if (named := find(word)) is not None:
        return ExtractArgument(schema=named, many=named.many, text=rest)
    if word.lower() == MANY:
        second, after = _split(rest)
        if (named := find(second)) is not None:
            return ExtractArgument(schema=named, many=True, text=after)
    short, semicolon, text = _before_semicolon(argument)
    if semicolon and _is_schema(short):
        schema = Schema.of_short(short)
        return ExtractArgument(schema=schema, many=schema.many, text=text.strip())
    return ExtractArgument(schema=None, many=False, text=argument)


def _split(text: str) -> tuple[str, str]:
    match = _FIRST.match(text)
    return (match[1].rstrip(":"), match[2].strip()) if match else ("", "")


def _before_semicolon(text: str) -> tuple[str, str, str]:
    """The part before the first semicolon that is not quoted, as `str.partition` has it."""
    hidden = _QUOTED.sub(lambda match: "_" * len(match[0]), text)
    place = hidden.find(";")
    return (text, "", "") if place < 0 else (text[:place], ";", text[place + 1 :])


def _is_schema(text: str) -> bool:
    """Whether somebody means fields, right or mistyped, and not a sentence that goes on behind a semicolon."""
    if len(text) > _LONGEST:
        return False
    if _SIGNS.search(_QUOTED.sub("", text)):
        return True
    fields = re.split(r"[,\n]", re.sub(rf"^{MANY}\s+", "", text.strip()))
    return all(0 < len(field.split()) <= _WORDS for field in fields) and (len(fields) > 1 or " " not in fields[0])
