"""Files on their way in and out."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response

from adapters.web.api_error import ApiError
from adapters.web.page.bodies import Id
from adapters.web.page.file_shelf import ShelvedFile
from adapters.web.page.visitor import ThePage, Visitor, same_origin

LONGEST_FILE = 16 * 1024 * 1024
"""Bytes."""

router = APIRouter(prefix="/page", dependencies=[Depends(same_origin)], include_in_schema=False)


@router.put("/uploads")
async def upload(
    request: Request,
    page: ThePage,
    session: Visitor,
    name: Annotated[str, Query(min_length=1, max_length=255)],
    media_type: Annotated[str, Query(alias="type", max_length=255)] = "",
) -> dict[str, str]:
    """Keep a file until it is sent with a message."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > LONGEST_FILE:
            raise ApiError(413, f"This file is too large: at most {LONGEST_FILE // 2**20} MiB.", code="too_large")
    file = ShelvedFile(
        user=session.holder.user, name=name, media_type=media_type or "application/octet-stream", data=bytes(data)
    )
    return {"id": page.shelf.put(file)}


@router.get("/files/{file_id}")
async def file(file_id: Id, page: ThePage, session: Visitor) -> Response:
    """A file that was offered. It is never shown in the browser: what it holds may come from anybody."""
    found = page.shelf.get(file_id, session.holder.user)
    if found is None:
        raise ApiError(404, "This file is not kept any more. Please ask for it again.", code="not_found")
    return Response(
        found.data,
        media_type=found.media_type,
        headers={"content-disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"},
    )
