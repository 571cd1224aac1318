"""`hearthbot extract` and `hearthbot records`, the program itself with the small model."""

import csv
import io
import json

import pytest

from tests.support.hearthbot_process import Hearthbot

CONFIGURATION = "engine: {n_ctx: 1024, max_parallel: 2, n_threads: 1, tune: off}\n"


@pytest.fixture
def program(hearthbot: Hearthbot) -> Hearthbot:
    """With two texts, and a picture that cannot be read."""
    hearthbot.configure(CONFIGURATION)
    (hearthbot.home / "a.txt").write_text("Jason is 25 years old")
    (hearthbot.home / "b.html").write_text("<p>Ruth is <b>81</b> years old</p>")
    (hearthbot.home / "c.png").write_bytes(b"\x89PNG")
    return hearthbot


def test_a_text_on_standard_input_becomes_an_object(program: Hearthbot) -> None:
    """One line of JSON, nothing else, and the exit code 0."""
    done = program.run("extract", "UserDetail", stdin="Jason is 25 years old")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"name": "Jason", "age": 25})


def test_a_file_that_fails_does_not_stop_the_others(program: Hearthbot) -> None:
    """It is listed with its reason, and the exit code is 1; a second run asks the model for nothing that is known."""
    done = program.run("extract", "UserDetail", "a.txt", "c.png", "nowhere.txt", "b.html", "--source")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["source"] for line in lines] == ["a.txt", "b.html"]
    assert all(set(line["value"]) == {"name", "age"} for line in lines)
    assert done.returncode == 1
    assert "2 of 4 failed:" in done.stderr
    assert "c.png: “c.png”: I cannot see pictures yet" in done.stderr
    assert "nowhere.txt: No such file or directory" in done.stderr
    again = program.run("extract", "UserDetail", "a.txt", "b.html", "--source")
    assert again.stdout == done.stdout
    assert again.returncode == 0
    records = program.run("records", "export").stdout.splitlines()
    assert [json.loads(line)["source"] for line in records] == ["a.txt", "b.html"]


def test_tables_and_groundings(program: Hearthbot) -> None:
    """CSV with a heading for spreadsheets, a table for people, and where each value stands."""
    done = program.run("extract", "name, age int", "a.txt", "b.html", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["source"] for row in rows] == ["a.txt", "b.html"]
    assert list(rows[0]) == ["source", "name", "age"]
    assert program.run("extract", "name, age int", "a.txt", "--table").stdout.startswith("| name | age |\n| --- |")
    found = json.loads(program.run("extract", "name, age int", "a.txt", "--grounding").stdout)
    assert found["grounding"][0] == {"path": "name", "value": "Jason", "status": "found", "span": [0, 5]}
    exported = list(csv.DictReader(io.StringIO(program.run("records", "export", "record", "--csv").stdout)))
    assert [row["source"] for row in exported] == ["a.txt", "b.html"]


def test_a_schema_in_a_file(program: Hearthbot) -> None:
    """JSON Schema, and with --many a list of such records."""
    (program.home / "who.json").write_text('{"type": "object", "properties": {"n": {"type": "string"}}}')
    done = program.run("extract", "who.json", "a.txt", "--many", "--again")
    assert isinstance(json.loads(done.stdout), list)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("name, age ant", "a.txt"), "'ant' is no type"),
        (("missing.json", "a.txt"), "missing.json cannot be read"),
        (("name", "a.txt", "--csv", "--table"), "choose one of them"),
    ],
)
def test_mistakes_on_the_command_line(program: Hearthbot, arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2, before the model is loaded."""
    done = program.run("extract", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_no_records(program: Hearthbot) -> None:
    """Nothing on standard output."""
    done = program.run("records", "export")
    assert (done.stdout, done.stderr) == ("", "no record fits\n")
