"""The chat page in a real browser: everything a person does there."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from tests.adapters.web.page.conftest import complaints, log_in
from tests.support.chromium import watched_page
from tests.support.page_server import PageServer

PHONE = {"width": 360, "height": 740}
HOSTILE = """Look:

<img src="https://evil.example/a.png" onerror="alert(1)"><script>alert(1)</script>

![cat](https://evil.example/cat.png) [click](javascript:alert(1)) [fine](https://example.org/)

<svg onload="alert(1)"><style>body{display:none}</style></svg> <iframe src="https://evil.example"></iframe>
"""
TABLE = "Found:\n\n| what | price |\n|---|---|\n| eggs, brown | 3 |\n| =milk() | 2 |\n"
CODE = 'Try this:\n\n```python\ndef greet() -> str:\n    return "hi"\n```\n'


async def say(page: Page, text: str) -> None:
    """Write a message and send it."""
    await page.get_by_label("Message", exact=True).fill(text)
    await page.keyboard.press("Enter")


async def answered(page: Page, count: int = 1) -> None:
    """Wait for the end of the `count`th reply."""
    await expect(page.locator(".reply[aria-busy=false]")).to_have_count(count)


async def test_the_link_of_the_terminal_leads_to_the_chat(browser: Browser, server: PageServer) -> None:
    """Opening the link logs in, and leaves no secret in the address."""
    async with watched_page(browser, server.url) as page:
        await page.goto(server.link)
        await expect(page.get_by_role("radiogroup")).to_be_visible()
        assert page.url == f"{server.url}/"
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_label("Key", exact=True)).to_be_visible()


async def test_a_reply_streams_is_formatted_and_can_be_copied(page: Page, server: PageServer) -> None:
    """The text grows on screen; code gets colours and a button that copies it."""
    reply = server.engine.enqueue("Try this:\n\n", CODE.partition("\n\n")[2], held=True)
    await say(page, "Show me **code**")
    await expect(page.locator(".reply[aria-busy=true]")).to_contain_text("Try this")
    await expect(page.get_by_role("button", name="Stop")).to_be_visible()
    reply.release()
    await answered(page)
    await expect(page.locator(".hljs-keyword").first).to_have_text("def")
    await expect(page.locator(".asked .said")).to_have_text("Show me **code**")
    await page.locator(".code").get_by_role("button", name="Copy").click()
    await expect(page.locator(".code").get_by_role("button", name="Copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == 'def greet() -> str:\n    return "hi"\n'


async def test_stop_continue_and_retry(page: Page, server: PageServer) -> None:
    """A reply is stopped half way, continued as one text, and written anew."""
    server.engine.enqueue("Once upon", held=True)
    await say(page, "Tell me a story")
    await expect(page.locator(".reply")).to_contain_text("Once upon")
    await page.get_by_role("button", name="Stop").click()
    await expect(page.locator(".figures")).to_contain_text("stopped")
    server.engine.enqueue(" a time.")
    await page.get_by_role("button", name="Continue").click()
    await expect(page.locator(".reply .text .text")).to_have_text("Once upon a time.")
    await answered(page)
    server.engine.enqueue("Another story.")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".reply .text .text")).to_have_text("Another story.")


async def test_a_message_is_edited_and_sent_again(page: Page) -> None:
    """The new version takes the old one's place, and what came after it goes."""
    await say(page, "first")
    await answered(page, 1)
    await say(page, "second")
    await answered(page, 2)
    await page.locator(".asked").first.hover()
    await page.locator(".asked").first.get_by_role("button", name="Edit and send again").click()
    await expect(page.get_by_text("You are changing a message")).to_be_visible()
    await say(page, "better first")
    await expect(page.locator(".asked .said")).to_have_text(["better first"])
    await expect(page.locator(".reply .text .text")).to_have_text(["re: better first"])


async def test_a_reload_in_the_middle_of_a_reply_goes_on(page: Page, server: PageServer) -> None:
    """After a reload the same conversation shows what was written so far, and then the end."""
    reply = server.engine.enqueue("half", held=True)
    await say(page, "talk")
    await expect(page.locator(".reply")).to_contain_text("half")
    await page.reload()
    await expect(page.locator(".reply[aria-busy=true]")).to_contain_text("half")
    reply.release()
    await answered(page)
    await expect(page.locator(".asked .said")).to_have_text(["talk"])
    await expect(page.locator(".reply .text .text")).to_have_text(["half"])


async def test_a_persona_is_chosen(page: Page, server: PageServer) -> None:
    """A card of the empty conversation, or later the menu at the top, says who answers."""
    await page.get_by_role("radio", name="Rosa").click()
    await expect(page.get_by_role("heading", name="Rosa")).to_be_visible()
    await say(page, "I have eggs")
    await answered(page)
    await expect(page.get_by_role("article", name="Rosa")).to_contain_text("re: I have eggs")
    await page.get_by_role("button", name="Persona: Rosa").click()
    await page.get_by_role("menuitemradio", name="Mr. Finch").click()
    await expect(page.get_by_role("button", name="Persona: Mr. Finch")).to_be_visible()


async def test_conversations_are_listed_searched_renamed_and_deleted(page: Page) -> None:
    """The list has them all; a search looks into them; a name is given; a deletion asks first."""
    entries = page.locator(".entry .open")
    await say(page, "bake bread")
    await answered(page)
    await page.get_by_role("button", name="New conversation").first.click()
    await say(page, "cook soup")
    await answered(page)
    await expect(entries).to_have_text(["cook soup", "bake bread"])
    await page.get_by_label("Search in conversations").fill("RE: BAKE")
    await expect(entries).to_have_text(["bake bread"])
    await entries.first.click()
    await expect(page.locator(".asked .said")).to_have_text("bake bread")
    await page.get_by_role("button", name="More for: bake bread").click()
    await page.get_by_role("menuitem", name="Rename").click()
    await page.get_by_role("textbox", name="Name").fill("Sunday")
    await page.keyboard.press("Enter")
    await expect(entries).to_have_text(["Sunday"])
    await page.get_by_label("Search in conversations").fill("")
    await expect(entries).to_have_text(["cook soup", "Sunday"])
    await page.get_by_role("button", name="More for: Sunday").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(entries).to_have_text(["cook soup"])
    await expect(page.get_by_role("radiogroup")).to_be_visible()


async def test_a_table_becomes_a_csv_file(page: Page, server: PageServer, tmp_path: Path) -> None:
    """A table can be downloaded; what a spreadsheet would run as a formula is text."""
    server.engine.enqueue(TABLE)
    await say(page, "list")
    await answered(page)
    async with page.expect_download() as started:
        await page.get_by_role("button", name="CSV").click()
    await (await started.value).save_as(tmp_path / "table.csv")
    text = (tmp_path / "table.csv").read_bytes().decode("utf-8-sig")
    assert text == 'what,price\r\n"eggs, brown",3\r\n\'=milk(),2\r\n'


async def test_what_is_extracted_from_a_file_is_a_table_and_a_csv_file(
    page: Page, server: PageServer, tmp_path: Path
) -> None:
    """`/extract` with an uploaded file shows one table, and the CSV has the values without the marks of the table."""
    server.engine.enqueue('[{"name": "Ann", "age": 30}, {"name": "Ben", "age": 7}]')
    await page.locator("#pick").set_input_files(
        {"name": "people.txt", "mimeType": "text/plain", "buffer": b"Ann is 30. Ben is 7."}
    )
    await expect(page.get_by_role("button", name="Remove people.txt")).to_be_visible()
    await say(page, "/extract many name, age int;")
    await answered(page)
    await expect(page.locator(".reply table")).to_have_count(1)
    await expect(page.locator(".reply td")).to_contain_text(["Ann", "30", "Ben", "7"])
    async with page.expect_download() as started:
        await page.get_by_role("button", name="CSV").click()
    await (await started.value).save_as(tmp_path / "table.csv")
    text = (tmp_path / "table.csv").read_bytes().decode("utf-8-sig")
    assert text == "name,age\r\nAnn,30\r\nBen,7\r\n"


async def test_a_file_is_attached_and_removed_again(page: Page) -> None:
    """A file is uploaded when it is chosen, sent with the message, and shown there."""
    files = page.locator("#pick")
    await files.set_input_files({"name": "bill.txt", "mimeType": "text/plain", "buffer": b"12 eggs"})
    await page.get_by_role("button", name="Remove bill.txt").click()
    await expect(page.locator("#files")).to_be_hidden()
    await files.set_input_files({"name": "bill.txt", "mimeType": "text/plain", "buffer": b"12 eggs"})
    await expect(page.get_by_role("button", name="Remove bill.txt")).to_be_visible()
    await say(page, "What is in it?")
    await expect(page.locator(".asked .chip")).to_have_text("bill.txt")


async def test_what_the_model_writes_can_do_nothing(page: Page, server: PageServer) -> None:
    """No script runs, no picture is fetched from another host, and a link of that kind is none."""
    server.engine.enqueue(HOSTILE)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    await say(page, "be evil")
    await answered(page)
    text = page.locator(".reply .text .text")
    assert await text.locator("script, img, iframe, svg, style, [onerror], [onload], [style]").count() == 0
    hrefs = await text.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert hrefs == ["https://evil.example/cat.png", None, "https://example.org/"]
    await expect(text).to_contain_text("<script>alert(1)</script>")


async def test_dark_and_light(browser: Browser, server: PageServer) -> None:
    """The page follows the system until one is chosen, and then remembers that."""
    async with watched_page(browser, server.url, color_scheme="dark") as page:
        await log_in(page)
        root = page.locator("html")
        await expect(root).to_have_attribute("data-theme", "dark")
        await page.emulate_media(color_scheme="light")
        await expect(root).to_have_attribute("data-theme", "light")
        await page.get_by_role("button", name="Theme: system").click()
        await page.get_by_role("button", name="Theme: light").click()
        await expect(root).to_have_attribute("data-theme", "dark")
        await page.reload()
        await expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
        await expect(root).to_have_attribute("data-theme", "dark")


async def test_everything_goes_by_keyboard(page: Page, server: PageServer) -> None:
    """Send, stop, change the last message, complete a command, search: no mouse is needed."""
    server.engine.enqueue("on and on", held=True)
    await page.keyboard.type("go")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("on")
    await page.keyboard.press("Enter")
    await expect(page.locator(".asked .said")).to_have_text("go\non")
    await expect(page.locator(".reply")).to_contain_text("on and on")
    await page.keyboard.press("Escape")
    await expect(page.locator(".figures")).to_contain_text("stopped")
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("go\non")
    await page.keyboard.press("Escape")
    await page.keyboard.type("/per")
    await expect(page.get_by_role("option").filter(has_text="/persona")).to_be_visible()
    await page.keyboard.press("Tab")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("/persona rosa")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Persona: Rosa")).to_be_visible()
    await page.keyboard.press("Control+k")
    await expect(page.get_by_label("Search in conversations")).to_be_focused()


async def test_it_works_on_a_narrow_phone(browser: Browser, server: PageServer) -> None:
    """At 360 pixels nothing is cut off sideways, the list is a drawer, and everything is large enough for a finger."""
    async with watched_page(browser, server.url, viewport=PHONE, has_touch=True, is_mobile=True) as page:
        await log_in(page)
        server.engine.enqueue(CODE + TABLE + "\n`" + "wide" * 40 + "`")
        await page.get_by_label("Message", exact=True).fill("narrow")
        await page.get_by_role("button", name="Send").tap()
        await answered(page)
        assert await page.evaluate("document.scrollingElement.scrollWidth") == PHONE["width"]
        log = await page.locator("#log").evaluate("log => [log.scrollWidth, log.clientWidth]")
        assert log[0] == log[1]
        small = await page.locator("button:visible").evaluate_all(
            "all => all.map(each => each.getBoundingClientRect()).filter(box => Math.min(box.width, box.height) < 36)"
        )
        assert small == []
        await page.get_by_role("button", name="Conversations", exact=True).tap()
        await page.get_by_role("button", name="narrow", exact=True).tap()
        await expect(page.locator(".app")).not_to_have_class(re.compile("drawn"))
        await page.get_by_role("button", name="New conversation").last.tap()
        await expect(page.get_by_role("radiogroup")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_screen_readers_and_weak_eyes_can_use_it(browser: Browser, server: PageServer, scheme: str) -> None:
    """Axe finds nothing wrong with names, roles, focus and contrast, neither at the door nor in a conversation."""
    async with watched_page(browser, server.url, color_scheme=scheme) as page:
        await page.goto("/login")
        assert (await Axe().run(page)).violations_count == 0
        await log_in(page)
        server.engine.enqueue(CODE + TABLE)
        assert await complaints(page) == []
        await say(page, "hello")
        await answered(page)
        await say(page, "/whoami")
        await answered(page, 2)
        assert await complaints(page) == []
        await expect(page.locator("#announcer")).to_contain_text("web:anna")
