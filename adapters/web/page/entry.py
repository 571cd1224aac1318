"""Logging in and out, and who one is."""

import math
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from adapters.web.api_error import ApiError
from adapters.web.authentication import blocked
from adapters.web.page.bodies import LoginBody
from adapters.web.page.page import Page
from adapters.web.page.session import Holder
from adapters.web.page.sessions import LIFETIME
from adapters.web.page.uploads import LONGEST_FILE
from adapters.web.page.visitor import COOKIE, MaybeVisitor, ThePage, Visitor, same_origin

router = APIRouter(prefix="/page", dependencies=[Depends(same_origin)], include_in_schema=False)


@router.post("/login", status_code=204)
async def login(body: LoginBody, request: Request, page: ThePage) -> Response:
    """Trade a key, a one-time link, or the code of the first admin for a session."""
    address = request.client.host if request.client else ""
    wait_s = page.gate.wait_s(address)
    if wait_s > 0:
        raise ApiError(
            429,
            f"Too many attempts. Please try again in {math.ceil(wait_s / 60)} minutes.",
            code="too_many_attempts",
            headers={"retry-after": str(math.ceil(wait_s))},
        )
    holder = await _holder(body, page)
    if holder is None:
        page.gate.failed(address)
        said = "This link was used before, or is too old." if body.link else "This key is not known here."
        raise ApiError(403, said, code="wrong_login")
    page.gate.succeeded(address)
    if await page.role(holder.user) == "blocked":
        raise blocked()
    response = Response(status_code=204)
    response.set_cookie(
        COOKIE,
        await page.sessions.open(holder),
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


async def _holder(body: LoginBody, page: Page) -> Holder | None:
    if body.link:
        return await page.links.use(body.link)
    key = (body.key or "").strip()
    principal = page.keys.holder(key)
    if principal is None:
        return await page.claim(key)
    return Holder(user=principal.name, name=principal.name, admin=principal.admin)


@router.post("/logout", status_code=204)
async def logout(page: ThePage, session: MaybeVisitor) -> Response:
    """End the session."""
    if session is not None:
        await page.sessions.close(session.id)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response


@router.get("/me")
async def me(page: ThePage, session: Visitor) -> JSONResponse:
    """Who is logged in, and what there is to choose from."""
    personas = page.core.book.personas
    answer: dict[str, Any] = {
        "name": session.holder.name,
        "admin": session.holder.admin,
        "default_persona": personas[0].key,
        "personas": [
            {
                "key": each.key,
                "name": each.name,
                "description": each.description,
                "welcome_message": each.welcome_message,
            }
            for each in personas
        ],
        "commands": [
            {"name": each.name, "summary": each.summary, "argument": each.argument, "choices": each.choices}
            for each in page.core.commands
            if session.holder.admin or not each.admin
        ],
        "longest_file": LONGEST_FILE,
    }
    return JSONResponse(answer)
