"""A message as it stands in a chat."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True, eq=False)
class StoredMessage:
    """Sent by a person or by the bot. `versions` has every text it ever showed, the present one last."""

    id: int
    chat: dict[str, Any]
    sender: dict[str, Any]
    from_bot: bool
    date: int
    text: str = ""
    entities: list[dict[str, Any]] = field(default_factory=list)
    reply_markup: dict[str, Any] | None = None
    thread: int | None = None
    reply_to: "StoredMessage | None" = None
    extra: dict[str, Any] = field(default_factory=dict)
    """Further fields of the Bot API's Message, such as a document or a service message."""
    data: bytes = b""
    """What a file contains that the bot sent."""
    versions: list[str] = field(default_factory=list)
    edit_date: int | None = None
    deleted: bool = False

    @property
    def buttons(self) -> dict[str, str]:
        """Labels and callback data under it."""
        rows = (self.reply_markup or {}).get("inline_keyboard", [])
        return {button["text"]: button["callback_data"] for row in rows for button in row}

    @property
    def formatted(self) -> list[tuple[str, str]]:
        """Type of each entity and the text it covers."""
        units = self.text.encode("utf-16-le")
        return [
            (each["type"], units[each["offset"] * 2 : (each["offset"] + each["length"]) * 2].decode("utf-16-le"))
            for each in self.entities
        ]

    def as_json(self, *, nested: bool = False) -> dict[str, Any]:
        """Return a Message of https://core.telegram.org/bots/api#message for the bot."""
        caption = "document" in self.extra or "photo" in self.extra or "voice" in self.extra or "video" in self.extra
        body: dict[str, Any] = {"message_id": self.id, "date": self.date, "chat": self.chat, "from": self.sender}
        if self.text:
            body["caption" if caption else "text"] = self.text
        if self.entities:
            body["caption_entities" if caption else "entities"] = self.entities
        if self.thread is not None:
            body |= {"message_thread_id": self.thread, "is_topic_message": True}
        if self.reply_to is not None and not nested:
            body["reply_to_message"] = self.reply_to.as_json(nested=True)
        if self.reply_markup:
            body["reply_markup"] = self.reply_markup
        if self.edit_date is not None:
            body["edit_date"] = self.edit_date
        return body | self.extra
