"""The repositories against a model of them in memory, over random histories."""

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.errors import StorageError
from bot.messages import ConversationKey, ReplyFacts, Timings, Usage
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.database import Database
from bot.storage.records import Conversation, TurnStatus
from bot.storage.turn_repository import TurnRepository

FACTS = ReplyFacts(
    finish_reason="stop",
    usage=Usage(prompt_tokens=9, cached_tokens=5, completion_tokens=3),
    timings=Timings(queue_ms=0.0, prefill_ms=1.0, ttft_ms=1.0, decode_ms=2.0),
)
USERS = st.sampled_from(["ada", "bob"])
TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)
CHOICES = st.integers(0, 99)


@dataclass(slots=True)
class ExpectedTurn:
    """What a turn should be."""

    conversation: int
    text: str
    status: TurnStatus = "pending"
    reply: str | None = None


class StorageMachine(RuleBasedStateMachine):
    """Two people who talk, retry, edit, undo, begin anew and forget, while the program restarts now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.current: dict[str, Conversation] = {}
        self.owner: dict[int, str] = {}
        self.model: dict[int, ExpectedTurn] = {}
        self.open()

    def open(self) -> None:
        """Open the file, as at the start of the program."""
        self.database = self.runner.run(Database.open(self.folder / "bot.db", busy_timeout_s=5))
        self.conversations = ConversationRepository(self.database)
        self.turns = TurnRepository(self.database)

    def teardown(self) -> None:
        """Close and remove everything."""
        self.runner.run(self.database.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)

    def key(self, user: str) -> ConversationKey:
        """The one place where `user` talks."""
        return ConversationKey(adapter="console", chat="1", thread="", user=user)

    def conversation(self, user: str) -> Conversation:
        """The current conversation, checked against the expected one."""
        found = self.runner.run(self.conversations.current(self.key(user), default_persona="hearth"))
        assert self.current.setdefault(user, found) == found
        self.owner[found.id] = user
        return found

    def pick(self, choice: int) -> int:
        """One of all turns there ever were, the deleted ones excepted."""
        return sorted(self.model)[choice % len(self.model)]

    @rule(user=USERS, text=TEXTS)
    def begin(self, user: str, text: str) -> None:
        """A message comes in."""
        place = self.conversation(user)
        turn = self.runner.run(self.turns.begin(place.id, message_id=text, sender_name="", text=text, persona="hearth"))
        assert turn.id > max(self.model, default=0)
        self.model[turn.id] = ExpectedTurn(conversation=place.id, text=text)

    @precondition(lambda self: self.model)
    @rule(choice=CHOICES, reply=TEXTS)
    def finish(self, choice: int, reply: str) -> None:
        """A reply is complete."""
        turn_id = self.pick(choice)
        expected = self.model[turn_id]
        kept = self.runner.run(self.turns.finish(turn_id, reply=reply, reasoning="", facts=FACTS))
        assert kept == (expected.status != "discarded")
        if kept:
            expected.status, expected.reply = "done", reply

    @precondition(lambda self: self.model)
    @rule(choice=CHOICES)
    def fail(self, choice: int) -> None:
        """A reply fails."""
        turn_id = self.pick(choice)
        expected = self.model[turn_id]
        kept = self.runner.run(self.turns.fail(turn_id, error_code="queue_full"))
        assert kept == (expected.status != "discarded")
        if kept:
            expected.status = "failed" if expected.reply is None else "done"

    @precondition(lambda self: self.model)
    @rule(choice=CHOICES, text=st.none() | TEXTS)
    def restart(self, choice: int, text: str | None) -> None:
        """A retry, or an edited message."""
        turn_id = self.pick(choice)
        expected = self.model[turn_id]
        try:
            self.runner.run(self.turns.restart(turn_id, text=text))
        except StorageError:
            assert expected.status == "discarded"
            return
        assert expected.status != "discarded"
        expected.status = "pending"
        if text is not None and text != expected.text:
            expected.text, expected.reply = text, None

    @precondition(lambda self: self.model)
    @rule(choice=CHOICES)
    def take_back(self, choice: int) -> None:
        """An undo of a turn and all after it."""
        turn_id = self.pick(choice)
        place = self.model[turn_id].conversation
        hit = [
            turn
            for number, turn in self.model.items()
            if turn.conversation == place and number >= turn_id and turn.status != "discarded"
        ]
        assert self.runner.run(self.turns.discard_from(place, turn_id)) == len(hit)
        for turn in hit:
            turn.status = "discarded"

    @rule(user=USERS)
    def start_new(self, user: str) -> None:
        """A new conversation."""
        self.current[user] = self.runner.run(self.conversations.start_new(self.key(user), persona="hearth"))
        self.owner[self.current[user].id] = user

    @rule(user=USERS, start=st.integers(0, 30))
    def cut(self, user: str, start: int) -> None:
        """The context is cut, and the persona changed with it."""
        place = self.conversation(user)
        self.runner.run(self.conversations.set_context_start(place.id, start))
        self.runner.run(self.conversations.set_persona(place.id, f"persona {start}"))
        self.current[user] = replace(place, context_start=start, persona=f"persona {start}")

    @rule(user=USERS)
    def forget(self, user: str) -> None:
        """Everything of one person is deleted."""
        places = {place for place, owner in self.owner.items() if owner == user}
        assert self.runner.run(self.conversations.forget_user("console", user)) == len(places)
        self.current.pop(user, None)
        self.owner = {place: owner for place, owner in self.owner.items() if place not in places}
        self.model = {number: turn for number, turn in self.model.items() if turn.conversation not in places}

    @rule()
    def restart_program(self) -> None:
        """The program ends and starts."""
        self.runner.run(self.database.aclose())
        self.open()
        pending = [turn for turn in self.model.values() if turn.status == "pending"]
        assert self.runner.run(self.turns.recover()) == len(pending)
        for turn in pending:
            turn.status = "interrupted" if turn.reply is None else "done"

    @invariant()
    def lists_agree(self) -> None:
        """Every list of every current conversation is what the model says."""
        for place in self.current.values():
            expected = {
                number: turn
                for number, turn in self.model.items()
                if turn.conversation == place.id and turn.status != "discarded"
            }
            found = self.runner.run(self.turns.all(place.id))
            assert [(turn.id, turn.text, turn.status, turn.reply) for turn in found] == [
                (number, turn.text, turn.status, turn.reply) for number, turn in sorted(expected.items())
            ]
            assert self.runner.run(self.turns.last(place.id)) == (found[-1] if found else None)
            assert self.runner.run(self.turns.context(place)) == [
                turn for turn in found if turn.status == "done" and turn.id >= place.context_start
            ]

    @invariant()
    def totals_agree(self) -> None:
        """Sums are over what the person still has."""
        for user in ("ada", "bob"):
            totals = self.runner.run(self.turns.totals("console", user))
            kept = [
                turn
                for turn in self.model.values()
                if self.owner[turn.conversation] == user and turn.status != "discarded"
            ]
            assert totals.conversations == list(self.owner.values()).count(user)
            assert totals.turns == len(kept)
            assert totals.completion_tokens == 3 * sum(turn.reply is not None for turn in kept)


TestStorageMachine = StorageMachine.TestCase
TestStorageMachine.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
