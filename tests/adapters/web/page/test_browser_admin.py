"""The door and the admin page in a real browser."""

import asyncio
from dataclasses import replace

from playwright.async_api import Browser, expect

from bot.messages import IncomingMessage
from tests.adapters.web.page.conftest import complaints, log_in
from tests.support.chromium import watched_page
from tests.support.page_server import ADMIN_KEY, KEY, PageServer
from tests.support.recording_target import RecordingTarget

PLOTS = ("Written", "Time to the first token", "The line", "Prompts known already (KV hits)", "Memory")


async def test_an_admin_sees_figures_lets_people_in_and_invites(browser: Browser, server: PageServer) -> None:
    """The admin page has plots and tables; somebody who asks is let in, and a link for another person is made."""
    async with watched_page(browser, server.url) as page:
        await page.goto("/login")
        await page.get_by_label("Key", exact=True).fill(ADMIN_KEY)
        await page.keyboard.press("Enter")
        stranger = IncomingMessage(
            adapter="telegram", chat="7", user="7", message_id="1", text="hi", sender_name="Grandpa"
        )
        await server.adapter.core.handle(stranger, RecordingTarget())
        await page.get_by_role("link", name="Admin page").click()
        for plot in PLOTS:
            await expect(page.get_by_role("img", name=plot).locator("canvas")).to_be_visible()
        server.core.disconnected("telegram", "retrying", "no network")
        await expect(page.locator("#adapters")).to_contain_text("trying again")
        await expect(page.locator("#adapters")).to_contain_text("no network")
        await expect(page.locator("#tiles")).to_contain_text("scripted")
        reply = server.engine.enqueue("for ever", held=True)
        talk = asyncio.create_task(server.adapter.core.handle(replace(stranger, local=True), RecordingTarget()))
        await page.get_by_role("button", name="Cancel the request of telegram:7").click()
        await reply.cancelled.wait()
        await talk
        await page.get_by_role("button", name="Let telegram:7 in", exact=True).click()
        await expect(page.locator("#people")).to_contain_text("user")
        assert await complaints(page) == []
        await page.get_by_label("Name of a person to invite").fill("ben")
        await page.get_by_role("button", name="Make a log-in link").click()
        link = await page.locator(".secret").text_content()
        assert link is not None
        assert link.startswith(f"{server.url}/login#")


async def test_a_page_of_another_site_can_do_nothing(browser: Browser, server: PageServer) -> None:
    """A form that it sends here by itself is refused, and whoever is logged in stays so; scripts see no cookie."""
    context = await browser.new_context(base_url=server.url)
    page, other = await context.new_page(), await context.new_page()
    await log_in(page)
    assert await page.evaluate("document.cookie") == ""
    form = f'<form id="f" method="post" action="{server.url}/page/logout"></form><script>f.submit()</script>'
    await other.route("http://evil.example/", lambda route: route.fulfill(body=form, content_type="text/html"))
    async with other.expect_response(lambda response: response.url.endswith("/page/logout")) as caught:
        await other.goto("http://evil.example/")
    assert (await caught.value).status == 403
    await page.reload()
    await expect(page.get_by_role("radiogroup", name="Who to talk to")).to_be_visible()
    await context.close()


async def test_the_code_of_the_log_makes_the_first_admin(browser: Browser, server: PageServer) -> None:
    """The admin page shows it while nobody is admin in a chat; at the door it logs in, and is gone then."""
    code = await server.core.offer_claim()
    assert code is not None
    async with watched_page(browser, server.url) as page:
        await page.goto(await server.new_link())
        await page.get_by_role("link", name="Admin page").click()
        await expect(page.locator("#claim")).to_contain_text(code)
        assert await complaints(page) == []
    async with watched_page(browser, server.url) as page:
        await page.goto("/login")
        await page.get_by_label("Key", exact=True).fill(code)
        await page.keyboard.press("Enter")
        await page.get_by_role("link", name="Admin page").click()
        await expect(page.locator("#people")).to_contain_text("web:local")
        await expect(page.locator("#claim")).to_be_hidden()


async def test_who_is_shut_out_finds_the_door_closed(browser: Browser, server: PageServer) -> None:
    """What was open leads to the door, and there the key is refused in plain words."""
    async with watched_page(browser, server.url, expected="status of 403") as page:
        await log_in(page)
        await server.core.people.decide("web:anna", "block", actor="web:owner")
        await page.goto("/")
        await page.get_by_label("Key", exact=True).fill(KEY)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_have_text("You have been shut out here. Please ask the owner.")
