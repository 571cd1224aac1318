"""What the benchmarks' users say."""

from benchmarks.workload import NAMES, QUESTIONS, question
from bot.engine.runner import Runner
from tests.support.real_engine import load_params


def test_all_messages_are_equally_long() -> None:
    """So that the time of a turn tells of the history before it only."""
    runner = Runner(load_params())
    words = {
        len(runner.vocabulary.tokenize(question(user, turn).encode()))
        for user in range(len(NAMES))
        for turn in range(len(QUESTIONS))
    }
    runner.close()
    assert words == {22}
