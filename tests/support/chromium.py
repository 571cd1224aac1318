"""A headless browser with eyes: what it complains about fails the test."""

import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

MISSING = "Chromium is not installed; Debian, Ubuntu: apt install chromium"
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)


def chromium_path() -> str | None:
    """Where the browser is."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A fresh browser. Without one the test is skipped with the reason, in CI it fails."""
    path = chromium_path()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=_FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def watched_page(
    browser: Browser, url: str, *, expected: str | None = None, **context: Any
) -> AsyncIterator[Page]:
    """A page of the server at `url`. At its end there must have been no error, and no request to another host.

    `expected` is a part of what the browser complains of and may.
    """
    opened = await browser.new_context(base_url=url, reduced_motion="reduce", **context)
    page = await opened.new_page()
    page.set_default_timeout(10_000)
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and (expected is None or expected not in message.text):
            complaints.append(f"{message.type}: {message.text}")

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(f"exception: {error}"))
    page.on("request", lambda request: complaints.extend(_strange(request.url, url)))
    try:
        yield page
        assert complaints == []
    finally:
        await opened.close()


def _strange(asked: str, url: str) -> Sequence[str]:
    own = urlsplit(asked).scheme in {"data", "blob"} or urlsplit(asked).netloc == urlsplit(url).netloc
    return () if own else (f"request to {asked}",)
