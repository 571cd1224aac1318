"""The console: a conversation on the terminal, or one message a line where there is none."""

from adapters.console.console_adapter import ConsoleAdapter
from adapters.console.settings import ConsoleSettings

__all__ = ["ConsoleAdapter", "ConsoleSettings"]
