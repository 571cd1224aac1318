"""The list of conversations, and each of them."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from adapters.web.api_error import ApiError
from adapters.web.page.bodies import THREAD, Thread, TitleBody
from adapters.web.page.page import Page
from adapters.web.page.session import Session
from adapters.web.page.shown_message import facts_json
from adapters.web.page.visitor import ThePage, Visitor, same_origin
from bot.book import PastTurn
from bot.messages import ConversationKey

# Another account of the same person may have threads that are none of this page.
_OWN_THREAD = re.compile(THREAD)

router = APIRouter(prefix="/page/conversations", dependencies=[Depends(same_origin)], include_in_schema=False)


def key_of(page: Page, session: Session, thread: str) -> ConversationKey:
    """A conversation of whoever is logged in: nobody can name somebody else's."""
    user = session.holder.user
    return ConversationKey(adapter=page.name, chat=user, thread=thread, user=user)


@router.get("")
async def headings(
    page: ThePage, session: Visitor, search: Annotated[str, Query(max_length=200)] = ""
) -> dict[str, Any]:
    """Latest first."""
    found = await page.core.book.headings(page.name, session.holder.user, search=search.strip())
    return {
        "conversations": [
            {"thread": each.thread, "title": each.title, "changed_at": each.changed_at.isoformat()}
            for each in found
            if _OWN_THREAD.fullmatch(each.thread) and each.chat == session.holder.user
        ]
    }


@router.get("/{thread}")
async def read(thread: Thread, page: ThePage, session: Visitor) -> dict[str, Any]:
    """Everything that was said in it; nothing in one that is new."""
    found = await page.core.book.read(key_of(page, session, thread))
    if found is None:
        return {"title": "", "persona": None, "turns": []}
    return {"title": found.title, "persona": found.persona, "turns": [_turn(each) for each in found.turns]}


@router.patch("/{thread}", status_code=204)
async def rename(thread: Thread, body: TitleBody, page: ThePage, session: Visitor) -> Response:
    """Give it a name."""
    if not await page.core.book.rename(key_of(page, session, thread), body.title):
        raise ApiError(404, "There is no such conversation.", code="not_found")
    return Response(status_code=204)


@router.delete("/{thread}", status_code=204)
async def delete(thread: Thread, page: ThePage, session: Visitor) -> Response:
    """Delete it for good."""
    key = key_of(page, session, thread)
    if not await page.core.book.delete(key):
        raise ApiError(404, "There is no such conversation.", code="not_found")
    page.rooms.forget(key)
    return Response(status_code=204)


def _turn(turn: PastTurn) -> dict[str, Any]:
    return {
        "message_id": turn.message_id,
        "text": turn.text,
        "status": turn.status,
        "reply": turn.reply,
        "reasoning": turn.reasoning,
        "facts": facts_json(turn.facts),
        "persona": turn.persona,
    }
