"""Tells the admins what they should know."""

from collections.abc import Iterable, Sequence

from bot.chat.letters import Letters
from bot.messages import Button, IncomingMessage
from bot.storage.access_records import Identity
from bot.storage.people_repository import PeopleRepository


class Announcer:
    """Knows who the admins are, and where each was last seen in private."""

    def __init__(self, *, letters: Letters, people: PeopleRepository, admins: Iterable[Identity]) -> None:
        """`admins` are those of the configuration; the stored ones are looked up."""
        self._letters = letters
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
        """Say something to every admin, now or as soon as it can be; return how many there are. Raises `StorageError`.

        `without_buttons` is added where a platform cannot show any.
        """
        stored = await self._people.all()
        blocked = {person.identity for person in stored if person.role == "blocked"}
        admins = self._admins | {person.identity for person in stored if person.role == "admin"}
        chats = await self._people.chats()
        told = sorted(admins - blocked, key=str)
        for identity in told:
            # Where nobody has seen them yet: in a private chat, platforms know them by their own id.
            chat = chats.get(identity, identity.user)
            await self._letters.post(identity, chat, text, buttons, without_buttons=without_buttons)
        return len(told)
