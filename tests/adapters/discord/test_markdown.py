import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.markdown import DiscordMarkdown

TABLE = "| Fruit | Pieces |\n|:------|-------:|\n| **Apple** | 3 |\n| `Fig`<br>dried | 120 |"


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("# One\n\n### Three", "# One\n\n### Three"),
        ("#### Four **bold**", "**Four bold**"),
        ("Title\n=====\ntext", "# Title\ntext"),
        ("a\n\n---\n\nb", "a\n\n────────────\n\nb"),
        ("__bold__ and *slanted* ~~gone~~ ||hidden||", "**bold** and *slanted* ~~gone~~ ||hidden||"),
        ("call `__init__` of foo__bar__", "call `__init__` of foo__bar__"),
        ("![a cat](http://x/cat.png)", "[a cat](http://x/cat.png)"),
        ("- [ ] milk\n- [x] eggs\n  1. fresh", "- ☐ milk\n- ☑ eggs\n  1. fresh"),
        ("> said\n> more", "> said\n> more"),
        ("~~~python\nx = 1\n~~~", "```python\nx = 1\n```"),
        ("```python\nx = __a__", "```python\nx = __a__\n```"),
        ("````\n```\n````", "```\n`\u200b``\n```"),
        ("- one\n  ```sh\n  ls\n  ```", "- one\n  ```sh\n  ls\n  ```"),
    ],
)
def test_what_discord_shows_otherwise_is_changed(markdown: str, shown: str) -> None:
    """And only that."""
    assert DiscordMarkdown().render(markdown) == shown


def test_a_table_becomes_code_that_lines_up() -> None:
    """Discord has no tables. Marks mean nothing in code, so they are left out."""
    assert DiscordMarkdown().render(f"Here:\n\n{TABLE}\n\nDone.") == (
        "Here:\n\n```\nFruit      Pieces\n─────────  ──────\nApple           3\nFig dried     120\n```\n\nDone."
    )


def test_wide_characters_line_up_too() -> None:
    """A Chinese character takes two columns."""
    shown = DiscordMarkdown().render("| a | b |\n|---|---|\n| 水 | 1 |\n| xy | 2 |")
    assert "水  1\nxy  2" in shown


def test_a_table_inside_code_stays_as_it_is() -> None:
    """It may be about Markdown."""
    code = f"```\n{TABLE}\n```"
    assert DiscordMarkdown().render(code) == code


@given(st.text(alphabet="ab |-`~#*_>[]()!\n 1.x+", max_size=80))
def test_nothing_is_lost(text: str) -> None:
    """Every letter and digit of any text is in what is shown, in this order; and its length is what is measured."""
    markdown = DiscordMarkdown()
    shown = markdown.render(text)
    assert markdown.length(text) == len(shown)
    if "](" not in text and "[" not in text:
        assert [each for each in shown if each in "ab1"] == [each for each in text if each in "ab1"]


@given(st.lists(st.sampled_from(["text", "", TABLE, "```py\nx\n```", "- a\n  - b", "#### h", "> q"]), max_size=8))
def test_what_was_rendered_stays_as_it_is(blocks: list[str]) -> None:
    """Rendering the result again changes nothing."""
    once = DiscordMarkdown().render("\n\n".join(blocks))
    assert DiscordMarkdown().render(once) == once
