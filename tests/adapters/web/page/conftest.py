"""The page over a scripted model, two people who are logged in, and a browser."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from tests.support.chromium import chromium, watched_page
from tests.support.logged_in import LoggedIn, logged_in
from tests.support.page_server import ADMIN_KEY, KEY, PageServer, page_server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PageServer]:
    """The page on a free port."""
    async with page_server(tmp_path / "page.db") as started:
        yield started


@pytest.fixture
async def anna(server: PageServer) -> AsyncIterator[LoggedIn]:
    """Anna, by her key."""
    async with logged_in(server.url, key=KEY) as person:
        yield person


@pytest.fixture
async def owner(server: PageServer) -> AsyncIterator[LoggedIn]:
    """An admin, by another key."""
    async with logged_in(server.url, key=ADMIN_KEY) as person:
        yield person


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    async with chromium() as started:
        yield started


@pytest.fixture
async def page(browser: Browser, server: PageServer) -> AsyncIterator[Page]:
    """Anna at her computer, logged in."""
    async with watched_page(browser, server.url, permissions=["clipboard-read", "clipboard-write"]) as opened:
        await log_in(opened)
        yield opened


async def log_in(page: Page) -> None:
    """With the key, as a person does."""
    await page.goto("/")
    await page.get_by_label("Key", exact=True).fill(KEY)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("radiogroup", name="Who to talk to")).to_be_visible()


async def complaints(page: Page) -> list[str]:
    """What axe has against the page as it is."""
    results = await Axe().run(page)
    return [f"{each['id']}: {node['html']}" for each in results.response["violations"] for node in each["nodes"]]
