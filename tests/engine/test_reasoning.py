"""The splitter of thoughts and answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.reasoning import (
    REASONING_TAGS,
    ReasoningSplitter,
    ReasoningTags,
    control_texts_in_tags,
    open_thought,
)

THINK = REASONING_TAGS[0]
FRAGMENTS = [
    *(tags.open_tag for tags in REASONING_TAGS),
    *(tags.close_tag for tags in REASONING_TAGS),
    "<|channel|>final<|message|>",
    "<",
    "</",
    "think",
    ">",
    "\n",
    " ",
    "\t",
    "a",
    "answer",
    "`",
]
texts = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=3)), max_size=12).map("".join)


def split(pieces: list[str], started: ReasoningTags | None = None) -> tuple[str, str]:
    """The thoughts and the answer of a reply that comes in `pieces`."""
    splitter = ReasoningSplitter(started)
    found = [piece for text in pieces for piece in splitter.feed(text)] + splitter.flush()
    return (
        "".join(piece.text for piece in found if piece.reasoning),
        "".join(piece.text for piece in found if not piece.reasoning),
    )


@pytest.mark.parametrize("tags", REASONING_TAGS, ids=lambda tags: tags.open_tag)
def test_every_family(tags: ReasoningTags) -> None:
    """Each known pair of tags separates the thought from the answer, and its closing text does so too."""
    assert split([f"{tags.open_tag}hm{tags.close_tag}Yes."]) == ("hm", "Yes.")
    thought, answer = split([f"{tags.open_tag}hm", tags.close_text, "Yes."])
    assert (thought.strip(), answer) == ("hm", "Yes.")


@pytest.mark.parametrize(
    ("reply", "thoughts", "answer"),
    [
        ("Hello.", "", "Hello."),
        ("  Hello. ", "", "  Hello. "),
        ("<think>\n\n</think>\n\nHello.", "", "Hello."),
        ("\n<think>\nhm\n</think>\n\nHello.\n", "hm\n", "Hello.\n"),
        ("<think>never closed </th", "never closed </th", ""),
        ("<thin", "", "<thin"),
        ("Use `<think>` and </think> so.", "", "Use `<think>` and </think> so."),
        ("Like:\n<think>\na\n</think>\nb", "", "Like:\n<think>\na\n</think>\nb"),
        ("</think>\n\nHello.", "", "Hello."),
        ("hm\n</think>\n\nHello.", "", "hm\n\nHello."),
        ("<think>a</think>\n<think>b</think>\nc", "ab", "c"),
        ("<think>a</think>b\n</think>\nc", "a", "b\nc"),
        ("<|channel|>final<|message|>Hello.", "", "Hello."),
        ("", "", ""),
    ],
)
def test_examples(reply: str, thoughts: str, answer: str) -> None:
    """Thoughts, answers, stray tags and talk about tags come out as a reader expects, whole or letter by letter."""
    assert split([reply]) == (thoughts, answer)
    assert split(list(reply)) == (thoughts, answer)


@pytest.mark.parametrize("reply", ["hm</think>\nYes.", "<think>\nhm</think>\nYes.", "\n\nhm</think>Yes."])
def test_thought_opened_by_the_prompt(reply: str) -> None:
    """A reply to a prompt that opened the thought begins inside it, also when the model opens it again."""
    assert split(list(reply), THINK) == ("hm", "Yes.")


@pytest.mark.parametrize("tags", REASONING_TAGS, ids=lambda tags: tags.open_tag)
def test_open_thought_in_a_prompt(tags: ReasoningTags) -> None:
    """A thought is open where the prompt ends with an opening tag and white space, and nowhere else."""
    assert open_thought(f"<|user|>hi<|assistant|>{tags.open_tag}\n") is tags
    assert open_thought(f"{tags.open_tag}\n\n{tags.close_tag}\n\n") is None
    assert open_thought(f"what is {tags.open_tag}?<|assistant|>") is None


def test_budget_runs_out() -> None:
    """Inside a thought the splitter knows the text that ends it; outside it knows that there is nothing to end."""
    splitter = ReasoningSplitter()
    assert splitter.close_text == ""
    splitter.feed("<think>on and on")
    assert splitter.thinking
    assert splitter.close_text == "\n</think>\n\n"
    splitter.feed(splitter.close_text)
    assert not splitter.thinking
    assert splitter.close_text == ""
    assert [piece.text for piece in splitter.feed("So: 4")] == ["So: 4"]


def test_nothing_is_held_without_need() -> None:
    """Plain text passes at once; only what may be a part of a tag waits."""
    splitter = ReasoningSplitter()
    assert [piece.text for piece in splitter.feed("Hello <thi")] == ["Hello <thi"]
    splitter = ReasoningSplitter(THINK)
    assert [piece.text for piece in splitter.feed("so < </thi")] == ["so < "]
    assert [piece.text for piece in splitter.feed("s")] == ["</this"]


def test_control_tokens_the_tags_need() -> None:
    """The control tokens that tags are made of are told from the others."""
    texts = {"<|channel|>", "<|message|>", "<|im_end|>", "[THINK]", "<s>"}
    assert control_texts_in_tags(texts) == {"<|channel|>", "<|message|>", "[THINK]"}


@given(reply=texts, cuts=st.lists(st.integers(0, 200)), started=st.sampled_from([None, *REASONING_TAGS]))
def test_any_division_gives_the_same(reply: str, cuts: list[int], started: ReasoningTags | None) -> None:
    """How a reply is cut into pieces makes no difference."""
    ends = sorted({min(cut, len(reply)) for cut in cuts} | {len(reply)})
    pieces = [reply[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    assert split(pieces, started) == split([reply], started) == split(list(reply), started)


@given(parts=st.lists(st.sampled_from([*FRAGMENTS[:21], *"0123456789"]), max_size=20))
def test_nothing_is_lost_or_made_up(parts: list[str]) -> None:
    """Thoughts and answer together are the reply in its order, without some tags and white space."""
    splitter = ReasoningSplitter()
    reply = "".join(parts)
    shown = "".join(piece.text for piece in [*splitter.feed(reply), *splitter.flush()])
    rest = iter(reply)
    assert all(letter in rest for letter in shown)
    assert [letter for letter in shown if letter.isdigit()] == [part for part in parts if part.isdigit()]


@given(text=st.text(st.characters(exclude_characters="<[◁"), min_size=1))
def test_text_without_tags_is_untouched(text: str) -> None:
    """A reply without tags is its own answer, to the last blank."""
    assert split([text]) == ("", text)
