"""Notices that the configuration file was saved."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import Change, awatch

log = logging.getLogger(__name__)

_QUIET_MS = 300
"""A save is several changes: it is over when there was none for so long."""


class ConfigWatch:
    """Watches the file's folder: editors put a new file in the place of the old one."""

    def __init__(self, file: Path) -> None:
        """`file` may be a link, and need not exist yet."""
        # Both, for a link that is set anew and for a file that is changed where it really is.
        self._files = frozenset({file.absolute(), file.resolve()})

    async def saves(self) -> AsyncIterator[None]:
        """Yield after each save, until cancelled."""
        folders = {each.parent for each in self._files if each.parent.is_dir()}
        if not folders:
            log.info("there is no folder to watch for a configuration")
            return
        try:
            async for _ in awatch(*folders, watch_filter=self._is_ours, step=_QUIET_MS, recursive=False):
                yield
        except OSError as error:  # no more watches, or a file system that has none
            log.warning("changes of the configuration file are not noticed: %s; SIGHUP and /reload still work", error)

    def _is_ours(self, _: Change, path: str) -> bool:
        return Path(path) in self._files
