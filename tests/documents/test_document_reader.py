"""What becomes of the files that people send."""

import asyncio

import pytest

from bot.documents.document_reader import DocumentReader
from bot.errors import DocumentError
from tests.documents.conftest import OpenReader
from tests.support.pdf_files import bomb, pdf
from tests.support.until import until

HTML = """<html><head><title>no</title><style>p {color: red}</style></head><body><h1>Soup</h1>
<p>Take <b>two</b> onions.</p><ul><li>salt</li><li>oil</li></ul><script>alert(1)</script>
<table><tr><th>what</th><th>g</th></tr><tr><td>onion</td><td>200</td></tr></table></body></html>"""
MAIL = b"""From: Ann <ann@example.org>
To: bot@example.org
Subject: =?utf-8?q?K=C3=A4se?=
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: multipart/alternative; boundary=y

--y
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

F=FCnf Scheiben
--y
Content-Type: text/html

<p>other</p>
--y--
--x
Content-Type: application/pdf
Content-Disposition: attachment; filename=bill.pdf

--x--
"""


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("notes.txt", "Käse\nund Brot".encode()),
        ("notes.md", "\N{BYTE ORDER MARK}Käse\nund Brot".encode()),
        ("old.txt", "Käse\nund Brot".encode("utf-16")),
        ("old.csv", "Käse\nund Brot".encode("cp1252")),
        ("app.ts", "Käse\nund Brot".encode()),
        ("noname", "Käse\nund Brot".encode()),
    ],
)
async def test_text_is_read_in_any_encoding(reader: DocumentReader, name: str, data: bytes) -> None:
    """A mark says the encoding, UTF-8 is recognised, and the rest is guessed."""
    document = await reader.read(name, "video/mp2t" if name.endswith(".ts") else "application/octet-stream", data)
    assert document.text == "Käse\nund Brot"


async def test_other_alphabets_are_guessed(reader: DocumentReader) -> None:
    """A text in an old Cyrillic encoding is long enough for its statistics to tell."""
    text = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 5
    assert (await reader.read("old.txt", "text/plain", text.encode("cp1251"))).text == text.strip()


async def test_pdfs_are_read_page_by_page(reader: DocumentReader) -> None:
    """Their text comes in the order of the pages, with their number."""
    document = await reader.read("a.pdf", "application/pdf", pdf("First (one)", "Second"))
    assert document.text == "First (one)\n\nSecond"
    assert document.pages == 2


async def test_pages_are_read_without_what_only_a_browser_needs(reader: DocumentReader) -> None:
    """Headings, lists and tables come as Markdown; scripts and styles do not come."""
    document = await reader.read("a.html", "", HTML.encode())
    assert "# Soup\n\nTake **two** onions.\n\n* salt\n* oil\n" in document.text
    assert "| onion | 200 |" in document.text
    assert "alert" not in document.text
    assert "color" not in document.text


async def test_mail_is_read_with_its_headers(reader: DocumentReader) -> None:
    """The plain body is preferred, encodings are undone, attachments are named."""
    document = await reader.read("a.eml", "", MAIL)
    assert document.text == (
        "From: Ann <ann@example.org>\nTo: bot@example.org\nSubject: Käse\nAttached: bill.pdf\n\nFünf Scheiben"
    )


@pytest.mark.parametrize(
    ("name", "media_type", "words"),
    [
        ("photo.jpg", "", "cannot see pictures yet"),
        ("a", "image/png", "cannot see pictures yet"),
        ("voice.ogg", "audio/ogg", "cannot hear"),
        ("clip.mp4", "video/mp4", "cannot watch"),
        ("letter.docx", "", "send it as a PDF"),
    ],
)
async def test_what_cannot_be_seen_is_said_before_it_is_downloaded(
    reader: DocumentReader, name: str, media_type: str, words: str
) -> None:
    """The text names the file and what to do instead."""
    with pytest.raises(DocumentError, match=words) as refused:
        reader.check(name, media_type, 1)
    assert f"“{name}”" in refused.value.user_text


async def test_limits_are_named(open_reader: OpenReader) -> None:
    """Too large, too many pages, too much text: each refusal has the file and the figure."""
    reader = open_reader(max_file_mb=0.001, max_pages=2, max_characters=500)
    with pytest.raises(DocumentError, match=r"“big.txt”.* 2\.0 MB.* 0\.001 MB"):
        reader.check("big.txt", "text/plain", 2_000_000)
    with pytest.raises(DocumentError, match=r"“long.txt”.*500 characters"):
        await reader.read("long.txt", "text/plain", b"a" * 600)
    with pytest.raises(DocumentError, match=r"“a.pdf”.* 3 pages.* at most 2"):
        await open_reader(max_pages=2).read("a.pdf", "", pdf("a", "b", "c"))


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.pdf", b"%PDF-1.4 nonsense", "damaged"),
        ("scan.pdf", pdf(""), "scan"),
        ("secret.pdf", pdf("a", locked=True), "password"),
        ("a.txt", b"\x00\x01\x02\xff", "not a text file"),
        ("a.txt", b" \n", "is empty"),
    ],
)
async def test_what_has_no_text_is_refused_with_the_reason(
    reader: DocumentReader, name: str, data: bytes, words: str
) -> None:
    """Nothing that is in a file raises anything but a refusal."""
    with pytest.raises(DocumentError, match=words):
        await reader.read(name, "", data)


async def test_a_file_that_unpacks_without_end_is_stopped(open_reader: OpenReader) -> None:
    """A few kilobytes that want minutes and hundreds of megabytes meet the limits of the child, not the daemon's."""
    with pytest.raises(DocumentError, match=r"too much|longer than"):
        await open_reader(memory_mb=192, timeout_s=3).read("bomb.pdf", "", bomb(1 << 25))


async def test_a_file_that_takes_too_long_is_stopped(open_reader: OpenReader) -> None:
    """The child is killed at the limit, and the next file is read."""
    reader = open_reader(timeout_s=0.01)
    with pytest.raises(DocumentError, match=r"longer than 0\.01 seconds"):
        await reader.read("slow.pdf", "", pdf("a"))


async def test_a_cancelled_read_leaves_no_process(reader: DocumentReader) -> None:
    """Whoever leaves takes the child along, and the next one gets its turn."""
    task = asyncio.create_task(reader.read("a.pdf", "", pdf(*"abcdefgh")))
    await until(reader._child.locked)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not reader._child.locked()
    assert (await reader.read("b.pdf", "", pdf("b"))).text == "b"
