"""Tells the admins what they should know."""

from collections.abc import Iterable, Sequence

from bot.chat.messenger import Messenger
from bot.messages import Button, IncomingMessage
from bot.storage.access_records import Identity
from bot.storage.people_repository import PeopleRepository


class Announcer:
    """Knows who the admins are, and where each was last seen in private."""

    def __init__(self, *, messenger: Messenger, people: PeopleRepository, admins: Iterable[Identity]) -> None:
        """`admins` are those of the configuration; the stored ones are looked up."""
        self._messenger = messenger
        self._people = people
        self._admins = frozenset(admins)
        self._seen: dict[Identity, str] = {}

    async def saw(self, message: IncomingMessage) -> None:
        """Remember where an admin writes in private. Raises `StorageError`."""
        identity = Identity(adapter=message.adapter, user=message.user)
        if message.direct and not message.local and self._seen.get(identity) != message.chat:
            await self._people.remember_chat(identity, message.chat)
            self._seen[identity] = message.chat

    async def tell_admins(self, text: str, buttons: Sequence[Button] = (), *, without_buttons: str = "") -> int:
        """Say something to every admin; return how many were reached. Raises `StorageError`.

        `without_buttons` is added where a platform cannot show any.
        """
        stored = await self._people.all()
        blocked = {person.identity for person in stored if person.role == "blocked"}
        admins = self._admins | {person.identity for person in stored if person.role == "admin"}
        chats = await self._people.chats()
        reached = 0
        for identity in sorted(admins - blocked, key=str):
            # Where nobody has seen them yet: in a private chat, platforms know them by their own id.
            chat = chats.get(identity, identity.user)
            reached += await self._messenger.tell(identity, chat, text, buttons, without_buttons=without_buttons)
        return reached
