"""What is counted while something is written."""

from bot.messages import Usage


class Meter:
    """What one request has cost."""

    def __init__(self) -> None:
        self.tokens: int | None = None
        """Newly read and written; what the cache had costs nothing. None as long as nothing came of it."""

    def add(self, usage: Usage) -> None:
        """Count a reply."""
        self.tokens = (self.tokens or 0) + usage.prompt_tokens - usage.cached_tokens + usage.completion_tokens
