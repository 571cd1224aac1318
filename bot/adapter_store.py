"""Small things that an adapter must still know after a restart."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol


class AdapterStore(Protocol):
    """Texts under names, for each adapter its own. Every method raises `StorageError`."""

    async def get(self, adapter: str, name: str) -> str | None:
        """The text; None where there is none, or its time is over."""
        ...

    async def all(self, adapter: str, prefix: str) -> Mapping[str, str]:
        """Every text whose name starts with `prefix`, by name."""
        ...

    async def put(self, adapter: str, name: str, text: str, *, until: datetime | None = None) -> None:
        """Keep a text, in place of another of the same name; `until` is when it is over, and None never."""
        ...

    async def take(self, adapter: str, name: str) -> str | None:
        """As `get`, and it is gone then: of two who ask, one gets it."""
        ...
