"""How a reply gets onto a chat."""

import asyncio
from dataclasses import replace

import pytest

from bot.adapter import StreamMode
from bot.chat.delivery import Delivery
from bot.chat.notice import Notice
from bot.errors import (
    ChatGoneError,
    ChatMovedError,
    FormatRefusedError,
    MessageGoneError,
    NotSentError,
    RateLimitedError,
)
from bot.messages import (
    Button,
    ChatAddress,
    FinishReason,
    OutgoingMessage,
    ReplyDelta,
    ReplyDone,
    ReplyError,
    ReplyFacts,
)
from tests.support.delivery_bench import DeliveryBench, Feed
from tests.support.recording_target import RecordingTarget
from tests.support.scripted_core import FACTS


def _delta(text: str) -> ReplyDelta:
    return ReplyDelta(text=text)


def _growing(text: str) -> OutgoingMessage:
    return OutgoingMessage(text=text, final=False)


async def _settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_edits_keep_the_platforms_pace_and_the_latest_text_wins() -> None:
    """The first words are sent at once; what comes during the pause goes out as one edit after it."""
    bench = DeliveryBench(RecordingTarget(edit_interval_s=1.5))
    target, clock = bench.target, bench.clock
    async with bench.running() as (feed, _, run):
        feed.put(_delta("a"))
        await clock.asleep(1)
        feed.put(_delta("b"), _delta("c"))
        clock.advance(1.4)
        await _settle()
        assert target.calls == [("send", _growing("a"))]
        clock.advance(0.1)
        await clock.asleep(1)
        assert target.calls[1:] == [("edit", _growing("abc"))]
        feed.put(_delta("d"), ReplyDone(text="abcd"), None)
        await run
    assert target.calls[2:] == [("edit", OutgoingMessage(text="abcd"))]


async def test_a_long_reply_is_edited_more_slowly() -> None:
    """A message that is nearly full takes twice the pause, a second message more."""
    bench = DeliveryBench(RecordingTarget(edit_interval_s=1.0, max_length=100))
    async with bench.running() as (feed, delivery, run):
        feed.put(_delta("a" * 100))
        await bench.clock.asleep(1)
        assert delivery._interval_s == 2.0
        feed.put(_delta(" " + "b" * 50))
        bench.clock.advance(2)
        await bench.clock.asleep(1)
        assert len(bench.target.messages) == 2
        assert delivery._interval_s == 2.0
        feed.put(ReplyDone(text="a" * 100 + " " + "b" * 50), None)
        await run


async def test_one_edit_is_in_flight_at_a_time() -> None:
    """While the platform is slow nothing else is sent, and the end waits for it, so it cannot be overtaken."""
    bench = DeliveryBench(RecordingTarget(edit_interval_s=0))
    bench.target.gate.clear()
    async with bench.running() as (feed, _, run):
        feed.put(_delta("a"))
        await bench.target.until(lambda shown: len(shown.calls) == 1)
        feed.put(_delta("b"), ReplyDone(text="ab"), None)
        await _settle()
        assert len(bench.target.calls) == 1
        bench.target.gate.set()
        await run
    assert [method for method, _ in bench.target.calls] == ["send", "edit"]
    assert bench.target.reply == "ab"


async def test_a_short_reply_may_be_sent_once() -> None:
    """Without a pause for streaming there is only the final message."""
    bench = DeliveryBench()
    await bench.deliver(ReplyDone(text="hi"))
    assert bench.target.calls == [("send", OutgoingMessage(text="hi"))]


@pytest.mark.parametrize(("stream", "calls"), [("off", ["send"]), ("draft", ["draft", "draft", "send"])])
async def test_a_platform_may_want_no_edits(stream: StreamMode, calls: list[str]) -> None:
    """With `off` only the end is shown, with `draft` what is written is shown as such."""
    bench = DeliveryBench(RecordingTarget(stream=stream))
    async with bench.running() as (feed, _, run):
        feed.put(_delta("a"))
        if stream == "draft":
            await bench.clock.asleep(1)
            feed.put(_delta("b"))
            bench.clock.advance(1)
            await bench.clock.asleep(1)
        feed.put(ReplyDone(text="ab"), None)
        await run
    assert [method for method, _ in bench.target.calls] == calls
    assert bench.target.reply == "ab"


async def test_nothing_but_space_is_not_sent() -> None:
    """Platforms refuse an empty message."""
    bench = DeliveryBench()
    async with bench.running() as (feed, _, run):
        feed.put(_delta("\n "))
        await _settle()
        assert bench.target.calls == []
        feed.put(_delta("a"))
        await bench.clock.asleep(1)
        assert bench.target.calls == [("send", _growing("a"))]
        feed.put(ReplyDone(text="a"), None)
        await run


async def test_an_error_follows_what_was_written() -> None:
    """The partial text stands as it is, and the error is a message of its own with its code."""
    bench = DeliveryBench()
    await bench.deliver(_delta("half"), ReplyError(code="queue_full", text="Full.", partial="half"))
    assert bench.target.replies == ["half", "Full."]
    assert bench.target.errors == ["queue_full"]


async def test_a_notice_is_told_apart_from_the_reply() -> None:
    """It comes as a message of its own, marked."""
    bench = DeliveryBench()
    await bench.deliver(Notice(text="cut"), ReplyDone(text="a"))
    assert bench.target.notices == ["cut"]
    assert bench.target.reply == "a"


async def test_a_long_reply_grows_over_several_messages() -> None:
    """Earlier messages are frozen as they are full, the last one grows, and together they are the reply."""
    text = "".join(f"Sentence number {number} of many. " for number in range(40))
    bench = DeliveryBench(RecordingTarget(edit_interval_s=1, max_length=200))
    async with bench.running() as (feed, _, run):
        for start in range(0, len(text), 70):
            feed.put(_delta(text[start : start + 70]))
            await bench.clock.asleep(1)
            bench.clock.advance(10)
        feed.put(ReplyDone(text=text.strip()), None)
        await run
    assert " ".join(bench.target.replies) == text.strip()
    sends = [message.text for method, message in bench.target.calls if method == "send"]
    assert len(sends) == len(bench.target.replies)
    assert len(bench.target.calls) < 50


async def test_a_pause_that_the_platform_wants_is_kept_and_the_end_arrives() -> None:
    """A flood limit of 30 s in the middle of a reply: nothing is called meanwhile, and then all of it is there."""
    bench = DeliveryBench()
    async with bench.running() as (feed, _, run):
        feed.put(_delta("a"))
        await bench.clock.asleep(1)
        bench.target.errors_of["edit"] = [RateLimitedError(30)]
        feed.put(_delta("b"))
        bench.clock.advance(1)
        await bench.clock.asleep(1)
        calls = len(bench.target.calls)
        feed.put(_delta("c"))
        bench.clock.advance(29)
        await _settle()
        feed.put(ReplyDone(text="abc"), None)
        await bench.clock.asleep(1)
        await _settle()
        assert len(bench.target.calls) == calls
        bench.clock.advance(1)
        await run
    assert bench.target.reply == "abc"


async def test_a_flood_limit_at_the_end_is_waited_out() -> None:
    """The last edit is refused twice, and done when the platform says so."""
    bench = DeliveryBench()
    bench.target.errors_of["send"] = [RateLimitedError(20), RateLimitedError(5)]
    task = asyncio.create_task(bench.deliver(ReplyDone(text="a")))
    for pause in (20, 5):
        await bench.clock.asleep(1)
        bench.clock.advance(pause)
    await task
    assert bench.target.reply == "a"
    assert bench.target.notices == []


async def test_a_pause_counts_for_every_answer_in_its_chat() -> None:
    """The platform has told one of them, and none of the others asks before it is over."""
    bench = DeliveryBench()
    bench.target.errors_of["send"] = [RateLimitedError(30)]
    first = asyncio.create_task(bench.deliver(ReplyDone(text="a")))
    await bench.clock.asleep_for(30)
    second = asyncio.create_task(bench.deliver(ReplyDone(text="b")))
    await _settle()
    bench.clock.advance(29)
    await _settle()
    assert len(bench.target.calls) == 1
    bench.clock.advance(1)
    await asyncio.gather(first, second)
    assert bench.target.replies == ["a", "b"]


async def test_a_network_that_comes_back_gets_the_end_once() -> None:
    """What certainly was not sent is sent again without a mark."""
    bench = DeliveryBench()
    bench.clock.hurried = True
    bench.target.errors_of["send"] = [NotSentError("no route"), NotSentError("no route")]
    await bench.deliver(ReplyDone(text="a"))
    assert bench.target.replies == ["a"]
    assert bench.target.notices == []


async def test_what_may_be_there_twice_is_marked() -> None:
    """A send whose answer went missing may have been shown: the second copy is followed by a word on it."""
    bench = DeliveryBench()
    bench.clock.hurried = True
    bench.target.lost = True
    bench.target.errors_of["send"] = [ConnectionError("reset")]
    task = asyncio.create_task(bench.deliver(ReplyDone(text="a")))
    await bench.target.until(lambda shown: len(shown.calls) == 1)
    bench.target.lost = False
    await task
    assert bench.target.replies == ["a", "a"]
    assert "twice" in bench.target.notices[0]


async def test_parts_stay_in_order_when_a_send_fails_half_way() -> None:
    """The second of three messages fails: the third waits for it."""
    bench = DeliveryBench(RecordingTarget(max_length=100))
    bench.clock.hurried = True
    paragraphs = ["a" * 90, "b" * 90, "c" * 90]
    bench.target.errors_of["send"] = [None, NotSentError("x"), NotSentError("x")]
    await bench.deliver(ReplyDone(text="\n\n".join(paragraphs)))
    assert bench.target.replies == paragraphs


async def test_what_never_gets_through_is_left_to_the_outbox() -> None:
    """After two minutes the next answer in the chat is not held up any longer."""
    bench = DeliveryBench(patience_s=10)
    bench.clock.hurried = True
    bench.target.broken = {"send"}
    await bench.deliver(ReplyDone(text="a"))
    assert bench.clock.now() < 1030
    assert bench.target.messages == {}


async def test_formatting_that_is_refused_is_sent_plain() -> None:
    """The same text, split as plain text where that needs more room."""
    bench = DeliveryBench(RecordingTarget(max_length=100, measure=lambda text: len(text.replace("*", ""))))
    bench.target.errors_of["send"] = [FormatRefusedError()]
    text = "**word** " * 16
    await bench.deliver(ReplyDone(text=text.strip()))
    shown = list(bench.target.messages.values())
    assert [message.plain for message in shown] == [True, True]
    assert " ".join(message.text for message in shown) == text.strip()


async def test_a_message_that_was_deleted_is_sent_anew() -> None:
    """The person deleted the growing message, or it is too old: the reply arrives all the same."""
    bench = DeliveryBench()
    async with bench.running() as (feed, _, run):
        feed.put(_delta("a"))
        await bench.clock.asleep(1)
        bench.target.errors_of["edit"] = [MessageGoneError()]
        feed.put(ReplyDone(text="ab"), None)
        await run
    assert bench.target.calls[-1] == ("send", OutgoingMessage(text="ab"))


async def test_a_first_send_that_fails_is_tried_again_with_the_next_text() -> None:
    """A hiccup of the network at the start does not silence the stream."""
    bench = DeliveryBench()
    bench.target.errors_of["send"] = [NotSentError("x")]
    async with bench.running() as (feed, _, run):
        feed.put(_delta("a"))
        await bench.clock.asleep(1)
        feed.put(_delta("b"))
        await _settle()
        bench.clock.advance(1)
        await bench.clock.asleep(1)
        assert bench.target.messages == {"1": _growing("ab")}
        feed.put(ReplyDone(text="ab"), None)
        await run
    assert bench.target.reply == "ab"


async def test_a_chat_that_is_gone_is_not_tried_again() -> None:
    """Blocked in the middle of a reply: its writing is stopped, and the outbox told once."""
    bench = DeliveryBench()
    stopped: list[bool] = []
    async with bench.running() as (feed, delivery, run):
        delivery.lost = lambda: stopped.append(True)
        feed.put(_delta("a"))
        await bench.clock.asleep(1)
        bench.target.errors_of["edit"] = [ChatGoneError("blocked"), ChatGoneError("blocked")]
        feed.put(_delta("b"))
        bench.clock.advance(1)
        await bench.clock.asleep(1)
        assert stopped == [True]
        feed.put(ReplyDone(text="ab"), None)
        await run
    assert [address.chat for address in bench.exits.dropped] == ["1"]


async def test_a_chat_that_has_moved_gets_the_reply_in_its_new_place() -> None:
    """A group that became a supergroup: all of the reply is there, none of it twice."""
    bench, there = DeliveryBench(), RecordingTarget()
    bench.exits.new_home = there, ChatAddress(adapter="test", chat="2")
    bench.target.errors_of["send"] = [ChatMovedError("2")]
    await bench.deliver(ReplyDone(text="a"))
    assert there.reply == "a"
    assert bench.target.messages == {}


async def test_typing_ends_with_the_first_words() -> None:
    """The growing text is the sign from then on."""
    bench = DeliveryBench(RecordingTarget(edit_interval_s=100))
    async with bench.running() as (feed, delivery, run):
        delivery.start_typing()
        await bench.clock.asleep(1)
        feed.put(_delta("a"))
        await bench.target.until(lambda shown: bool(shown.calls))
        bench.clock.advance(50)
        await _settle()
        assert bench.target.typed == 1
        feed.put(ReplyDone(text="a"), None)
        await run


async def test_the_place_in_the_line_is_one_message_that_goes_away() -> None:
    """Said after three seconds, edited in place, with a button, and deleted when the reply begins."""
    bench = DeliveryBench(RecordingTarget(buttons=True))
    async with bench.running() as (feed, delivery, run):
        delivery.wait(2, 40)
        await bench.clock.asleep(1)
        bench.clock.advance(2.9)
        await _settle()
        assert bench.target.calls == []
        bench.clock.advance(0.1)
        await bench.clock.asleep(1)
        (notice,) = bench.target.messages.values()
        assert notice.text == "2nd in line, about 40 s"
        assert notice.buttons == (Button(label="Cancel", command="/stop"),)
        assert delivery.shows("1")
        delivery.wait(1, 19)
        bench.clock.advance(1)
        await bench.clock.asleep(1)
        assert [message.text for message in bench.target.messages.values()] == ["Next in line, about 20 s"]
        feed.put(_delta("a"))
        await bench.target.until(lambda shown: shown.calls[-1][0] == "send" and shown.sent > 1)
        assert [message.text for message in bench.target.messages.values()] == ["a"]
        feed.put(ReplyDone(text="a"), None)
        await run
    assert [method for method, _ in bench.target.calls].count("delete") == 1


@pytest.mark.parametrize("error", [RateLimitedError(1.0), NotSentError("no route"), ConnectionError("broken")])
async def test_a_message_that_could_not_be_completed_in_passing_is_completed_in_the_end(error: Exception) -> None:
    """The reply has gone on to a second message when the last edit of the first one fails: nothing is missing."""
    bench = DeliveryBench(RecordingTarget(max_length=20))
    bench.target.errors_of["edit"] = [error]
    async with bench.running() as (feed, _, run):
        feed.put(_delta("one two"))
        await bench.target.until(lambda shown: shown.sent == 1)
        feed.put(_delta(" three four five six seven"))
        await bench.clock.asleep(1)
        bench.clock.hurried = True
        bench.clock.advance(10)
        await bench.target.until(lambda shown: "edit" in [method for method, _ in shown.calls])
        feed.put(ReplyDone(text="one two three four five six seven"), None)
        await run
    assert " ".join(bench.target.replies) == "one two three four five six seven"


async def test_buttons_stand_under_what_they_are_about() -> None:
    """Stop while it is written; Retry under the end, and Continue where it was cut by its length."""
    bench = DeliveryBench(RecordingTarget(buttons=True))
    async with bench.running() as (feed, _, run):
        feed.put(_delta("a"))
        await bench.clock.asleep(1)
        assert [button.label for button in bench.target.messages["1"].buttons] == ["Stop"]
        feed.put(ReplyDone(text="a", facts=_facts("length")), None)
        await run
    assert [button.command for button in bench.target.messages["1"].buttons] == ["/retry", "/continue"]
    await bench.deliver(ReplyDone(text="b", facts=_facts("stop")))
    assert [button.command for button in bench.target.messages["2"].buttons] == ["/retry"]
    assert bench.target.messages["1"].buttons == ()


async def test_buttons_can_be_left_out() -> None:
    """By the owner, and by the platform; answers of commands have none."""
    bench = DeliveryBench(RecordingTarget(buttons=True), buttons=())
    await bench.deliver(ReplyDone(text="a", facts=_facts("length")))
    other = DeliveryBench()
    await other.deliver(ReplyDone(text="a", facts=_facts("length")))
    third = DeliveryBench(RecordingTarget(buttons=True))
    await third.deliver(ReplyDone(text="a"))
    assert all(not message.buttons for each in (bench, other, third) for message in each.target.messages.values())


async def test_long_code_comes_as_a_file_besides() -> None:
    """Whole and with its language's suffix; short code does not."""
    code = "".join(f"print({number})\n" for number in range(400))
    bench = DeliveryBench(RecordingTarget(max_length=2000))
    await bench.deliver(ReplyDone(text=f"```sh\nls\n```\n\n```python\n{code}```\nDone."))
    assert bench.target.files == {"code-1.py": code.encode()}


async def test_a_delivery_that_is_left_leaves_no_task() -> None:
    """Leaving early, by a cancel or an error, stops typing and streaming."""
    bench = DeliveryBench()
    bench.target.gate.clear()
    async with Delivery(bench.route()) as delivery:
        delivery.start_typing()
        delivery.wait(1)
        feed = Feed()
        feed.put(_delta("a"))
        run = asyncio.create_task(delivery.run(feed))
        await bench.target.until(lambda shown: bool(shown.calls))
        run.cancel()
    await asyncio.wait({run})
    assert asyncio.all_tasks() == {asyncio.current_task()}


def _facts(finish_reason: FinishReason) -> ReplyFacts:
    return replace(FACTS, finish_reason=finish_reason)
