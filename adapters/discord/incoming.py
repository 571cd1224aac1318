"""What people write on Discord, as the core's messages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import discord

from bot.messages import Attachment, IncomingMessage

Groups = Literal["mention", "all", "commands"]

_EMOJI = re.compile(r"<a?:(\w+):\d+>")
_WRITTEN = {discord.MessageType.default, discord.MessageType.reply}


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """A channel as the core names it: `thread` is empty outside of threads."""

    chat: str
    thread: str
    direct: bool

    @classmethod
    def of(cls, channel: object, *, channel_id: int, direct: bool) -> "Whereabouts":
        """Where `channel` is; what is not known of it is taken for a channel without threads."""
        if isinstance(channel, discord.Thread):
            return cls(chat=str(channel.parent_id), thread=str(channel.id), direct=False)
        return cls(chat=str(channel_id), thread="", direct=direct)


def is_written(message: discord.Message) -> bool:
    """Whether a person wrote it: not another bot, a webhook, or Discord itself (somebody joined, a pin)."""
    return not message.author.bot and message.webhook_id is None and message.type in _WRITTEN


def is_direct(message: discord.Message) -> bool:
    """Whether it came in a private chat; what is known of a channel while its server is away is that it has one."""
    return message.guild is None and getattr(message.channel, "guild_id", None) is None


def begins_thread(message: discord.Message, *, me: discord.ClientUser, groups: Groups) -> bool:
    """Whether a message is one that a thread may be opened for."""
    return isinstance(message.channel, discord.TextChannel) and is_addressed(message, me=me, groups=groups)


def is_addressed(message: discord.Message, *, me: discord.ClientUser, groups: Groups) -> bool:
    """Whether the bot is meant: in a direct chat, by its name, by a reply to it, or in a thread that it opened."""
    if is_direct(message) or groups == "all":
        return True
    if groups == "commands":
        return False
    if isinstance(message.channel, discord.Thread) and message.channel.owner_id == me.id:
        return True
    replied = _replied_to(message)
    if replied is not None and replied.author.id == me.id:
        return True
    # A ping that comes with a reply to somebody else's message is in `mentions` too, but not in the text.
    return re.search(rf"<@!?{me.id}>", message.content) is not None or _names_own_role(message)


def read_message(
    message: discord.Message, *, adapter: str, me: discord.ClientUser, groups: Groups, edited: bool, threads: bool
) -> IncomingMessage:
    """The message as the core takes it. With `threads`, one that begins a talk belongs to a thread of its own."""
    where = Whereabouts.of(message.channel, channel_id=message.channel.id, direct=is_direct(message))
    opens = threads and begins_thread(message, me=me, groups=groups)
    replied = _replied_to(message)
    return IncomingMessage(
        adapter=adapter,
        chat=where.chat,
        # Discord gives a thread the id of the message it begins with.
        thread=str(message.id) if opens else where.thread,
        user=str(message.author.id),
        message_id=str(message.id),
        text=_text(message, me=me),
        sender_name=message.author.display_name,
        direct=where.direct,
        addressed=is_addressed(message, me=me, groups=groups),
        reply_to=str(message.reference.message_id)
        if message.type is discord.MessageType.reply and message.reference
        else None,
        reply_text=_text(replied, me=me) if replied else "",
        reply_attachments=_attachments(replied.attachments) if replied else (),
        attachments=_attachments([*message.attachments, *_forwarded_files(message)]),
        edited=edited,
        roles=roles_of(message.author),
        sent_at=message.created_at.timestamp(),
    )


def read_interaction(
    interaction: discord.Interaction,
    text: str,
    *,
    adapter: str,
    me: discord.ClientUser,
    about: discord.Message | None = None,
    pressed: str | None = None,
) -> IncomingMessage:
    """A command, or the press of a button, as the core takes it; `about` is the message of a context menu."""
    where = Whereabouts.of(
        interaction.channel, channel_id=interaction.channel_id or 0, direct=interaction.guild_id is None
    )
    return IncomingMessage(
        adapter=adapter,
        chat=where.chat,
        thread=where.thread,
        user=str(interaction.user.id),
        message_id=str(interaction.id),
        text=text,
        sender_name=interaction.user.display_name,
        direct=where.direct,
        reply_to=str(about.id) if about else None,
        reply_text=_text(about, me=me) if about else "",
        reply_attachments=_attachments(about.attachments) if about else (),
        pressed=pressed,
        roles=roles_of(interaction.user),
        sent_at=interaction.created_at.timestamp(),
    )


def roles_of(user: discord.User | discord.Member) -> tuple[str, ...]:
    """Ids of a member's roles, without the one that everybody has."""
    if not isinstance(user, discord.Member):
        return ()
    return tuple(str(role.id) for role in user.roles if not role.is_default())


def _replied_to(message: discord.Message) -> discord.Message | None:
    reference = message.reference
    if reference is None or message.type is not discord.MessageType.reply:
        return None
    return reference.resolved if isinstance(reference.resolved, discord.Message) else None


def _names_own_role(message: discord.Message) -> bool:
    """Servers give a bot a role of its name, and people pick it from the list by mistake."""
    own = message.guild.self_role if message.guild else None
    return own is not None and own.id in message.raw_role_mentions


def _text(message: discord.Message, *, me: discord.ClientUser) -> str:
    """The text without the bot's own mention, and with names where Discord has numbers."""
    text = message.content or "\n".join(snapshot.content for snapshot in message.message_snapshots)
    text = re.sub(rf"<@!?{me.id}>", "", text)
    own = message.guild.self_role if message.guild else None
    if own is not None:
        text = text.replace(own.mention, "")
    for user in message.mentions:
        text = text.replace(f"<@{user.id}>", f"@{user.display_name}").replace(f"<@!{user.id}>", f"@{user.display_name}")
    for role in message.role_mentions:
        text = text.replace(role.mention, f"@{role.name}")
    for channel in message.channel_mentions:
        text = text.replace(channel.mention, f"#{channel.name}")
    return _EMOJI.sub(r":\1:", text).strip()


def _forwarded_files(message: discord.Message) -> list[discord.Attachment]:
    return [each for snapshot in message.message_snapshots for each in snapshot.attachments]


def _attachments(files: Sequence[discord.Attachment]) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(
            name=file.filename,
            media_type=(file.content_type or "application/octet-stream").partition(";")[0],
            size=file.size,
            read=file.read,
        )
        for file in files
    )
