"""Saying something, and hearing what comes of it."""

from functools import partial

from fastapi import APIRouter, Depends, Response
from fastapi.responses import StreamingResponse

from adapters.web.api_error import ApiError
from adapters.web.page.action import action_of
from adapters.web.page.bodies import MessageBody, Thread
from adapters.web.page.conversations import key_of
from adapters.web.page.file_shelf import ShelvedFile
from adapters.web.page.page import Page
from adapters.web.page.session import Session
from adapters.web.page.visitor import ThePage, Visitor, same_origin
from bot.messages import Attachment, IncomingMessage

router = APIRouter(prefix="/page/conversations", dependencies=[Depends(same_origin)], include_in_schema=False)


@router.post("/{thread}/messages", status_code=202)
async def say(thread: Thread, body: MessageBody, page: ThePage, session: Visitor) -> Response:
    """Hand it to the core; what it answers comes as events."""
    holder = session.holder
    if page.rooms.busy(holder.user):
        raise ApiError(429, "Too many of your messages are under way.", code="busy", headers={"retry-after": "5"})
    message = IncomingMessage(
        adapter=page.name,
        chat=holder.user,
        thread=thread,
        user=holder.user,
        message_id=body.message_id,
        text=body.text,
        sender_name=holder.name,
        attachments=tuple(_attachment(page, session, each) for each in body.files),
        edited=body.edited,
        local=holder.admin,
        vouched=True,
    )
    action = action_of(body.text, edited=body.edited, commands=page.core.commands)
    page.rooms.answer(message, action, about=body.about or body.message_id)
    return Response(status_code=202)


@router.get("/{thread}/events")
async def events(thread: Thread, page: ThePage, session: Visitor) -> StreamingResponse:
    """Everything that goes on in a conversation."""
    stream = page.rooms.events(key_of(page, session, thread))
    return StreamingResponse(stream, media_type="text/event-stream", headers={"cache-control": "no-store"})


def _attachment(page: Page, session: Session, file_id: str) -> Attachment:
    file = page.shelf.get(file_id, session.holder.user)
    if file is None:
        raise ApiError(404, "An attached file is not there any more. Please attach it again.", code="not_found")
    return Attachment(name=file.name, media_type=file.media_type, size=len(file.data), read=partial(_content, file))


async def _content(file: ShelvedFile) -> bytes:
    return file.data
