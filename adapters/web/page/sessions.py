"""Who is logged in."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter

from adapters.web.page.secret_token import hash_of, new_token
from adapters.web.page.session import Holder, Session
from bot.adapter_store import AdapterStore

LIFETIME = timedelta(days=90)
_PREFIX = "session:"
_SESSION = TypeAdapter(Session)


class Sessions:
    """Sessions by the hashes of their cookies. Kept in the store, so that a restart logs nobody out."""

    def __init__(
        self, *, adapter: str, store: AdapterStore, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._adapter = adapter
        self._store = store
        self._now = now

    async def open(self, holder: Holder) -> str:
        """Log somebody in; the cookie's value. Raises `StorageError`."""
        token = new_token()
        since = self._now()
        session = Session(id=hash_of(token), holder=holder, since=since, until=since + LIFETIME)
        text = _SESSION.dump_json(session).decode()
        await self._store.put(self._adapter, f"{_PREFIX}{session.id}", text, until=session.until)
        return token

    async def of(self, token: str) -> Session | None:
        """Whose cookie it is; None where it was logged out or is too old. Raises `StorageError`."""
        text = await self._store.get(self._adapter, f"{_PREFIX}{hash_of(token)}")
        session = None if text is None else _SESSION.validate_json(text)
        return session if session is not None and session.until > self._now() else None

    async def close(self, session_id: str) -> bool:
        """Log one browser out; False where it was not logged in. Raises `StorageError`."""
        return await self._store.take(self._adapter, f"{_PREFIX}{session_id}") is not None

    async def all(self) -> Sequence[Session]:
        """Everybody who is logged in, oldest first. Raises `StorageError`."""
        texts = await self._store.all(self._adapter, _PREFIX)
        return sorted((_SESSION.validate_json(text) for text in texts.values()), key=lambda session: session.since)
