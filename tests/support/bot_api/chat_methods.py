"""Methods about what stands in a chat."""

from typing import TYPE_CHECKING, Any

from tests.support.bot_api.api_error import bad_request, forbidden
from tests.support.bot_api.fake_chat import FakeChat
from tests.support.bot_api.parameters import integer, text
from tests.support.bot_api.stored_message import StoredMessage
from tests.support.bot_api.text_rules import LONGEST_CAPTION, LONGEST_TEXT, check_entities, check_text, utf16_length

if TYPE_CHECKING:
    from tests.support.bot_api.bot_api_server import BotApiServer

LONGEST_CALLBACK_DATA = 64
"""Bytes: https://core.telegram.org/bots/api#inlinekeyboardbutton"""
ACTIONS = {
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
}
_SAME = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)


class ChatMethods:
    """Each method takes the parameters of a call and its files, and returns its result."""

    def __init__(self, server: "BotApiServer") -> None:
        self._server = server

    async def send_message(self, params: dict[str, Any]) -> dict[str, Any]:
        """Send a text."""
        chat = self._chat(params)
        thread = self._thread(chat, params)
        content, entities = self._content(params, limit=LONGEST_TEXT)
        self._server.flood.check(chat.id, group=chat.is_group)
        message = self._server.store(
            chat,
            sender=self._server.me,
            text=content,
            entities=entities,
            thread=thread,
            reply_to=self._reply_to(chat, params),
            reply_markup=_markup(params),
        )
        return message.as_json()

    async def edit_message_text(self, params: dict[str, Any]) -> dict[str, Any]:
        """Change a text of the bot's own."""
        chat = self._chat(params)
        message = self._own(chat, params, "edit")
        content, entities = self._content(params, limit=LONGEST_TEXT, editing=True)
        markup = _markup(params)
        if (content, entities, markup) == (message.text, message.entities, message.reply_markup):
            raise bad_request(_SAME)
        self._server.flood.check(chat.id, group=chat.is_group)
        message.text, message.entities, message.reply_markup = content, entities, markup
        message.versions.append(content)
        message.edit_date = self._server.date()
        return message.as_json()

    async def edit_message_reply_markup(self, params: dict[str, Any]) -> dict[str, Any]:
        """Change the buttons alone."""
        chat = self._chat(params)
        message = self._own(chat, params, "edit")
        markup = _markup(params)
        if markup == message.reply_markup:
            raise bad_request(_SAME)
        self._server.flood.check(chat.id, group=chat.is_group)
        message.reply_markup = markup
        return message.as_json()

    async def delete_message(self, params: dict[str, Any]) -> bool:
        """Take a text of the bot's own away."""
        self._own(self._chat(params), params, "delete").deleted = True
        return True

    async def send_document(self, params: dict[str, Any], files: dict[str, bytes]) -> dict[str, Any]:
        """Send a file that is uploaded with the call."""
        chat = self._chat(params)
        thread = self._thread(chat, params)
        caption = text(params, "caption")
        if utf16_length(caption) > LONGEST_CAPTION:
            raise bad_request("message caption is too long")
        check_entities(caption, params.get("caption_entities", []))
        field = str(params.get("document", "")).removeprefix("attach://") or "document"
        data = files.get(field)
        if not data:
            raise bad_request("file must be non-empty")
        self._server.flood.check(chat.id, group=chat.is_group)
        name = params[f"{field}.name"]
        file_id = self._server.add_file(name, data)
        document = {"file_id": file_id, "file_unique_id": f"u{file_id}", "file_name": name, "file_size": len(data)}
        message = self._server.store(
            chat,
            sender=self._server.me,
            text=caption,
            entities=params.get("caption_entities", []),
            thread=thread,
            reply_to=self._reply_to(chat, params),
            extra={"document": document},
        )
        message.data = data
        return message.as_json()

    async def send_chat_action(self, params: dict[str, Any]) -> bool:
        """Show what goes on."""
        chat = self._chat(params)
        self._thread(chat, params)
        if params.get("action") not in ACTIONS:
            raise bad_request("wrong parameter action in request")
        return True

    async def send_message_draft(self, params: dict[str, Any]) -> bool:
        """Show a text that is being written."""
        chat = self._chat(params)
        if chat.type != "private":
            raise bad_request("TEXTDRAFT_PEER_INVALID")
        if integer(params, "draft_id", 0) == 0:
            raise bad_request("RANDOM_ID_INVALID")
        if params.get("text"):
            self._content(params, limit=LONGEST_TEXT)
        return True

    def _chat(self, params: dict[str, Any]) -> FakeChat:
        chat = self._server.chats.get(integer(params, "chat_id"))
        if chat is None:
            raise bad_request("chat not found")
        if chat.moved_to is not None:
            raise bad_request("group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.moved_to)
        if chat.bot_status == "kicked":
            where = {"group": "the group chat", "supergroup": "the supergroup chat"}.get(chat.type)
            raise forbidden(f"bot was kicked from {where}" if where else "bot was blocked by the user")
        return chat

    @staticmethod
    def _thread(chat: FakeChat, params: dict[str, Any]) -> int | None:
        if "message_thread_id" not in params:
            return None
        thread = integer(params, "message_thread_id")
        if thread not in chat.topics:
            raise bad_request("message thread not found")
        return thread

    def _own(self, chat: FakeChat, params: dict[str, Any], what: str) -> StoredMessage:
        message = self._server.find(chat, integer(params, "message_id"))
        if message is None:
            raise bad_request(f"message to {what} not found")
        if not message.from_bot:
            raise bad_request(f"message can't be {what}ed".replace("eed", "ed"))
        return message

    def _reply_to(self, chat: FakeChat, params: dict[str, Any]) -> StoredMessage | None:
        wanted = params.get("reply_parameters")
        if wanted is None:
            return None
        message = self._server.find(chat, int(wanted["message_id"]))
        if message is None and not wanted.get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")
        return message

    @staticmethod
    def _content(params: dict[str, Any], *, limit: int, editing: bool = False) -> tuple[str, list[dict[str, Any]]]:
        if "parse_mode" in params:
            raise bad_request("unsupported parse_mode")
        content = text(params, "text")
        entities = params.get("entities", [])
        check_text(content, entities, limit=limit, editing=editing)
        return content, entities


def _markup(params: dict[str, Any]) -> dict[str, Any] | None:
    markup = params.get("reply_markup")
    if not markup or not markup.get("inline_keyboard"):
        return None
    for button in (button for row in markup["inline_keyboard"] for button in row):
        if not button.get("text"):
            raise bad_request("can't parse inline keyboard button: Text buttons must have non-empty text")
        if not 1 <= len(button.get("callback_data", "").encode()) <= LONGEST_CALLBACK_DATA:
            raise bad_request("BUTTON_DATA_INVALID")
    return markup
