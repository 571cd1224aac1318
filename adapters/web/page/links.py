"""Links that log in once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter

from adapters.web.page.secret_token import hash_of, new_token
from adapters.web.page.session import Holder
from bot.adapter_store import AdapterStore

TERMINAL_LIFETIME = timedelta(hours=1)
"""Of the link that is printed at the start."""
INVITATION_LIFETIME = timedelta(days=3)
"""Of a link that an admin hands on."""
_PREFIX = "link:"
_HOLDER = TypeAdapter(Holder)


class Links:
    """Each link is good for one log-in within its time."""

    def __init__(
        self, *, adapter: str, store: AdapterStore, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._adapter = adapter
        self._store = store
        self._now = now

    async def make(self, holder: Holder, lifetime: timedelta) -> str:
        """The secret part of a new link. Raises `StorageError`."""
        token = new_token()
        text = _HOLDER.dump_json(holder).decode()
        await self._store.put(self._adapter, f"{_PREFIX}{hash_of(token)}", text, until=self._now() + lifetime)
        return token

    async def use(self, token: str) -> Holder | None:
        """Who may log in with it; from then on nobody may. Raises `StorageError`."""
        text = await self._store.take(self._adapter, f"{_PREFIX}{hash_of(token)}")
        return None if text is None else _HOLDER.validate_json(text)
