"""Files that come with a message."""

from collections.abc import Awaitable, Callable, Iterator

from telegram import Bot, Message
from telegram.error import BadRequest

from adapters.telegram.failures import delivery_error
from bot.messages import Attachment

_OTHER = ("location", "venue", "contact", "poll", "dice", "game", "story", "checklist", "paid_media", "invoice")
"""What people send besides text and files, and what a text model can do nothing with."""


def attachments(message: Message, bot: Bot) -> tuple[Attachment, ...]:
    """Everything in a message that is no text. Nothing is downloaded before it is read."""
    return tuple(_found(message, bot))


def _found(message: Message, bot: Bot) -> Iterator[Attachment]:
    if message.document:
        document = message.document
        yield Attachment(
            name=document.file_name or "document",
            media_type=document.mime_type or "application/octet-stream",
            size=document.file_size or 0,
            read=_reader(bot, document.file_id),
        )
        return  # an animation comes as a document, too
    if message.photo:
        largest = message.photo[-1]
        yield Attachment(
            name="photo.jpg", media_type="image/jpeg", size=largest.file_size or 0, read=_reader(bot, largest.file_id)
        )
    for media, name, media_type in (
        (message.voice, "voice.ogg", "audio/ogg"),
        (message.audio, "audio.mp3", "audio/mpeg"),
        (message.video, "video.mp4", "video/mp4"),
        (message.video_note, "video.mp4", "video/mp4"),
    ):
        if media:
            yield Attachment(
                name=getattr(media, "file_name", None) or name,
                media_type=getattr(media, "mime_type", None) or media_type,
                size=media.file_size or 0,
                read=_reader(bot, media.file_id),
            )
    for kind in _OTHER:
        if getattr(message, kind, None):
            yield Attachment(name=kind, media_type=f"application/x-telegram-{kind}", size=0, read=_nothing)


def _reader(bot: Bot, file_id: str) -> Callable[[], Awaitable[bytes]]:
    async def read() -> bytes:
        try:
            file = await bot.get_file(file_id)
            return bytes(await file.download_as_bytearray())
        except BadRequest as error:
            raise delivery_error(error) from error

    return read


async def _nothing() -> bytes:
    return b""
