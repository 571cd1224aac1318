"""The texts, and what is to be read out of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.extraction import Schema

FOLDER = Path(__file__).parent
ABSENT = Schema.of_short("phone_number, birth_date date, weight_kg float, licence_plate", name="absent")
"""What none of the texts says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One text."""

    id: str
    kind: str
    language: str
    schema: Schema
    text: str
    expected: Any
    """A value by field, or a list of values that are as good; a list of such records where there are many."""


def load_cases() -> list[Case]:
    """All of them, those of one schema together."""
    definitions: Mapping[str, str] = json.loads((FOLDER / "schemas.json").read_text(encoding="utf-8"))
    schemas = {name: replace(Schema.of_short(text), name=name) for name, text in definitions.items()}
    lines = (FOLDER / "texts.jsonl").read_text(encoding="utf-8").splitlines()
    return [Case(schema=schemas[each["kind"]], **each) for each in map(json.loads, lines)]
