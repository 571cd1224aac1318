"""Codes that people read on one screen and type on another."""

import hashlib
import re
import secrets

_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Nothing that is taken for something else: no 0 and O, no 1, I and L."""
_GROUP = 4
_CODE = re.compile(
    rf"(?:/(?:start|link)\s+)?(?P<code>[{_LETTERS}]{{{_GROUP}}}(?:[-\u2010-\u2014][{_LETTERS}]{{{_GROUP}}})+)"
)
"""Also behind `/start`: a link into a Telegram chat carries it there."""


def new_code(groups: int) -> str:
    """A code such as `K7QF-2M9X`, of nearly 20 bits a group."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(groups))


def read_code(text: str) -> str | None:
    """The code that a person typed, as it was printed; None where the text is no code."""
    match = _CODE.fullmatch(text.strip().upper().replace("/START", "/start").replace("/LINK", "/link"))
    return re.sub(r"[^0-9A-Z]", "-", match["code"]) if match else None


def hashed(code: str) -> str:
    """What is stored of a code that lets its bearer in: long and short-lived, it needs no slow hash."""
    return hashlib.sha256(code.encode()).hexdigest()
