"""`/extract`, `/schemas` and `/records` over a scripted model."""

import json

import pytest

from bot.chat.extract_argument import parse_argument
from bot.errors import SchemaError
from bot.messages import Attachment
from bot.schemas.schema import Schema
from tests.chat.conftest import OpenBench
from tests.support.chat_bench import ChatBench

JASON = '{"name": "Jason", "age": 25}'


def _file(name: str, text: str, media_type: str = "text/plain") -> Attachment:
    async def read() -> bytes:
        return text.encode()

    return Attachment(name=name, media_type=media_type, size=len(text), read=read)


async def test_the_classic(bench: ChatBench) -> None:
    """A table, and the JSON in a code block."""
    bench.engine.enqueue(JASON)
    target = await bench.say("/extract Jason is 25 years old")
    assert target.reply == (
        '|  | UserDetail |\n| --- | --- |\n| name | Jason |\n| age | 25 |\n\n```json\n{"name": "Jason", "age": 25}\n```'
    )
    assert bench.engine.history[-1].user == "test:ann"


async def test_what_is_not_in_the_text_is_marked(bench: ChatBench) -> None:
    """In the table and in a sentence of its own."""
    bench.engine.enqueue(JASON)
    reply = (await bench.say("/extract Jason is here")).reply
    assert "| age | 25 ⚠ |" in reply
    assert "⚠ Not in the text, so maybe invented: age" in reply


async def test_a_schema_written_in_place(bench: ChatBench) -> None:
    """Up to the semicolon are the fields, behind it is the text."""
    bench.engine.enqueue('[{"what": "tea", "price": 2.5}, {"what": "a | b", "price": null}]')
    reply = (await bench.say("/extract many what, price? float ; tea 2,50; a | b")).reply
    assert reply.startswith("| what | price |\n| --- | --- |\n| tea | 2.5 |\n| a \\| b | – |")


async def test_a_mistake_in_a_schema_is_pointed_at(bench: ChatBench) -> None:
    """With the line and a mark under the character."""
    target = await bench.say("/extract name, age integr ; Jason is 25")
    assert "'integr' is no type; did you mean integer" in target.reply
    assert "          ^" in target.reply
    assert bench.engine.history == []


async def test_the_text_may_be_in_the_message_that_is_answered(bench: ChatBench) -> None:
    """With a schema or without."""
    for command in ("/extract", "/extract userdetail"):
        bench.engine.enqueue(JASON)
        target = await bench.say(command, reply_to="m0", reply_text="Jason is 25 years old")
        assert "| age | 25 |" in target.reply
        assert str(bench.engine.history[-1].copied_from).endswith("\nJason is 25 years old")


async def test_files_are_read(bench: ChatBench) -> None:
    """Those of the message, or of the message that is answered; several get a heading each."""
    bench.engine.enqueue(JASON)
    bench.engine.enqueue('{"name": "Ann", "age": 30}')
    files = (_file("a.txt", "Jason is 25"), _file("b.html", "<p>Ann is <b>30</b></p>", "text/html"))
    reply = (await bench.say("/extract", attachments=files)).reply
    assert "**a.txt**" in reply
    assert "**b.html**" in reply
    assert "⚠" not in reply
    bench.engine.enqueue(JASON)
    reply = (await bench.say("/extract", reply_attachments=files[:1])).reply
    assert "| name | Jason |" in reply


async def test_a_file_that_cannot_be_read_is_refused(bench: ChatBench) -> None:
    """By name, and nothing is asked of the model."""
    target = await bench.say("/extract", attachments=(_file("a.png", "x", "image/png"),))
    assert "a.png" in target.reply
    assert bench.engine.history == []


async def test_without_a_text_it_is_explained(bench: ChatBench) -> None:
    """With the name of the default schema."""
    assert "UserDetail" in (await bench.say("/extract")).reply


async def test_an_honest_failure(bench: ChatBench) -> None:
    """It says what was found and what is wrong with it."""
    for _ in range(2):
        bench.engine.enqueue('{"name": "Jason", "age": "x"}')
    target = await bench.say("/extract Jason is 25")
    assert target.errors == ["extraction_failed"]
    assert "'x' is not of type 'integer'" in target.reply


async def test_it_can_be_stopped(bench: ChatBench) -> None:
    """Like a reply; nothing is kept."""
    reply = bench.engine.enqueue(JASON, held=True)
    task, target = bench.start("/extract Jason is 25")
    await reply.written.wait()
    assert (await bench.say("/stop")).reply == "Stopped."
    await task
    await reply.cancelled.wait()
    assert target.reply == "Stopped."
    assert "no records" in (await bench.say("/records")).reply


async def test_a_long_text_says_how_far_it_is(open_bench: OpenBench) -> None:
    """At the beginning and half way."""
    async with open_bench(extraction={"chunk_tokens": 64}, engine={"n_ctx": 2000}) as bench:
        bench.engine.answer = lambda _: JASON
        target = await bench.say("/extract " + "Jason is 25 years old. " * 150)
        assert [notice.startswith("(This is long: I read it in") for notice in target.notices] == [True, False]
        assert "parts are read" in target.notices[1]
        assert "| age | 25 |" in target.reply


async def test_many_long_records_come_as_a_file(bench: ChatBench) -> None:
    """The table shows the first, the file has all."""
    records = [{"name": f"Person number {number}", "note": "x" * 150} for number in range(20)]
    bench.engine.enqueue(json.dumps(records))
    target = await bench.say("/extract many name, note ; Person")
    assert json.loads(target.files["record.json"]) == records
    assert "… and 5 more" in target.reply
    assert "```" not in target.reply


async def test_records_are_kept_and_exported(bench: ChatBench) -> None:
    """Listed, as CSV and as JSON Lines; each person's own."""
    bench.engine.enqueue(JASON)
    await bench.say("/extract Jason is 25 years old")
    bench.engine.enqueue('[{"city": "Bonn"}, {"city": "Köln"}]')
    await bench.say("/extract many city ; Bonn and Köln")
    listed = (await bench.say("/records")).reply
    assert "UserDetail: name: Jason, age: 25" in listed
    assert "record: city: Bonn; city: Köln" in listed
    assert "Köln" not in (await bench.say("/records userdetail")).reply
    target = await bench.say("/records record csv")
    assert target.files["record.csv"].decode("utf-8-sig").splitlines()[0] == "schema,source,time,city"
    assert len(target.files["record.csv"].decode().splitlines()) == 3
    lines = (await bench.say("/records jsonl")).files["records.jsonl"].decode().splitlines()
    first = json.loads(lines[0])
    assert first["value"] == {"name": "Jason", "age": 25}
    assert first["grounding"][0] == {"path": "name", "value": "Jason", "status": "found", "span": [0, 5]}
    assert first["model"] == "scripted"
    assert "no records" in (await bench.say("/records", user="bob")).reply


async def test_keeping_can_be_switched_off(open_bench: OpenBench) -> None:
    """Then `/records` says so."""
    async with open_bench(extraction={"keep": False}) as bench:
        bench.engine.enqueue(JASON)
        await bench.say("/extract Jason is 25")
        assert "switched keeping them off" in (await bench.say("/records")).reply


async def test_forgetting_takes_records_and_schemas_along(bench: ChatBench) -> None:
    """Down to the bytes."""
    bench.engine.enqueue('{"name": "SECRETNAME", "age": 25}')
    await bench.say("/extract SECRETNAME is 25")
    await bench.say("/schemas save Shop SECRETFIELD")
    await bench.say("/forget")
    await bench.say("/forget confirm")
    assert "no records" in (await bench.say("/records")).reply
    assert "Your own" not in (await bench.say("/schemas")).reply
    assert b"SECRET" not in b"".join(file.read_bytes() for file in bench.path.parent.iterdir())


async def test_schemas_of_ones_own(bench: ChatBench) -> None:
    """Saved, listed, shown, used by name in any case, deleted; nobody else sees them."""
    assert (
        "/extract Shop and a text looks for: item, price"
        in (await bench.say("/schemas save Shop many item, price float?")).reply
    )
    listed = (await bench.say("/schemas")).reply
    assert "- UserDetail (a person): name, age" in listed
    assert "- Shop (any number of them): item, price" in listed
    assert '"price": number or null' in (await bench.say("/schemas show shop")).reply
    bench.engine.enqueue('[{"item": "tea", "price": 2}]')
    assert "| tea | 2 |" in (await bench.say("/extract SHOP tea for 2")).reply
    assert "Your own" not in (await bench.say("/schemas", user="bob")).reply
    assert (await bench.say("/schemas delete SHOP")).reply == "Deleted: SHOP"
    assert "no schema called Shop" in (await bench.say("/schemas show Shop")).reply


async def test_a_schema_that_cannot_be_saved(bench: ChatBench) -> None:
    """Mistakes are pointed at; what is incomplete is explained."""
    assert "is no type" in (await bench.say("/schemas save Shop item, price flaot")).reply
    assert "begins with a letter" in (await bench.say("/schemas save 1a item")).reply
    assert "/schemas save NAME" in (await bench.say("/schemas save")).reply


PERSON = Schema.of_short("name", name="Person")


@pytest.mark.parametrize(
    ("argument", "name", "many", "text"),
    [
        ("Bob is 5", None, False, "Bob is 5"),
        ("person Bob is 5", "Person", False, "Bob is 5"),
        ("Person: Bob; Ann", "Person", False, "Bob; Ann"),
        ("many Person Bob, Ann", "Person", True, "Bob, Ann"),
        ("many people came", None, False, "many people came"),
        ("name, age int ; Bob is 5; yes", "record", False, "Bob is 5; yes"),
        ("name\nage int;Bob", "record", False, "Bob"),
        ('kind "a;b"|c ; text', "record", False, "text"),
        ("He went home; she stayed here", None, False, "He went home; she stayed here"),
        ("He went home, then he slept; she did not", None, False, "He went home, then he slept; she did not"),
        ("city; I live in Bonn", "record", False, "I live in Bonn"),
    ],
)
def test_what_is_a_schema_and_what_is_text(argument: str, name: str | None, many: bool, text: str) -> None:
    """A known name or fields in front of a semicolon; everything else is text."""
    found = parse_argument(argument, lambda word: PERSON if word.lower() == "person" else None)
    assert (found.schema and found.schema.name, found.many, found.text) == (name, many, text)


@pytest.mark.parametrize("argument", ["name, age integr ; x", "name, tags [str ; x", "age integr? ; x"])
def test_a_mistyped_schema_is_no_text(argument: str) -> None:
    """The person meant fields, and is told what is wrong with them."""
    with pytest.raises(SchemaError):
        parse_argument(argument, lambda _: None)
