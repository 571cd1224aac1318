"""What the admin page asks for."""

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import StreamingResponse

from adapters.web.api_error import ApiError
from adapters.web.page.bodies import DecisionBody, Id, LinkBody
from adapters.web.page.links import INVITATION_LIFETIME
from adapters.web.page.page import Page
from adapters.web.page.session import Holder
from adapters.web.page.visitor import AdminVisitor, ThePage, admin_visitor, same_origin
from bot.errors import InvalidRequestError

router = APIRouter(
    prefix="/page/admin", dependencies=[Depends(same_origin), Depends(admin_visitor)], include_in_schema=False
)


@router.get("/figures")
async def figures(page: ThePage) -> StreamingResponse:
    """An hour of samples, then each new one, as Server-Sent Events."""
    return StreamingResponse(_events(page), media_type="text/event-stream", headers={"cache-control": "no-store"})


async def _events(page: Page) -> AsyncIterator[str]:
    whole = True
    async for samples in page.sampler.samples():
        yield f"data: {json.dumps({'whole': whole, 'samples': samples})}\n\n"
        whole = False


@router.get("/state")
async def state(page: ThePage) -> dict[str, Any]:
    """What goes on now."""
    core = page.core
    status = core.model.status()
    return {
        "claim_code": core.door.claim_code,
        "engine": {
            "model": status.model,
            "loaded": status.loaded,
            "running": status.running,
            "waiting": status.waiting,
            "max_parallel": status.max_parallel,
        },
        "requests": [
            {
                "id": each.request_id,
                "user": each.user,
                "state": each.state,
                "position": each.position,
                "read": each.prompt_tokens,
                "written": each.completion_tokens,
            }
            for each in core.model.requests()
        ],
        "adapters": [
            {"name": each.name, "phase": each.phase, "since": each.since.isoformat(), "reason": each.reason}
            for each in core.adapters
        ],
        "people": [
            {"id": each.id, "name": each.name, "role": each.role, "configured": each.configured, "code": each.code}
            for each in await core.people.everybody()
        ],
    }


@router.post("/requests/{request_id}/cancel", status_code=204)
async def cancel(request_id: int, page: ThePage) -> Response:
    """Stop somebody's request; what was written of it is kept."""
    page.core.model.cancel(request_id)
    return Response(status_code=204)


@router.post("/people")
async def decide(body: DecisionBody, page: ThePage, session: AdminVisitor) -> dict[str, str]:
    """Let somebody in, or shut them out."""
    actor = f"{page.name}:{session.holder.user}"
    try:
        return {"done": await page.core.people.decide(body.whom, body.decision, actor=actor)}
    except InvalidRequestError as error:
        raise ApiError(error.http_status, error.user_text, code=error.code) from error


@router.get("/sessions")
async def sessions(page: ThePage, session: AdminVisitor) -> dict[str, Any]:
    """Who is logged in."""
    return {
        "sessions": [
            {
                "id": each.id,
                "user": each.holder.user,
                "name": each.holder.name,
                "admin": each.holder.admin,
                "since": each.since.isoformat(),
                "current": each.id == session.id,
            }
            for each in await page.sessions.all()
        ]
    }


@router.delete("/sessions/{session_id}", status_code=204)
async def end_session(session_id: Id, page: ThePage) -> Response:
    """Log a browser out."""
    if not await page.sessions.close(session_id):
        raise ApiError(404, "This browser is not logged in any more.", code="not_found")
    return Response(status_code=204)


@router.post("/links")
async def invite(body: LinkBody, page: ThePage) -> dict[str, Any]:
    """A link that logs somebody in once."""
    secret = await page.links.make(Holder(user=body.name, name=body.name, admin=body.admin), INVITATION_LIFETIME)
    return {"path": f"/login#{secret}", "days": INVITATION_LIFETIME.days}
