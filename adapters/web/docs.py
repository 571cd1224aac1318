"""`/docs`: the API's documentation, without any other host."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

DOCUMENT = Path(__file__).parent / "static/docs.html"
HEADERS = {
    # Swagger UI sets styles on elements and has its icons in data URLs; its requests go to this server alone.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-cache",
}

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs() -> Response:
    """The page that shows `/openapi.json`."""
    return FileResponse(DOCUMENT, headers=HEADERS, media_type="text/html")
