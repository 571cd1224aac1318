"""One call of the bot, as the server saw it."""

from dataclasses import dataclass, field
from typing import Any

from tests.support.bot_api.api_error import ApiError


@dataclass(slots=True, kw_only=True)
class Call:
    """What was asked for, when, and what came of it."""

    method: str
    at: float
    """Seconds on the server's clock."""
    params: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)
    result: Any = None
    error: ApiError | None = None

    @property
    def text(self) -> str:
        """The text it carried; empty where there was none."""
        return str(self.params.get("text", ""))

    def line(self) -> str:
        """For a log that people read."""
        shown = {key: value for key, value in self.params.items() if key != "entities"}
        shown |= {key: f"{str(value)[:50]}…" for key, value in shown.items() if len(str(value)) > 60}
        outcome = f" -> {self.error.code} {self.error.description}" if self.error else ""
        return f"{self.at:9.2f}  {self.method:<20} {shown}{outcome}"
