"""Who is let in."""

from typing import Any

import pytest

from bot.chat.access import Access, AccessPolicy, refusal
from bot.messages import IncomingMessage
from bot.settings import PermissionSettings

_SETTINGS = {
    "users": {
        "admin_ids": ["t:root", "t:fallen"],
        "allowed_ids": ["t:ann", "t:bad"],
        "blocked_ids": ["t:bad", "t:fallen"],
    },
    "channels": {"allowed_ids": ["t:family", "t:closed"], "blocked_ids": ["t:closed"]},
}
_CLOSED: dict[str, Any] = {}
_OPEN = {"open": True, **_SETTINGS}
_NO_DMS = {"allow_dms": False, **_SETTINGS}


@pytest.mark.parametrize(
    ("settings", "user", "chat", "access"),
    [
        (_CLOSED, "ann", None, Access.REFUSED),
        (_CLOSED, "ann", "family", Access.IGNORED),
        (_SETTINGS, "ann", None, Access.ALLOWED),
        (_SETTINGS, "ann", "anywhere", Access.ALLOWED),
        (_SETTINGS, "root", None, Access.ADMIN),
        (_SETTINGS, "eve", None, Access.REFUSED),
        (_SETTINGS, "eve", "anywhere", Access.IGNORED),
        (_SETTINGS, "eve", "family", Access.ALLOWED),
        (_SETTINGS, "bad", None, Access.IGNORED),
        (_SETTINGS, "bad", "family", Access.IGNORED),
        (_SETTINGS, "fallen", None, Access.IGNORED),
        (_SETTINGS, "ann", "closed", Access.IGNORED),
        (_OPEN, "eve", None, Access.ALLOWED),
        (_OPEN, "eve", "anywhere", Access.ALLOWED),
        (_OPEN, "bad", None, Access.IGNORED),
        (_NO_DMS, "ann", None, Access.DIRECT_REFUSED),
        (_NO_DMS, "ann", "anywhere", Access.ALLOWED),
        (_NO_DMS, "root", None, Access.ADMIN),
        (_NO_DMS, "eve", None, Access.REFUSED),
    ],
)
def test_access_is_by_id_and_blocks_win(settings: dict[str, Any], user: str, chat: str | None, access: Access) -> None:
    """Closed unless opened; a private chat is refused with an answer, a group in silence."""
    message = IncomingMessage(
        adapter="t", chat=chat or user, user=user, message_id="1", text="hi", direct=chat is None, sender_name="ann"
    )
    assert AccessPolicy(PermissionSettings.model_validate(settings)).judge(message) is access


def test_another_platforms_user_of_the_same_id_is_another_person() -> None:
    """Ids are written with their adapter."""
    policy = AccessPolicy(PermissionSettings.model_validate(_SETTINGS))
    message = IncomingMessage(adapter="other", chat="ann", user="ann", message_id="1", text="hi")
    assert policy.judge(message) is Access.REFUSED


@pytest.mark.parametrize("user", ["root", "ann"])
def test_what_is_not_meant_for_the_bot_is_ignored(user: str) -> None:
    """People in a group talk to each other."""
    policy = AccessPolicy(PermissionSettings.model_validate(_OPEN))
    message = IncomingMessage(
        adapter="t", chat="family", user=user, message_id="1", text="hi", direct=False, addressed=False
    )
    assert policy.judge(message) is Access.IGNORED


def test_the_local_user_is_always_an_admin() -> None:
    """Whoever has the machine has the bot."""
    message = IncomingMessage(adapter="console", chat="x", user="x", message_id="1", text="hi", local=True)
    assert AccessPolicy(PermissionSettings(allow_dms=False)).judge(message) is Access.ADMIN


def test_a_refusal_tells_the_owner_what_to_add() -> None:
    """With the id as the configuration wants it, or with where to write instead."""
    message = IncomingMessage(adapter="t", chat="7", user="7", message_id="1", text="hi")
    assert "t:7" in refusal(Access.REFUSED, message)
    assert "group" in refusal(Access.DIRECT_REFUSED, message)
