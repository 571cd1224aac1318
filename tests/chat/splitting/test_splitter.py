"""Long texts become messages that each stand by themselves."""

import re

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from bot.chat.splitting.part import Part
from bot.chat.splitting.splitter import Splitter

LIMIT = 60


def _shown(text: str, limit: int = LIMIT) -> list[str]:
    return [part.text for part in Splitter(max_length=limit).split(text)]


def test_a_text_that_fits_is_one_part_as_it_is() -> None:
    """Nothing is touched, not even space around it."""
    assert _shown(" a\n") == [" a\n"]


def test_without_a_limit_there_is_one_part() -> None:
    """A console takes any length."""
    assert len(Splitter(max_length=None).split("word " * 10_000)) == 1


def test_paragraphs_stay_whole() -> None:
    """The cut is between two of them, however much more would fit."""
    assert _shown("one " * 8 + "\n\n" + "two " * 10) == ["one " * 7 + "one", ("two " * 10).strip()]


def test_lines_then_sentences_then_words_are_kept_whole() -> None:
    """Each only gives way where it would leave the message nearly empty."""
    assert _shown("a" * 50 + "\n" + "b" * 50) == ["a" * 50, "b" * 50]
    assert _shown("It is so. " * 8) == [("It is so. " * 6).strip(), "It is so. It is so."]
    assert _shown("abcdefg " * 10) == [("abcdefg " * 7).strip(), ("abcdefg " * 3).strip()]
    assert _shown("a" * 130) == ["a" * 60, "a" * 60, "a" * 10]


def test_a_short_beginning_does_not_become_a_message() -> None:
    """A line before a long paragraph goes with its first words."""
    first, *_ = _shown("Well:\n\n" + "word " * 30)
    assert first.startswith("Well:\n\nword")


def test_a_heading_stays_with_what_it_heads() -> None:
    """It goes over into the next message rather than standing last."""
    assert _shown("word " * 6 + "\n\n# Head\n\n" + "more " * 8)[1].startswith("# Head\n\nmore")


def test_code_is_closed_and_opened_again_with_its_language() -> None:
    """Each part is a block of code of its own, cut between two lines."""
    code = "".join(f"line_{number} = {number}\n" for number in range(9))
    parts = _shown(f"```python\n{code}```\nDone.")
    assert len(parts) > 2
    for part in parts:
        assert part.startswith("```python\nline_")
    for part in parts[:-1]:
        assert part.endswith("\n```")
    assert "".join(part.replace("```python\n", "").removesuffix("```") for part in parts[:-1]) in code
    assert parts[-1].endswith("\n```\nDone.")


def test_code_in_a_list_is_moved_to_the_margin() -> None:
    """Indented by more than three it would be opened as something else."""
    code = "".join(f"     x{number}()\n" for number in range(9))
    parts = _shown(f"1. Do:\n\n     ```sh\n{code}     ```\n2. Go")
    assert parts[1].startswith("```sh\nx")
    assert re.fullmatch(r"```sh\n(x\d\(\)\n)+```(\n2\. Go)?", parts[1])


def test_quotations_and_code_in_them_go_on() -> None:
    """The marks stand before every line, also one that was cut in its middle."""
    first, second = _shown("> " + "word " * 20)
    assert first.startswith("> word")
    assert second.startswith("> word")
    parts = _shown("> ```\n" + "> 0123456789\n" * 8 + "> ```")
    assert all(line.startswith("> ") for part in parts for line in part.splitlines())
    assert parts[1].splitlines()[0] == parts[1].splitlines()[-1] == "> ```"


def test_a_table_has_its_head_in_every_part() -> None:
    """The cut is between rows, never under the head."""
    head = "| a | b |\n|---|---|\n"
    rows = [f"| {number} | {'x' * 10} |" for number in range(8)]
    parts = _shown(head + "\n".join(rows))
    assert all(part.startswith(head + "| ") for part in parts)
    assert [row for part in parts for row in part.splitlines()[2:]] == rows


@pytest.mark.parametrize("marker", ["**", "*", "_", "~~", "||", "`", "**_", "***"])
def test_inline_markup_is_closed_and_opened_again(marker: str) -> None:
    """Both parts show what they contain as the whole would."""
    first, second = _shown(f"so {marker}{'word ' * 16}word{marker[::-1]} end")
    assert first.startswith(f"so {marker}word")
    assert first.endswith(f"word{marker[::-1]}")
    assert second.startswith(f"{marker}word")
    assert second.endswith(f"word{marker[::-1]} end")


def test_links_are_not_cut() -> None:
    """A link goes over whole, and is cut only where it is longer than a message."""
    link = "[the page](https://example.org/a_(b)/c)"
    assert _shown("word " * 7 + link)[1] == link
    parts = Splitter(max_length=LIMIT).split("[the page](https://example.org/" + "a" * 100 + ")")
    assert all(len(part.text) <= LIMIT for part in parts)


def test_the_length_that_counts_is_the_rendered_one() -> None:
    """Where rendering makes a text longer the parts are shorter."""
    doubled = Splitter(max_length=LIMIT, measure=lambda text: len(text) + text.count("-")).split("-" * 100)
    assert all(len(part.text) <= LIMIT // 2 for part in doubled)
    utf16 = Splitter(max_length=LIMIT, measure=lambda text: len(text.encode("utf-16-le")) // 2).split("😀" * 100)
    assert [len(part.text) for part in utf16] == [30, 30, 30, 10]


def test_an_emoji_of_several_characters_stays_whole() -> None:
    """Also where no other cut is allowed, and where a space has an accent of its own."""
    family = "👩‍👩‍👧‍👦"
    parts = _shown(family * 12 + " | a | b |\n|---|---|\n| 1 | 2 |")
    assert parts[0] == family * 8
    assert _shown("0" * 59 + " \u0300") == ["0" * 59, " \u0300"]


def test_plain_text_is_split_without_markup() -> None:
    """Nothing is closed and nothing opened where nothing is markup."""
    parts = Splitter(max_length=LIMIT, plain=True).split("```python\n" + "**x** " * 30)
    assert all("```" not in part.text for part in parts[1:])


def test_parts_that_were_sent_stay_as_they_are() -> None:
    """Given starts are kept, and the rest is split behind them."""
    text = "word " * 40
    parts = Splitter(max_length=LIMIT).split(text, starts=[20])
    assert (parts[0].start, parts[0].end) == (0, 20)
    assert parts[-1].end == len(text)


@given(st.text(), st.integers(20, 200))
@example("x" * 40 + "\n", 40)
def test_any_text_is_whole_and_within_the_limit(text: str, limit: int) -> None:
    """The slices are the text, each shown part fits, and no grapheme that fits is cut."""
    parts = Splitter(max_length=limit).split(text)
    _check(text, parts, limit)


BLOCKS = st.sampled_from(
    [
        "A sentence. And *one* more, with **bold words in it** and `code in it`!",
        "# Heading",
        "> quoted text that goes on and on\n> and on",
        "- item one\n  - item *two*\n    - item three is longer",
        "1. one\n\n   ```js\n   f(x)\n   g(y)\n   ```\n2. two",
        "```python\nfor x in y:\n    print(x)\n\n\nprint('done')\n```",
        "~~~\n```\n~~~",
        "| a | b |\n|---|:-:|\n| 1 | 2 |\n| 3 | **4** |",
        "word " * 30,
        "x" * 90,
        "👩‍👩‍👧‍👦" * 12,
        "[link](https://example.org/x) and <https://example.org> &amp; \\*",
        "```",
        "**open",
        "   ",
    ]
)


@given(st.lists(BLOCKS, max_size=12), st.sampled_from(["\n\n", "\n", " "]), st.integers(60, 300))
def test_markdown_is_whole_and_within_the_limit(blocks: list[str], joint: str, limit: int) -> None:
    """The same for texts that look like replies; besides, every block of code that was opened is closed."""
    text = joint.join(blocks)
    parts = Splitter(max_length=limit).split(text)
    _check(text, parts, limit)
    if joint == "\n\n" and not {"```", "~~~\n```\n~~~"} & set(blocks):
        for part in parts[:-1]:
            assert len(re.findall(r"^ *(?:> )*`{3}", part.text, re.MULTILINE)) % 2 == 0, part.text


@given(st.lists(BLOCKS, min_size=1, max_size=8), st.integers(60, 200), st.data())
def test_a_text_that_grows_keeps_its_first_parts(blocks: list[str], limit: int, data: st.DataObject) -> None:
    """While a reply streams its earlier messages are frozen; at the end every part still fits."""
    text = "\n\n".join(blocks)
    splitter, starts = Splitter(max_length=limit), list[int]()
    for end in [*sorted(data.draw(st.lists(st.integers(1, len(text)), max_size=6))), len(text)]:
        parts = splitter.split(text[:end], starts)
        assert [part.start for part in parts[1:]][: len(starts)] == starts
        starts = [part.start for part in parts[1:]]
    assert "".join(text[part.start : part.end] for part in parts) == text


def _check(text: str, parts: list[Part], limit: int) -> None:
    assert "".join(text[part.start : part.end] for part in parts) == text
    assert all(part.end > part.start for part in parts) or not text
    cuts = {part.start for part in parts[1:]}
    for part in parts:
        assert len(part.text) <= limit
        shown, slice_ = _visible(part.text), _visible(text[part.start : part.end])
        assert _is_subsequence(slice_, shown)
    position = 0
    for grapheme in regex.findall(r"\X", text):
        if len(grapheme) <= limit // 4:
            assert not cuts & set(range(position + 1, position + len(grapheme)))
        position += len(grapheme)


def _visible(text: str) -> str:
    return "".join(text.split())


def _is_subsequence(inner: str, outer: str) -> bool:
    characters = iter(outer)
    return all(character in characters for character in inner)
