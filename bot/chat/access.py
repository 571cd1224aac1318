"""Who may talk to the bot."""

from enum import Enum, auto

from bot.messages import IncomingMessage
from bot.settings import PermissionSettings


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
    """The `permissions` section. Closed unless something in it opens it; what blocks wins over what allows."""

    def __init__(self, settings: PermissionSettings) -> None:
        self._open = settings.open
        self._allow_dms = settings.allow_dms
        self._admins = frozenset(settings.users.admin_ids)
        self._users = frozenset(settings.users.allowed_ids)
        self._blocked_users = frozenset(settings.users.blocked_ids)
        self._channels = frozenset(settings.channels.allowed_ids)
        self._blocked_channels = frozenset(settings.channels.blocked_ids)

    def judge(self, message: IncomingMessage) -> Access:
        """Decide by platform ids, which cannot change hands as names can.

        In a group, whoever is not let in gets no answer: a refusal would be shown to everybody there.
        """
        if message.local:
            return Access.ADMIN
        user = person_id(message)
        channel = f"{message.adapter}:{message.chat}"
        in_group = not message.direct
        if user in self._blocked_users or (in_group and channel in self._blocked_channels):
            return Access.IGNORED
        if in_group and not message.addressed:
            return Access.IGNORED
        if user in self._admins:
            return Access.ADMIN
        if self._open or user in self._users or (in_group and channel in self._channels):
            return Access.DIRECT_REFUSED if message.direct and not self._allow_dms else Access.ALLOWED
        return Access.IGNORED if in_group else Access.REFUSED


def person_id(message: IncomingMessage) -> str:
    """How the sender is written in the `permissions` section."""
    return f"{message.adapter}:{message.user}"


def refusal(access: Access, message: IncomingMessage) -> str:
    """What somebody who is not let in is told."""
    if access is Access.DIRECT_REFUSED:
        return "I only answer in groups here. Please write to me there."
    return (
        f"I do not know you yet, so I cannot answer. Your id is {person_id(message)}; "
        "please give it to the owner of this bot, who can add it under permissions.users.allowed_ids."
    )
