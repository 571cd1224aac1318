"""Markdown as Telegram takes it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.telegram.renderer import Rendered, Renderer
from tests.support.bot_api.text_rules import LONGEST_TEXT, check_text, utf16_length


def entities(rendered: Rendered) -> list[dict[str, Any]]:
    """As they go over the wire."""
    return [entity.to_dict() for entity in rendered.entities]


def formatted(markdown: str) -> tuple[str, list[tuple[str, str]]]:
    """The text, and what of it each entity covers."""
    rendered = Renderer().render(markdown)
    check_text(rendered.text, entities(rendered), limit=LONGEST_TEXT)
    units = rendered.text.encode("utf-16-le")
    covered = [
        (each.type, units[each.offset * 2 : (each.offset + each.length) * 2].decode("utf-16-le"))
        for each in rendered.entities
    ]
    return rendered.text, covered


@pytest.mark.parametrize(
    ("markdown", "text", "covered"),
    [
        ("A **b** _i_ ~~s~~ `c`", "A b i s c", [("bold", "b"), ("italic", "i"), ("strikethrough", "s"), ("code", "c")]),
        ("# Title\n\ntext", "Title\n\ntext", [("underline", "Title"), ("bold", "Title")]),
        ("It was ||the butler||.", "It was the butler.", [("spoiler", "the butler")]),
        ("> said\n\nthen", "said\n\nthen", [("blockquote", "said")]),
        ("[here](https://example.org/a)", "here", [("text_link", "here")]),
        ("😀 **😀b**", "😀 😀b", [("bold", "😀b")]),
        ("**see `x`**", "see x", [("code", "x")]),
        ("> a `b`", "a b", [("blockquote", "a b"), ("code", "b")]),
        ("[`x`](https://example.org)", "x", [("text_link", "x")]),
    ],
)
def test_formatting_becomes_entities(markdown: str, text: str, covered: list[tuple[str, str]]) -> None:
    """Every kind of Markdown has the entity that shows it, at the right place; what cannot be combined is not."""
    assert formatted(markdown) == (text, covered)


def test_code_keeps_its_language() -> None:
    """A fenced block is `pre` with the language, and its text is untouched."""
    rendered = Renderer().render('```python\nprint("<b>**x**</b>")\n```')
    assert rendered.text == 'print("<b>**x**</b>")'
    (entity,) = rendered.entities
    assert (entity.type, entity.language) == ("pre", "python")


def test_a_table_stands_in_columns() -> None:
    """A table becomes fixed-width text."""
    text, covered = formatted("| fruit | grams |\n|---|---|\n| apple | 120 |\n| fig | 9 |")
    assert text.splitlines() == ["fruit | grams", "------+------", "apple | 120  ", "fig   | 9"]
    assert [kind for kind, _ in covered] == ["pre"]


def test_lists_keep_their_levels() -> None:
    """Items inside items are indented, numbers go on."""
    text, _ = formatted("- a\n  - b\n    1. c\n    2. d\n- [x] e")
    assert [line.rstrip() for line in text.splitlines()] == ["• a", "  • b", "    1. c", "    2. d", "✅ e"]


@pytest.mark.parametrize(
    "markdown",
    [
        "vector<int> and <T>",
        "<think>hm</think> yes",
        "<div>\n<p>block</p>\n</div>",
        "a < b and c > d",
        "<br>",
        "<!-- a comment -->",
        "Use `List<T>` or List<T>.",
    ],
)
def test_what_looks_like_html_is_shown(markdown: str) -> None:
    """Nothing in angle brackets gets lost."""
    text, _ = formatted(markdown)
    assert "".join(text.split()) == "".join(markdown.replace("`", "").split())


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("see [this](docs/page.md) now", "see this (docs/page.md) now"),
        ("[a](javascript:alert) **b**", "a (javascript:alert) b"),
        ("[home](http://localhost:8080/x)", "home (http://localhost:8080/x)"),
        ("[a]() b", "a b"),
    ],
)
def test_an_address_that_telegram_refuses_is_written_out(markdown: str, text: str) -> None:
    """A link that cannot be one is text with the address behind it, and entities after it are moved."""
    shown, covered = formatted(markdown)
    assert shown == text
    assert covered in ([], [("bold", "b")])


@pytest.mark.parametrize("markdown", ["```\n```", "#", "> ", "**", "- ", "|", "```", "``` python", "* * *x"])
def test_the_beginning_of_something_is_never_empty(markdown: str) -> None:
    """What would render to nothing, because its end is still to come, is shown as it is."""
    text, _ = formatted(markdown)
    assert text


def test_length_is_what_is_sent() -> None:
    """Markup does not count, an emoji counts twice, and plain text counts as it is."""
    renderer = Renderer()
    assert renderer.length("**ab**") == 2
    assert renderer.length("😀") == 2
    assert renderer.plain("**ab**\n").length == 6


def test_no_more_than_a_hundred_entities_are_sent() -> None:
    """The others would be ignored."""
    rendered = Renderer().render(" ".join(f"**w{number}**" for number in range(150)))
    assert len(rendered.entities) == 100


MARKUP = st.sampled_from(
    [
        *("*", "**", "_", "__", "`", "```", "~~", "||", "[", "](", ")", "#", ">", "-", "1.", "|", "|-|-|", "$", "\\"),
        *("<b>", "</b>", "<!--", "<div>", "&amp;", "😀", "é", "a", "word", "https://example.org"),
        *("\n", "\n\n", "    ", " ", "\t"),
    ]
)


@given(st.lists(MARKUP | st.text(max_size=6), max_size=40).map("".join))
def test_any_text_can_be_sent(markdown: str) -> None:
    """Finished or not, well formed or not: what is rendered keeps every rule of the Bot API."""
    rendered = Renderer().render(markdown)
    if rendered.text:
        check_text(rendered.text, entities(rendered), limit=10**9)
        assert rendered.length == utf16_length(rendered.text)
    else:
        assert not markdown.strip()


@given(st.text(alphabet="ab <>/*`_\n", max_size=80).filter(lambda text: "```" not in text))
def test_no_letter_is_lost(markdown: str) -> None:
    """Letters come out in the order in which they went in; only a fence's language is not part of the text."""
    letters = [each for each in markdown if each in "ab"]
    assert [each for each in Renderer().render(markdown).text if each in "ab"] == letters
