"""Secrets that are told once and kept as hashes."""

import secrets
from hashlib import sha256


def new_token() -> str:
    """256 bits that nobody can guess."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """What is kept of it. A secret of this length needs no salt and no slow hash."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()
