"""An `AdapterStore` that forgets everything with the test."""

from collections.abc import Mapping
from datetime import UTC, datetime


class MemoryStore:
    """Texts in a dictionary."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str], tuple[str, datetime | None]] = {}

    async def get(self, adapter: str, name: str) -> str | None:
        """The text."""
        text, until = self._texts.get((adapter, name), (None, None))
        return None if until is not None and until <= datetime.now(UTC) else text

    async def all(self, adapter: str, prefix: str) -> Mapping[str, str]:
        """Those whose name starts so."""
        return {
            name: text
            for (owner, name), (text, _) in self._texts.items()
            if owner == adapter and name.startswith(prefix)
        }

    async def put(self, adapter: str, name: str, text: str, *, until: datetime | None = None) -> None:
        """Keep it."""
        self._texts[adapter, name] = (text, until)

    async def take(self, adapter: str, name: str) -> str | None:
        """As `get`, once."""
        text = await self.get(adapter, name)
        self._texts.pop((adapter, name), None)
        return text
