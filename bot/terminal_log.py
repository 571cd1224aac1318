"""What of the log a person at the terminal sees."""

import logging
import sys
from collections.abc import Iterable
from pathlib import Path

from bot.log_file import LogFile
from bot.logs import SecretFilter, configure
from bot.settings import LoggingSettings

SAID_ELSEWHERE = frozenset({"bot.cli", "py.warnings"})
"""The command line tells the person itself, and Python's own warnings are for developers."""


class TerminalHandler(logging.Handler):
    """Writes warnings and errors to standard error, one line each and without traces.

    Standard error is looked up for each record: while a prompt or a growing reply has the terminal, they put
    themselves in its place, and the line appears above them.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        if record.name in SAID_ELSEWHERE:
            return
        try:
            sys.stderr.write(f"{record.levelname.lower()}: {' '.join(record.getMessage().split())}\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            self.handleError(record)


def log_beside_terminal(settings: LoggingSettings, *, secrets: Iterable[str], file: Path) -> None:
    """Send everything to the file (`logging.file` where that is set) and what a person must see to the terminal.

    Calling this again replaces what the call before set up. Raises `ConfigError` for a file that cannot be written.
    """
    known = frozenset(secrets)
    configure(settings, secrets=known, handler=LogFile(file))
    terminal = TerminalHandler()
    terminal.addFilter(SecretFilter(known))
    root = logging.getLogger()
    for earlier in [each for each in root.handlers if isinstance(each, TerminalHandler)]:
        root.removeHandler(earlier)
    root.addHandler(terminal)
