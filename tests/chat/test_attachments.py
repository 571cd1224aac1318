"""Files that come with a message."""

from bot.messages import Attachment
from tests.chat.conftest import OpenBench
from tests.support.chat_bench import ChatBench
from tests.support.pdf_files import pdf


def _file(name: str, data: bytes, media_type: str = "") -> Attachment:
    async def read() -> bytes:
        return data

    return Attachment(name=name, media_type=media_type, size=len(data), read=read)


async def test_files_are_part_of_what_the_model_reads(bench: ChatBench) -> None:
    """After the message, each under its name; the turn keeps them."""
    files = (_file("a.csv", b"x,y\n1,2"), _file("b.pdf", pdf("Hello"), "application/pdf"))
    await bench.say("sum up", attachments=files)
    told = "sum up\n\n[File a.csv]\nx,y\n1,2\n[End of a.csv]\n\n[File b.pdf]\nHello\n[End of b.pdf]"
    assert bench.engine.prompts[-1] == ["Be kind.", told]
    assert [turn.text for turn in await bench.stored()] == [told]


async def test_a_file_alone_is_a_message(bench: ChatBench) -> None:
    """What is in it is answered."""
    target = await bench.say("", attachments=(_file("note.txt", b"What is 1 + 1?"),))
    assert target.reply.startswith("re: [File note.txt]\nWhat is 1 + 1?")


async def test_what_cannot_be_read_is_said_and_the_rest_is_answered(open_bench: OpenBench) -> None:
    """A refusal names the file and the limit; the others, and the text, are read."""
    async with open_bench(documents={"max_files": 2, "max_characters": 500}) as bench:
        files = (_file("long.txt", b"a" * 600), _file("b.txt", b"fine"), _file("c.txt", b"too many"))
        target = await bench.say("read", attachments=files)
        assert ["long.txt" in notice and "500" in notice for notice in target.notices] == [True, False]
        assert "at most 2 files" in target.notices[1]
        assert bench.engine.prompts[-1][-1] == "read\n\n[File b.txt]\nfine\n[End of b.txt]"


async def test_a_download_that_fails_is_said(bench: ChatBench) -> None:
    """The person can send the file again; nothing internal is told."""

    async def fails() -> bytes:
        raise ConnectionError("https://secret")

    target = await bench.say("", attachments=(Attachment(name="a.txt", media_type="", size=1, read=fails),))
    assert "could not download “a.txt”" in target.reply
    assert "secret" not in target.reply
    assert bench.engine.history == []
