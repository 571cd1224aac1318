"""The page over a scripted model, and two people who are logged in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

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
