"""The section `extraction` of the configuration."""

import json
from pathlib import Path

import pytest

from bot.schemas.support import check_support
from bot.settings import Configuration
from bot.settings.extraction import SchemaSettings
from tests.support.config_files import read, refusal


def test_the_first_schema_is_the_classic() -> None:
    """With nothing configured a person's name and age are read, both required."""
    schema = Configuration().extraction.named()["UserDetail"]
    check_support(schema.record)
    assert {name: part["type"] for name, part in schema.record["properties"].items()} == {
        "name": "string",
        "age": "integer",
    }
    assert schema.record["required"] == ["name", "age"]
    given = Configuration().extraction.schemas["UserDetail"].model_dump()
    assert SchemaSettings.model_validate(given).as_schema("UserDetail") == schema


def test_one_schema_in_four_ways(tmp_path: Path) -> None:
    """A list of fields, the short language, JSON Schema in place and in a file come to the same."""
    fields = read(
        tmp_path, "extraction: {schemas: {A: {fields: [{name: name}, {name: age, type: int, optional: true}]}}}"
    )
    wanted = fields.settings.extraction.named()["A"].record
    (tmp_path / "a.json").write_text(json.dumps(wanted))
    for text in ('short: "name, age? int"', f"json_schema: {json.dumps(wanted)}", f"file: {tmp_path / 'a.json'}"):
        loaded = read(tmp_path, f"extraction:\n  schemas:\n    A:\n      {text}\n")
        assert loaded.settings.extraction.named()["A"].record == wanted


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("short: name, ages ints", "extraction.schemas.A.short: 'ints' is no type"),
        ("json_schema: {type: object, properties: {a: {not: {}}}}", "schemas.A.json_schema: properties.a: the keyword"),
        ("json_schema: {type: array}", "must be that of an object"),
        ("file: nowhere.json", "schemas.A.file: nowhere.json cannot be read"),
        ("description: nothing else", "needs exactly one of fields, short, json_schema, file; none is there"),
        ("{short: name, file: a.json}", "found short and file"),
    ],
)
def test_a_schema_that_cannot_be_held_to_is_refused_when_it_is_loaded(tmp_path: Path, section: str, said: str) -> None:
    """With the key, by name."""
    assert said in refusal(tmp_path, f"extraction:\n  schemas:\n    A:\n      {section}\n")


def test_the_version_follows_what_the_result_depends_on(tmp_path: Path) -> None:
    """Another instruction, another version; the name has no part in it."""
    texts = ("short: name", "{short: name, instructions: x}", "{short: name, many: true}")
    versions = {
        read(tmp_path, f"extraction:\n  schemas:\n    A:\n      {text}\n").settings.extraction.named()["A"].version
        for text in texts
    }
    assert len(versions) == 3
