"""Where answers go."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputFile, ReplyParameters
from telegram.constants import ChatAction
from telegram.error import TelegramError

from adapters.telegram.failures import changes_nothing, delivery_error
from adapters.telegram.renderer import LONGEST_TEXT, Rendered, Renderer
from adapters.telegram.settings import TelegramSettings
from bot.adapter import Allowance, ReplyLimits
from bot.errors import MessageGoneError
from bot.messages import Button, ChatAddress, OutgoingMessage

LONGEST_CAPTION = 1024
# https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this: one message a second in a chat with
# short bursts, 20 a minute in a group, 30 a second in all.
_PER_CHAT = Allowance(calls=5, per_s=5.0)
_PER_GROUP = Allowance(calls=20, per_s=60.0)
_OVERALL = Allowance(calls=30, per_s=1.0)
_SHORT_LABEL = 20
"""Characters up to which a button shares its row with another."""


class TelegramTarget:
    """One chat, or one topic of it. Every method is one call; where that fails a `DeliveryError` says why."""

    def __init__(self, address: ChatAddress, *, bot: Bot, renderer: Renderer, settings: TelegramSettings) -> None:
        self._bot = bot
        self._renderer = renderer
        self._chat = int(address.chat)
        self._thread = int(address.thread) if address.thread else None
        # Among several people it has to be seen what is answered; where two talk, it would only be in the way.
        self._answers = None if address.direct else _number(address.reply_to)
        self._drafts = itertools.count(1)
        self._draft = next(self._drafts)
        self._shown: dict[str, tuple[Rendered, InlineKeyboardMarkup | None]] = {}
        stream = "edit" if settings.stream == "draft" and not address.direct else settings.stream
        self._limits = ReplyLimits(
            edit_interval_s=settings.edit_interval_s if address.direct else settings.group_edit_interval_s,
            max_length=LONGEST_TEXT,
            measure=renderer.length,
            stream=stream,
            buttons=True,
            per_chat=(_PER_CHAT,) if address.direct else (_PER_CHAT, _PER_GROUP),
            overall=(_OVERALL,),
        )

    @property
    def limits(self) -> ReplyLimits:
        """Telegram's limits in this chat."""
        return self._limits

    async def send(self, message: OutgoingMessage) -> str:
        """Send a message and return its id."""
        rendered, markup = self._rendered(message), _keyboard(message.buttons)
        with _translated():
            sent = await self._bot.send_message(
                self._chat,
                rendered.text,
                entities=rendered.entities,
                message_thread_id=self._thread,
                reply_parameters=self._reply_parameters(),
                reply_markup=markup,
            )
        self._answers = None
        self._draft = next(self._drafts)
        message_id = str(sent.message_id)
        self._shown = {message_id: (rendered, markup)}
        return message_id

    async def edit(self, message_id: str, message: OutgoingMessage) -> None:
        """Change a message, unless it looks like that already."""
        rendered, markup = self._rendered(message), _keyboard(message.buttons)
        if self._shown.get(message_id) == (rendered, markup):
            return
        self._shown.pop(message_id, None)  # an edit that fails may have arrived
        with _translated():
            try:
                await self._bot.edit_message_text(
                    rendered.text,
                    self._chat,
                    int(message_id),
                    entities=rendered.entities,
                    reply_markup=markup,
                )
            except TelegramError as error:
                if not changes_nothing(error):
                    raise
        self._shown[message_id] = (rendered, markup)

    async def delete(self, message_id: str) -> None:
        """Take a message back; one that is gone already is no failure."""
        try:
            with _translated():
                await self._bot.delete_message(self._chat, int(message_id))
        except MessageGoneError:
            pass
        self._shown.pop(message_id, None)

    async def draft(self, message: OutgoingMessage) -> None:
        """Show what is being written; Telegram takes it away by itself after half a minute, or when it is sent."""
        rendered = self._rendered(message)
        with _translated():
            await self._bot.send_message_draft(
                self._chat, self._draft, rendered.text, message_thread_id=self._thread, entities=rendered.entities
            )

    async def typing(self) -> None:
        """Show for five seconds that an answer is on its way."""
        with _translated():
            await self._bot.send_chat_action(self._chat, ChatAction.TYPING, message_thread_id=self._thread)

    async def send_file(self, name: str, data: bytes, caption: str) -> None:
        """Send a document; what is too long to stand under it follows as a message."""
        rendered = self._renderer.render(caption) if caption else Rendered(text="")
        fits = rendered.length <= LONGEST_CAPTION
        with _translated():
            await self._bot.send_document(
                self._chat,
                InputFile(data, filename=name),
                caption=rendered.text if fits else None,
                caption_entities=rendered.entities if fits else None,
                message_thread_id=self._thread,
                reply_parameters=self._reply_parameters(),
            )
        self._answers = None
        if not fits:
            await self.send(OutgoingMessage(text=caption))

    def _rendered(self, message: OutgoingMessage) -> Rendered:
        return self._renderer.plain(message.text) if message.plain else self._renderer.render(message.text)

    def _reply_parameters(self) -> ReplyParameters | None:
        if self._answers is None:
            return None
        return ReplyParameters(self._answers, allow_sending_without_reply=True)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except TelegramError as error:
        raise delivery_error(error) from error


def _keyboard(buttons: tuple[Button, ...]) -> InlineKeyboardMarkup | None:
    if not buttons:
        return None
    made = [InlineKeyboardButton(each.label, callback_data=each.command) for each in buttons]
    wide = any(len(each.label) > _SHORT_LABEL for each in buttons)
    return InlineKeyboardMarkup([[each] for each in made] if wide else [made])


def _number(message_id: str | None) -> int | None:
    return int(message_id) if message_id is not None and message_id.isdecimal() else None
