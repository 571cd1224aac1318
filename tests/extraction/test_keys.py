"""Which keys an object may have besides those that it must have."""

import re

from hypothesis import given
from hypothesis import strategies as st

from bot.extraction.keys import LONGEST, other_keys
from tests.support.schemas import takes

LETTERS = st.text("ab-]^\\é🙂 $", max_size=5)


@given(names=st.sets(LETTERS, max_size=6), key=LETTERS)
def test_every_key_but_the_names_is_another(names: set[str], key: str) -> None:
    """As the expression says it."""
    assert (re.fullmatch(other_keys(names), key) is not None) == (key not in names)


def test_keys_have_an_end() -> None:
    """Longer ones than names are not possible."""
    assert re.fullmatch(other_keys({"name"}), "n" * LONGEST)
    assert not re.fullmatch(other_keys({"name"}), "n" * (LONGEST + 1))
    assert re.fullmatch(other_keys({"n" * 100}), "n" * 99)


@given(names=st.sets(LETTERS, min_size=1, max_size=4), key=LETTERS)
def test_the_compiler_takes_it_beside_the_names(names: set[str], key: str) -> None:
    """Named keys keep their own schema, whatever characters they have."""
    schema = {
        "type": "object",
        "properties": {name: {"const": 1} for name in names},
        "patternProperties": {other_keys(names): {"const": 2}},
        "additionalProperties": False,
    }
    written = key.replace("\\", "\\\\")
    value = 1 if key in names else 2
    assert takes(schema, f'{{"{written}":{value}}}')
    assert not takes(schema, f'{{"{written}":{3 - value}}}')
