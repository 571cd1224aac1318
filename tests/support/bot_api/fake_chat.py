"""A chat, and what people do in it."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.bot_api.stored_message import StoredMessage
from tests.support.bot_api.text_rules import utf16_length

if TYPE_CHECKING:
    from tests.support.bot_api.bot_api_server import BotApiServer

_MARKED = re.compile(r"(?<!\S)(?P<bot_command>/[A-Za-z0-9_]{1,32}(?:@\w+)?)|(?<!\w)(?P<mention>@\w{4,})")


@dataclass(slots=True, kw_only=True, eq=False)
class FakeChat:
    """A private chat, a group or a supergroup. Every method is something a person does."""

    server: "BotApiServer"
    id: int
    type: str
    owner: dict[str, Any]
    """Who speaks where nobody else is named."""
    title: str = ""
    topics: set[int] = field(default_factory=set)
    forum: bool = False
    bot_status: str = "member"
    moved_to: int | None = None
    last_speaker: int | None = None
    """User id of who wrote last."""

    @property
    def user(self) -> str:
        """Id of the owner, as the configuration has it."""
        return str(self.owner["id"])

    @property
    def is_group(self) -> bool:
        """Several people may be in it."""
        return self.type in {"group", "supergroup"}

    def as_json(self) -> dict[str, Any]:
        """Return a Chat of https://core.telegram.org/bots/api#chat for the bot."""
        if not self.is_group and self.type != "channel":
            return {"id": self.id, "type": self.type, "first_name": self.owner["first_name"]}
        body: dict[str, Any] = {"id": self.id, "type": self.type, "title": self.title}
        return body | ({"is_forum": True} if self.forum else {})

    def say(
        self,
        text: str,
        *,
        sender: dict[str, Any] | None = None,
        thread: int | None = None,
        reply_to: StoredMessage | None = None,
        **extra: Any,
    ) -> StoredMessage:
        """Write a message; the bot gets it unless its privacy mode forbids. `extra` are fields of a Message."""
        message = self.server.store(
            self,
            sender=sender or self.owner,
            text=text,
            entities=_entities(text),
            thread=thread,
            reply_to=reply_to,
            extra=extra,
        )
        self.server.deliver("message", message, self)
        return message

    def edit(self, message: StoredMessage, text: str) -> None:
        """Write a message anew."""
        message.text, message.entities = text, _entities(text)
        message.edit_date = message.date + 1
        self.server.deliver("edited_message", message, self)

    def send_file(self, name: str, data: bytes, *, media_type: str = "text/plain", caption: str = "") -> StoredMessage:
        """Send a document."""
        file_id = self.server.add_file(name, data)
        document = {
            "file_id": file_id,
            "file_unique_id": f"u{file_id}",
            "file_name": name,
            "mime_type": media_type,
            "file_size": len(data),
        }
        return self.say(caption, document=document)

    def press(self, message: StoredMessage, label: str, *, sender: dict[str, Any] | None = None) -> str:
        """Press a button; returns the query's id, which `server.answered` has once the bot has answered it."""
        query = self.server.new_query()
        content = {
            "id": query,
            "from": sender or self.owner,
            "message": message.as_json(),
            "chat_instance": str(self.id),
            "data": message.buttons[label],
        }
        self.server.announce("callback_query", content)
        return query

    def delete(self, message: StoredMessage) -> None:
        """Take a message away, one of the bot's too."""
        message.deleted = True

    def block(self) -> None:
        """Block the bot in a private chat, or throw it out of a group."""
        self._bot_becomes("kicked")

    def unblock(self) -> None:
        """Let it in again."""
        self._bot_becomes("member")

    def upgrade(self) -> "FakeChat":
        """Make a supergroup of a group: it goes on under another id."""
        new = self.server.group(self.title, owner=self.owner, supergroup=True)
        self.moved_to = new.id
        self.say("", migrate_to_chat_id=new.id)
        new.say("", migrate_from_chat_id=self.id)
        return new

    def open_topic(self, name: str) -> int:
        """A new topic of a forum."""
        self.forum = True
        message = self.say("", forum_topic_created={"name": name, "icon_color": 0})
        self.topics.add(message.id)
        message.thread = message.id
        return message.id

    def delete_topic(self, topic: int) -> None:
        """Take a topic away with all in it; the bot is not told."""
        self.topics.discard(topic)

    def _bot_becomes(self, status: str) -> None:
        bot = self.server.me
        change = {
            "chat": self.as_json(),
            "from": self.owner,
            "date": self.server.date(),
            "old_chat_member": _member(bot, self.bot_status),
            "new_chat_member": _member(bot, status),
        }
        self.bot_status = status
        self.server.announce("my_chat_member", change)


def _member(user: dict[str, Any], status: str) -> dict[str, Any]:
    return {"user": user, "status": status} | ({"until_date": 0} if status == "kicked" else {})


def _entities(text: str) -> list[dict[str, Any]]:
    return [
        {
            "type": match.lastgroup,
            "offset": utf16_length(text[: match.start()]),
            "length": utf16_length(match.group()),
        }
        for match in _MARKED.finditer(text)
    ]
