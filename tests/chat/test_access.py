"""Who is let in."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.chat.access import Access, AccessPolicy
from bot.messages import IncomingMessage
from bot.settings import PermissionSettings
from bot.storage.access_records import Identity, Role
from bot.storage.chat_move_repository import ChatMoveRepository
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.database import Database
from bot.storage.people_repository import PeopleRepository

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


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """Empty."""
    database = await Database.open(tmp_path / "chat.db", busy_timeout_s=5)
    yield database
    await database.aclose()


@pytest.fixture
def people(database: Database) -> PeopleRepository:
    """Nobody, so far."""
    return PeopleRepository(database)


@pytest.fixture
def moves(database: Database) -> ChatMoveRepository:
    """None, so far."""
    return ChatMoveRepository(database)


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
async def test_access_is_by_id_and_blocks_win(
    people: PeopleRepository,
    moves: ChatMoveRepository,
    *,
    settings: dict[str, Any],
    user: str,
    chat: str | None,
    access: Access,
) -> None:
    """Closed unless opened; a private chat is refused with an answer, a group in silence."""
    message = IncomingMessage(
        adapter="t", chat=chat or user, user=user, message_id="1", text="hi", direct=chat is None, sender_name="ann"
    )
    assert await AccessPolicy(PermissionSettings.model_validate(settings), people, moves).judge(message) is access


async def test_another_platforms_user_of_the_same_id_is_another_person(
    people: PeopleRepository, moves: ChatMoveRepository
) -> None:
    """Ids are written with their adapter."""
    policy = AccessPolicy(PermissionSettings.model_validate(_SETTINGS), people, moves)
    message = IncomingMessage(adapter="other", chat="ann", user="ann", message_id="1", text="hi")
    assert await policy.judge(message) is Access.REFUSED


@pytest.mark.parametrize("user", ["root", "ann"])
async def test_what_is_not_meant_for_the_bot_is_ignored(
    people: PeopleRepository, moves: ChatMoveRepository, user: str
) -> None:
    """People in a group talk to each other."""
    policy = AccessPolicy(PermissionSettings.model_validate(_OPEN), people, moves)
    message = IncomingMessage(
        adapter="t", chat="family", user=user, message_id="1", text="hi", direct=False, addressed=False
    )
    assert await policy.judge(message) is Access.IGNORED


async def test_the_local_user_is_always_an_admin(people: PeopleRepository, moves: ChatMoveRepository) -> None:
    """Whoever has the machine has the bot."""
    message = IncomingMessage(adapter="console", chat="x", user="x", message_id="1", text="hi", local=True)
    assert await AccessPolicy(PermissionSettings(allow_dms=False), people, moves).judge(message) is Access.ADMIN


async def test_a_person_with_a_key_is_let_in_until_blocked(people: PeopleRepository, moves: ChatMoveRepository) -> None:
    """Whoever the owner gave a key need not ask, is no admin for that, and can be shut out again."""
    message = IncomingMessage(adapter="web", chat="anna", user="anna", message_id="1", text="hi", vouched=True)
    assert await AccessPolicy(PermissionSettings(), people, moves).judge(message) is Access.ALLOWED
    blocked = PermissionSettings.model_validate({"users": {"blocked_ids": ["web:anna"]}})
    assert await AccessPolicy(blocked, people, moves).judge(message) is Access.IGNORED


@pytest.mark.parametrize(
    ("role", "settings", "user", "chat", "access"),
    [
        ("admin", _CLOSED, "eve", None, Access.ADMIN),
        ("admin", _CLOSED, "eve", "anywhere", Access.ADMIN),
        ("user", _CLOSED, "eve", None, Access.ALLOWED),
        ("user", _NO_DMS, "eve", None, Access.DIRECT_REFUSED),
        ("user", _SETTINGS, "root", None, Access.ADMIN),
        ("admin", _SETTINGS, "ann", None, Access.ALLOWED),
        ("admin", _SETTINGS, "bad", None, Access.IGNORED),
        ("blocked", _OPEN, "eve", None, Access.IGNORED),
        ("blocked", _OPEN, "root", "family", Access.IGNORED),
    ],
)
async def test_what_admins_decided_comes_after_the_configuration(
    people: PeopleRepository,
    moves: ChatMoveRepository,
    *,
    role: Role,
    settings: dict[str, Any],
    user: str,
    chat: str | None,
    access: Access,
) -> None:
    """The configuration's role is the one that counts, but a block counts wherever it is written."""
    await people.set_role(Identity(adapter="t", user=user), role, actor="a test", now_ms=0)
    message = IncomingMessage(adapter="t", chat=chat or user, user=user, message_id="1", text="hi", direct=chat is None)
    assert await AccessPolicy(PermissionSettings.model_validate(settings), people, moves).judge(message) is access


async def test_a_role_of_the_platform_lets_in_where_the_person_has_it(
    people: PeopleRepository, moves: ChatMoveRepository
) -> None:
    """The role is looked for in the message, by id and with its adapter; without it the person is a stranger."""
    settings = {"roles": {"allowed_ids": ["t:family"]}}
    policy = AccessPolicy(PermissionSettings.model_validate(settings), people, moves)
    message = IncomingMessage(adapter="t", chat="hall", user="eve", message_id="1", text="hi", direct=False)
    assert await policy.judge(replace(message, roles=("guest", "family"))) is Access.ALLOWED
    assert await policy.judge(replace(message, roles=("guest",))) is Access.IGNORED
    assert await policy.judge(replace(message, adapter="other", roles=("family",))) is Access.IGNORED


async def test_a_group_that_got_another_id_is_the_one_that_the_configuration_names(
    database: Database, people: PeopleRepository, moves: ChatMoveRepository
) -> None:
    """Allowed or blocked, it stays so, also after a second move; another platform's group of that id is another one."""
    conversations = ConversationRepository(database)
    for old, new in (("family", "family 2"), ("closed", "closed 2"), ("family 2", "family 3")):
        await conversations.move_chat("t", old, new)
    policy = AccessPolicy(PermissionSettings.model_validate(_SETTINGS), people, moves)
    message = IncomingMessage(adapter="t", chat="family 3", user="eve", message_id="1", text="hi", direct=False)
    assert await policy.judge(message) is Access.ALLOWED
    assert await policy.judge(replace(message, chat="closed 2", user="ann")) is Access.IGNORED
    assert await policy.judge(replace(message, adapter="other")) is Access.IGNORED


@pytest.mark.parametrize(
    ("settings", "stored", "role"),
    [
        (_CLOSED, None, None),
        (_CLOSED, "admin", "admin"),
        (_CLOSED, "user", "user"),
        (_CLOSED, "blocked", "blocked"),
        ({"users": {"admin_ids": ["t:ann"]}}, None, "admin"),
        ({"users": {"admin_ids": ["t:ann"]}}, "blocked", "blocked"),
        ({"users": {"allowed_ids": ["t:ann"]}}, "admin", "user"),
        ({"users": {"blocked_ids": ["t:ann"]}}, "admin", "blocked"),
        ({"open": True}, None, None),
    ],
)
async def test_a_role_is_known_without_a_message(
    people: PeopleRepository, moves: ChatMoveRepository, settings: dict[str, Any], stored: Role | None, role: str | None
) -> None:
    """For adapters that know people by keys: the configuration comes first, but for who was shut out since."""
    ann = Identity(adapter="t", user="ann")
    await people.set_role(ann, stored, actor="test", now_ms=0)
    assert await AccessPolicy(PermissionSettings.model_validate(settings), people, moves).role(ann) == role
