"""Finds out whose browser it is, and that the page itself is asking."""

from dataclasses import replace
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from adapters.web.api_error import ApiError
from adapters.web.page.page import Page
from adapters.web.page.session import Session

COOKIE = "hearthbot_session"
_SAFE = frozenset({"GET", "HEAD"})


async def page_of(request: Request) -> Page:
    """A dependency: the page of the application that the request came to."""
    page: Page = request.app.state.page
    return page


async def same_origin(request: Request) -> None:
    """A dependency: refuses what another site's page sends, beside the cookie that is SameSite=Strict.

    Browsers send `Origin` with every request that is not GET or HEAD, `Sec-Fetch-Site` on https and localhost only:
    https://fetch.spec.whatwg.org/#origin-header, https://www.w3.org/TR/fetch-metadata/
    """
    if request.method in _SAFE:
        return
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = urlsplit(request.headers.get("origin", ""))
    if site != "same-origin" or not origin.netloc or origin.netloc != request.headers.get("host"):
        raise ApiError(403, "This was not sent by the page itself.", code="cross_origin")


async def maybe_visitor(request: Request, page: Annotated[Page, Depends(page_of)]) -> Session | None:
    """A dependency: the session; None where nobody is logged in, or who was is shut out since."""
    token = request.cookies.get(COOKIE)
    session = await page.sessions.of(token) if token else None
    if session is None:
        return None
    role = await page.role(session.holder.user)
    if role == "blocked":
        return None
    return replace(session, holder=replace(session.holder, admin=True)) if role == "admin" else session


async def visitor(session: Annotated[Session | None, Depends(maybe_visitor)]) -> Session:
    """A dependency: the session. Whoever has none is refused."""
    if session is None:
        raise ApiError(401, "Please log in.", code="not_logged_in")
    return session


async def admin_visitor(session: Annotated[Session, Depends(visitor)]) -> Session:
    """A dependency: an admin's session."""
    if not session.holder.admin:
        raise ApiError(403, "This is for admins only.", code="forbidden")
    return session


ThePage = Annotated[Page, Depends(page_of)]
MaybeVisitor = Annotated[Session | None, Depends(maybe_visitor)]
Visitor = Annotated[Session, Depends(visitor)]
AdminVisitor = Annotated[Session, Depends(admin_visitor)]
