"""Who may talk to the bot."""

from enum import Enum, auto

from bot.messages import IncomingMessage
from bot.people import PersonRole
from bot.settings import PermissionSettings
from bot.storage.access_records import Identity
from bot.storage.chat_move_repository import ChatMoveRepository
from bot.storage.people_repository import PeopleRepository


class Access(Enum):
    """What becomes of a message, judged by who sent it and where."""

    IGNORED = auto()
    """Not answered at all."""
    REFUSED = auto()
    """Answered with how to get in."""
    DIRECT_REFUSED = auto()
    """Answered with the hint to write in a group."""
    ALLOWED = auto()
    ADMIN = auto()


class AccessPolicy:
    """The `permissions` section, and the roles that admins gave, over which it wins.

    Closed unless something opens it: an empty list lets nobody in. What blocks wins over what allows. A group that was
    given another id by its platform is still the one that the configuration names.
    """

    def __init__(self, settings: PermissionSettings, people: PeopleRepository, moves: ChatMoveRepository) -> None:
        self._people = people
        self._moves = moves
        self._open = settings.open
        self._allow_dms = settings.allow_dms
        self._admins = frozenset(settings.users.admin_ids)
        self._users = frozenset(settings.users.allowed_ids)
        self._blocked_users = frozenset(settings.users.blocked_ids)
        self._channels = frozenset(settings.channels.allowed_ids)
        self._blocked_channels = frozenset(settings.channels.blocked_ids)
        self._roles = frozenset(settings.roles.allowed_ids)

    async def judge(self, message: IncomingMessage) -> Access:
        """Decide by platform ids, which cannot change hands as names can. Raises `StorageError`.

        In a group, whoever is not let in gets no answer: a refusal would be shown to everybody there.
        """
        if message.local:
            return Access.ADMIN
        channels = await self._channels_of(message)
        if self._is_ignored(message, channels):
            return Access.IGNORED
        role = await self.role(identity_of(message))
        if role == "blocked":
            return Access.IGNORED
        if role == "admin":
            return Access.ADMIN
        if role == "user" or self._lets_in(message, channels):
            return Access.DIRECT_REFUSED if message.direct and not self._allow_dms else Access.ALLOWED
        return Access.REFUSED if message.direct else Access.IGNORED

    async def role(self, identity: Identity) -> PersonRole | None:
        """What somebody is, wherever they write; None for somebody whom nothing names. Raises `StorageError`."""
        name = str(identity)
        stored = None if name in self._blocked_users else await self._people.role(identity)
        if name in self._blocked_users or stored == "blocked":
            return "blocked"
        if name in self._admins or (stored == "admin" and name not in self._users):
            return "admin"
        return "user" if stored is not None or name in self._users else None

    async def _channels_of(self, message: IncomingMessage) -> frozenset[str]:
        """The group, under every id that it ever had; none where the chat is private."""
        if message.direct:
            return frozenset()
        ids = [message.chat]
        if self._channels or self._blocked_channels:
            ids += await self._moves.former_ids(message.adapter, message.chat)
        return frozenset(f"{message.adapter}:{chat}" for chat in ids)

    def _is_ignored(self, message: IncomingMessage, channels: frozenset[str]) -> bool:
        """Whether it is not meant for the bot, or the whole group is shut out."""
        return not message.direct and (bool(channels & self._blocked_channels) or not message.addressed)

    def _lets_in(self, message: IncomingMessage, channels: frozenset[str]) -> bool:
        """Whether the configuration does, by role or by group, or the adapter by a key."""
        by_role = any(f"{message.adapter}:{role}" in self._roles for role in message.roles)
        return self._open or message.vouched or by_role or bool(channels & self._channels)


def identity_of(message: IncomingMessage) -> Identity:
    """The sender, as written in the `permissions` section."""
    return Identity(adapter=message.adapter, user=message.user)
