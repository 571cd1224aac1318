"""`hearthbot users`, as a process of its own."""

import asyncio
import json

from bot.storage.access_records import Identity
from bot.storage.database import Database
from bot.storage.pairing_repository import PairingRepository
from bot.storage.timestamp import now_ms
from tests.support.hearthbot_process import Hearthbot


def ask(hearthbot: Hearthbot, code: str, *, user: str = "42") -> None:
    """Let a stranger write to a daemon that has this database."""

    async def inside() -> None:
        database = await Database.open(hearthbot.database, busy_timeout_s=5)
        identity = Identity(adapter="console", user=user)
        await PairingRepository(database).ask(identity, name="Eve", chat=user, code=code, now_ms=now_ms())
        await database.aclose()

    asyncio.run(inside())


def test_somebody_is_let_in_by_code(hearthbot: Hearthbot) -> None:
    """The list shows who asks, and afterwards who was let in; the audit tells who did it."""
    ask(hearthbot, "K7QF-2M9X")
    assert "asks" in hearthbot.run("users", "list").stdout
    done = hearthbot.run("users", "approve", "k7qf-2m9x")
    assert done.stdout == "Eve (console:42) is let in.\n", done.stderr
    (listed,) = [json.loads(line) for line in hearthbot.run("users", "list", "--json").stdout.splitlines()]
    assert listed == {"id": "console:42", "role": "user", "source": "stored", "name": "Eve"}
    assert "on the command line: approve console:42 Eve" in hearthbot.run("users", "audit").stdout


def test_roles_are_given_and_the_configuration_comes_first(hearthbot: Hearthbot) -> None:
    """What has no effect because of the configuration is refused, or shown with the role that counts."""
    hearthbot.configure("permissions: {users: {admin_ids: ['console:1'], allowed_ids: ['console:2']}}")
    assert "the configuration says user" in hearthbot.run("users", "role", "console:2", "admin").stdout
    assert hearthbot.run("users", "role", "console:3", "blocked").returncode == 0
    refused = hearthbot.run("users", "block", "console:1")
    assert refused.returncode == 2
    assert "permissions.users.admin_ids" in refused.stderr
    listed = [json.loads(line) for line in hearthbot.run("users", "list", "--json").stdout.splitlines()]
    assert {each["id"]: (each["role"], each["source"]) for each in listed} == {
        "console:1": ("admin", "configuration"),
        "console:2": ("user", "configuration"),
        "console:3": ("blocked", "stored"),
    }


def test_what_is_wrong_is_said(hearthbot: Hearthbot) -> None:
    """An old code, and what is no id; nobody is changed."""
    assert "Nobody waits with the code AAAA-AAAA" in hearthbot.run("users", "approve", "AAAA-AAAA").stderr
    assert "is no id" in hearthbot.run("users", "role", "ann", "admin").stderr
    assert "nobody yet" in hearthbot.run("users", "list").stderr
