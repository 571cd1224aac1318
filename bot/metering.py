"""What is counted while something is written, and how it is stopped."""

from collections.abc import Callable

from bot.messages import Usage


class Meter:
    """What one request has cost."""

    def __init__(self) -> None:
        self.tokens: int | None = None
        """Newly read and written; what the cache had costs nothing. None as long as nothing came of it."""
        self._cancel: Callable[[], None] | None = None

    def add(self, usage: Usage) -> None:
        """Count a reply."""
        self.tokens = (self.tokens or 0) + usage.prompt_tokens - usage.cached_tokens + usage.completion_tokens

    def watch(self, cancel: Callable[[], None]) -> None:
        """From now on `cancel` ends what is written."""
        self._cancel = cancel

    def stop(self) -> None:
        """There is no time for the rest: end what is written."""
        if self._cancel is not None:
            self._cancel()
