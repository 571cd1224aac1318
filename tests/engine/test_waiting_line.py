"""The line is fair between users and bounded."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.waiting_line import WaitingLine
from bot.errors import QueueFullError


@dataclass(frozen=True)
class Waiting:
    """A request in the line."""

    user: str
    number: int


def line(*users: str, limit: int = 100, limit_per_user: int = 100) -> WaitingLine[Waiting]:
    """A line in which one request of each named user waits, in this order."""
    made: WaitingLine[Waiting] = WaitingLine(limit=limit, limit_per_user=limit_per_user)
    for number, user in enumerate(users):
        made.add(Waiting(user, number))
    return made


def served(made: WaitingLine[Waiting]) -> str:
    """The users in the order in which they are served one at a time."""
    return "".join(made.take(Counter()).user for _ in range(len(made)))


def test_one_user_is_served_first_come_first_served() -> None:
    """The requests of one user keep their order."""
    made = line("a", "a", "a")
    assert [made.take(Counter()).number for _ in range(3)] == [0, 1, 2]


def test_users_take_turns() -> None:
    """A user with many requests alternates with one who has few."""
    assert served(line(*"aaaabb")) == "ababaa"


def test_a_newcomer_waits_for_one_reply_only() -> None:
    """Whoever comes while another's long line is served is next."""
    made = line(*"aaaaaaaaaa")
    made.take(Counter())
    made.add(Waiting("b", 99))
    assert made.take(Counter()).user == "b"


def test_a_user_who_is_being_served_yields() -> None:
    """The user with fewer running requests goes first."""
    assert line("a", "b").take(Counter(a=1)).user == "b"


def test_newcomers_do_not_starve_a_regular() -> None:
    """Two users who always come back at once do not keep a third one waiting for ever."""
    made = line("c")
    order = []
    for _ in range(4):
        for user in "ab":
            made.add(Waiting(user, 0))
        order += [made.take(Counter()).user, made.take(Counter()).user]
    assert "c" in order[:3]


def test_a_full_line_refuses() -> None:
    """The bound of the whole line holds."""
    made = line("a", "b", limit=2)
    with pytest.raises(QueueFullError, match="Too many people"):
        made.add(Waiting("c", 9))
    assert len(made) == 2


def test_a_user_cannot_fill_the_line() -> None:
    """The bound of one user's part holds, and others still get in."""
    made = line("a", "a", limit_per_user=2)
    with pytest.raises(QueueFullError, match="2 messages waiting"):
        made.add(Waiting("a", 9))
    made.add(Waiting("b", 9))


def test_a_refused_first_request_leaves_nothing() -> None:
    """A user whose only request was refused is not in the line."""
    made = line("a", limit=1)
    with pytest.raises(QueueFullError):
        made.add(Waiting("b", 1))
    assert [request.user for request in made.requests()] == ["a"]


def test_a_removed_request_is_gone() -> None:
    """A cancelled request leaves the line once."""
    made = line("a", "b")
    first = made.requests()[0]
    assert made.remove(first)
    assert not made.remove(first)
    assert served(made) == "b"


@given(st.lists(st.sampled_from("abcd"), max_size=30), st.data())
def test_the_announced_order_is_the_order_of_service(users: list[str], data: st.DataObject) -> None:
    """`order` foretells `take`, and looking changes nothing."""
    made = line(*users)
    for _ in range(data.draw(st.integers(0, len(users)))):
        made.take(Counter())
    announced = made.order(Counter())
    assert announced == [made.take(Counter()) for _ in range(len(made))]
    assert len(made) == 0
