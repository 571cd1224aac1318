"""The short version of the benchmark `chats`."""

from benchmarks.chats import Load


async def test_nothing_is_lost_with_many_chats_on_two_platforms() -> None:
    """Every reply is complete, once and in order, in each of the chats, and no platform had to refuse anything.

    People write faster here than the platforms allow a bot to answer.
    """
    load = Load(chats=3, goes_on=lambda asked: asked < 2, pause_s=0.2, words_per_s=80, long=350)
    await load.run()
    assert load.exit_code == 0
    assert load.refused == {"discord": 0, "telegram": 0}
    talks = [(name, number, talk) for name, each in load.talks.items() for number, talk in enumerate(each)]
    assert len(talks) == 6
    for name, number, talk in talks:
        assert list(talk.shown) == talk.wanted, (name, number)
