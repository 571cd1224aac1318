"""The parameters of a call.

https://core.telegram.org/bots/api#making-requests
"""

import json
from typing import Any

from aiohttp import web

from tests.support.bot_api.api_error import bad_request


async def read(request: web.Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Values and uploaded files, from a query, a form, a multipart form or JSON; what is JSON is parsed."""
    values: dict[str, Any] = dict(request.query)
    files: dict[str, bytes] = {}
    if request.content_type == "application/json":
        values |= await request.json()
    else:
        for key, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                files[key] = value.file.read()
                values[f"{key}.name"] = value.filename
            else:
                values[key] = value
    return {key: _parsed(value) for key, value in values.items()}, files


def _parsed(value: Any) -> Any:
    """Structures and truth values come as JSON text; numbers in texts must stay what they are."""
    if isinstance(value, str) and (value[:1] in {"{", "["} or value in {"true", "false"}):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def integer(params: dict[str, Any], key: str, default: int | None = None) -> int:
    """A whole number. Raises `ApiError` where it is none."""
    value = params.get(key, default)
    try:
        return int(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise bad_request(f"invalid {key} specified") from None


def text(params: dict[str, Any], key: str) -> str:
    """A text, also one that looked like JSON."""
    value = params.get(key, "")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
