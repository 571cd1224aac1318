"""Saves of a real file are noticed, however an editor makes them."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from watchfiles import Change

from bot.live.config_watch import ConfigWatch


def overwrite(file: Path) -> None:
    """Write into the file that is there."""
    file.write_text("b: 2")


def replace(file: Path) -> None:
    """Put another file in its place, as most editors do."""
    other = file.with_suffix(".tmp")
    other.write_text("b: 2")
    other.replace(file)


def recreate(file: Path) -> None:
    """Move the old one away and write a new one, as vim does."""
    file.rename(file.with_suffix(".yaml~"))
    file.write_text("b: 2")


@pytest.mark.parametrize("save", [overwrite, replace, recreate])
@pytest.mark.parametrize("linked", [False, True])
async def test_a_save_is_noticed(tmp_path: Path, save: Callable[[Path], None], linked: bool) -> None:
    """Also where the configuration is a link to a file elsewhere."""
    real = tmp_path / "real"
    real.mkdir()
    file = real / "config.yaml"
    file.write_text("a: 1")
    named = file
    if linked:
        named = tmp_path / "config.yaml"
        named.symlink_to(file)

    async def first() -> None:
        async for _ in ConfigWatch(named).saves():
            return

    noticed = asyncio.create_task(first())
    while not noticed.done():
        # Nothing tells when the watch has begun, so the save is repeated until it is seen.
        save(file)
        await asyncio.wait({noticed}, timeout=1)
    await noticed


def test_other_files_of_the_folder_are_no_save(tmp_path: Path) -> None:
    """An editor's own files, and those of others."""
    watch = ConfigWatch(tmp_path / "config.yaml")
    assert watch._is_ours(Change.modified, str(tmp_path / "config.yaml"))
    for name in ("config.yaml~", ".config.yaml.swp", "config.yml", "other/config.yaml"):
        assert not watch._is_ours(Change.modified, str(tmp_path / name))


async def test_without_a_folder_there_is_nothing_to_watch(tmp_path: Path) -> None:
    """The daemon goes on; SIGHUP and /reload work without it."""
    assert [None async for _ in ConfigWatch(tmp_path / "none" / "config.yaml").saves()] == []
