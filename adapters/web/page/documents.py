"""The HTML pages and what they are made of."""

import os
from os import PathLike
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from adapters.web.page.visitor import MaybeVisitor

STATIC = Path(__file__).parent.parent / "static"
# Asked for each time, and answered with "not modified": after an upgrade nobody has half of an old page.
_FRESH = {"cache-control": "no-cache"}

router = APIRouter(include_in_schema=False)


@router.get("/")
async def chat(session: MaybeVisitor) -> Response:
    """The chat, or the way to it."""
    return _document("index.html") if session is not None else RedirectResponse("/login", status_code=303)


@router.get("/login")
async def login() -> Response:
    """The door."""
    return _document("login.html")


@router.get("/admin")
async def admin(session: MaybeVisitor) -> Response:
    """The admin page."""
    if session is None:
        return RedirectResponse("/login", status_code=303)
    return _document("admin.html") if session.holder.admin else RedirectResponse("/", status_code=303)


def _document(name: str) -> Response:
    return FileResponse(STATIC / name, headers=_FRESH, media_type="text/html")


class FreshFiles(StaticFiles):
    """Files of this package."""

    def file_response(
        self, full_path: str | PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Add how long they may be kept, and a type that does not depend on this machine's tables."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(_FRESH)
        if str(full_path).endswith(".mjs"):
            response.headers["content-type"] = "text/javascript; charset=utf-8"
        return response
