"""People, those who ask, and what admins did."""

import asyncio

import pytest

from bot.storage.access_records import Identity
from bot.storage.audit_repository import AuditRepository
from bot.storage.database import Database
from bot.storage.link_repository import LinkRepository
from bot.storage.pairing_repository import DENIED_MS, VALID_MS, PairingRepository
from bot.storage.people_repository import PeopleRepository

ANN = Identity(adapter="telegram", user="1")
BOB = Identity(adapter="telegram", user="2")


@pytest.fixture
def people(database: Database) -> PeopleRepository:
    """The people in `database`."""
    return PeopleRepository(database)


@pytest.fixture
def pairings(database: Database) -> PairingRepository:
    """Who asks, in `database`."""
    return PairingRepository(database)


async def test_only_the_first_claim_succeeds(people: PeopleRepository) -> None:
    """Two who send the code at the same moment do not both become admin."""
    claims = [people.claim(who, name="", now_ms=0) for who in (ANN, BOB)]
    assert sorted(await asyncio.gather(*claims)) == [False, True]
    assert [person.role for person in await people.all()] == ["admin"]


async def test_who_was_shut_out_cannot_claim(people: PeopleRepository) -> None:
    """A block counts, also where there is no admin any more."""
    await people.set_role(ANN, "blocked", actor="x", now_ms=0)
    assert not await people.claim(ANN, name="", now_ms=0)
    assert await people.role(ANN) == "blocked"


async def test_every_act_is_noted_with_it(people: PeopleRepository, database: Database) -> None:
    """Who did what to whom, in order."""
    await people.claim(ANN, name="Ann", now_ms=1000)
    await people.set_role(BOB, "user", actor=str(ANN), now_ms=2000)
    await people.set_role(BOB, None, actor="root", now_ms=3000)
    entries = await AuditRepository(database).latest(2)
    assert [(each.actor, each.act, each.subject, each.detail) for each in entries] == [
        ("telegram:1", "role", "telegram:2", "user"),
        ("root", "role", "telegram:2", "none"),
    ]
    assert await people.role(BOB) is None


async def test_a_question_is_decided_once(pairings: PairingRepository, people: PeopleRepository) -> None:
    """Of two admins who press different buttons the first counts, and a late one does not change the role."""
    asked = await pairings.ask(ANN, name="Ann", chat="1", code="A", now_ms=0)
    assert asked is not None
    assert await pairings.decide(asked, "approve", actor="x", now_ms=1)
    assert not await pairings.decide(asked, "block", actor="y", now_ms=2)
    assert await people.role(ANN) == "user"
    assert [pairing.identity for pairing in await pairings.untold()] == [ANN]
    await pairings.told(asked)
    assert await pairings.untold() == []


async def test_a_question_is_asked_once_an_hour(pairings: PairingRepository) -> None:
    """After that there is a new code, and the old one is nobody's; who was denied is silent for a week."""
    assert await pairings.ask(ANN, name="", chat="1", code="A", now_ms=0)
    assert await pairings.ask(ANN, name="", chat="1", code="B", now_ms=VALID_MS - 1) is None
    asked = await pairings.ask(ANN, name="", chat="1", code="B", now_ms=VALID_MS)
    assert asked is not None
    assert [pairing.code for pairing in await pairings.pending(VALID_MS)] == ["B"]
    assert await pairings.pending(2 * VALID_MS) == []
    assert await pairings.decide(asked, "deny", actor="x", now_ms=VALID_MS)
    assert await pairings.ask(ANN, name="", chat="1", code="C", now_ms=VALID_MS + DENIED_MS - 1) is None
    assert await pairings.ask(ANN, name="", chat="1", code="C", now_ms=VALID_MS + DENIED_MS) is not None


async def test_attempts_are_counted_by_person_and_by_the_hour(pairings: PairingRepository) -> None:
    """At the same moment, too: of ten at once exactly the allowed number may be tried."""
    tried = await asyncio.gather(*(pairings.may_try(ANN, limit=5, now_ms=1) for _ in range(10)))
    assert sum(tried) == 5
    assert await pairings.may_try(BOB, limit=5, now_ms=1)
    assert not await pairings.may_try(ANN, limit=5, now_ms=VALID_MS)
    assert await pairings.may_try(ANN, limit=5, now_ms=VALID_MS + 1)


def test_an_identity_is_written_with_its_platform() -> None:
    """Ids may have colons themselves, as Matrix's do."""
    identity = Identity.parse("matrix:@ann:example.org")
    assert identity == Identity(adapter="matrix", user="@ann:example.org")
    assert str(identity) == "matrix:@ann:example.org"
    assert Identity.parse("ann") is None
    assert Identity.parse("telegram:") is None


async def test_questions_of_a_wrong_clock_silence_nobody(pairings: PairingRepository) -> None:
    """The clock was years ahead, and was put right: who asked or was denied meanwhile can ask, and is asked about."""
    ahead = 10 * 365 * 24 * 3_600_000
    asked = await pairings.ask(ANN, name="Ann", chat="1", code="A", now_ms=ahead)
    assert asked is not None
    assert await pairings.decide(asked, "deny", actor="x", now_ms=ahead)
    await pairings.ask(BOB, name="Bob", chat="2", code="B", now_ms=ahead)
    assert await pairings.pending(0) == []
    for who, code in ((ANN, "C"), (BOB, "D")):
        assert await pairings.ask(who, name="", chat="1", code=code, now_ms=0) is not None
    assert [each.code for each in await pairings.pending(0)] == ["C", "D"]


async def test_attempts_of_a_wrong_clock_shut_nobody_out(pairings: PairingRepository) -> None:
    """They lie in the future, where no hour that counts can be."""
    ahead = 10 * 365 * 24 * 3_600_000
    assert await pairings.may_try(ANN, limit=1, now_ms=ahead)
    assert not await pairings.may_try(ANN, limit=1, now_ms=ahead)
    assert await pairings.may_try(ANN, limit=1, now_ms=0)


async def test_a_link_code_of_a_wrong_clock_is_no_code(database: Database) -> None:
    """It would be good for years."""
    links = LinkRepository(database)
    await links.offer(ANN, chat="1", code_hash="h", now_ms=10 * 365 * 24 * 3_600_000)
    assert await links.link(BOB, chat="2", code_hash="h", now_ms=0) is None
