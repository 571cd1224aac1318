import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.config import dump_value, parse
from bot.config.document import Mark
from bot.config.view import as_yaml
from bot.errors import ConfigError
from bot.settings import Configuration
from tests.support.config_files import RadioSettings, read

ONE_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)

KEYS = sorted(
    {*Configuration.model_fields, "radio", "channel", "token_env", "n_ctx", "stop", "users", "rope", "<<", "no"}
)
SCALARS = st.one_of(
    st.sampled_from(
        ["", "no", "off", "auto", "1e999", "-.inf", "0x", "1_", "~", "=", "*a", "&a x", "!t", "12:30", "'", '"\\x"']
    ),
    st.text(max_size=8),
    st.integers().map(str),
    st.floats().map(str),
)
LINES = st.builds(
    lambda indent, dash, key, value: f"{' ' * indent}{dash}{key}: {value}",
    st.sampled_from([0, 0, 2, 2, 4, 6]),
    st.sampled_from(["", "", "", "- "]),
    st.one_of(st.sampled_from(KEYS), st.text(max_size=4)),
    SCALARS,
)
PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text() | st.integers(), inner, max_size=4)),
    max_leaves=8,
)


def _check(folder: Path, content: str | bytes) -> None:
    """Loading either works or says on every line of the error where in the file it is."""
    try:
        read(folder, content)
    except ConfigError as error:
        first, *others = str(error).splitlines()
        for line in others or [first]:
            assert re.match(rf"\s*{re.escape(str(folder))}/config\.yaml:[1-9]\d*:[1-9]\d*: ", line), line


@ONE_FOLDER
@given(st.binary(max_size=200))
@example(b"\xff\xfea\x00")
@example(b"%YAML 9.9\n---\n")
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    """No file whatever raises anything but `ConfigError`, and every problem has its place."""
    _check(tmp_path, content)


@ONE_FOLDER
@given(st.text(alphabet=st.sampled_from("abno0123-:,.?*&!|>'\"%@`#{}[]<=~_\\ \t\n\r\x85\ufeff"), max_size=60))
@example("%YAML " + "9" * 5000 + ".1\n---\na: 1")
@example("!<%ff> a: 1")
@example('"\\ud800": 1')
@example("? *a\n: &a b")
def test_any_yaml_like_text(tmp_path: Path, content: str) -> None:
    """Text made of YAML's own signs raises nothing but `ConfigError`."""
    _check(tmp_path, content)


@ONE_FOLDER
@given(st.lists(LINES, max_size=12).map("\n".join))
def test_any_lines_with_known_keys(tmp_path: Path, content: str) -> None:
    """Lines that come close to a configuration raise nothing but `ConfigError`."""
    _check(tmp_path, content)


@ONE_FOLDER
@given(st.dictionaries(st.sampled_from(KEYS), PLAIN, max_size=4))
def test_any_values_below_known_keys(tmp_path: Path, data: dict[str, Any]) -> None:
    """Values of any type below the sections raise nothing but `ConfigError`."""
    _check(tmp_path, dump_value(data))


@ONE_FOLDER
@given(PLAIN)
def test_what_is_dumped_reads_the_same(data: Any) -> None:
    """A value that is shown by `config show` is YAML for that very value, on one line."""
    text = dump_value({"value": data})
    assert "\n" not in text
    document, problems = parse(text, "dump")
    assert (document.data, problems) == ({"value": data}, [])


@given(st.lists(st.sampled_from(["a: 1", "b:", "  c: [x, {d: 2}]", "e: 'f'"]), unique=True, min_size=1))
def test_marks_point_at_the_text(lines: list[str]) -> None:
    """The key's mark is where its name begins, and the value's where its text does."""
    try:
        document, _ = parse("\n".join(lines), "file")
    except ConfigError:
        return
    for path, entry in document.entries.items():
        if path and isinstance(path[-1], str):
            assert lines[entry.key.line - 1][entry.key.column - 1 :].startswith(path[-1])
        if entry.text:
            assert lines[entry.value.line - 1][entry.value.column - 1 :].startswith(entry.text)


def test_a_missing_entry_is_placed_at_what_surrounds_it() -> None:
    """A key that the file lacks is reported at its section, or at the beginning."""
    document, _ = parse("a:\n  b: 1\n", "file")
    assert document.nearest(("a", "x", "y")).key == Mark(1, 1)
    assert document.nearest(("a", "b", 0)).key == Mark(2, 3)


@pytest.mark.parametrize("token", ["", "token: 'x: y'"])
def test_the_view_reads_the_same(tmp_path: Path, token: str) -> None:
    """What `config show` prints is a configuration with the same settings, secrets excepted."""
    text = (
        "personas:\n"
        "  'a: b': {system_prompt: \"two\\nlines \\U0001f600\", name: '[x'}\n"
        "  b: {examples: [{user: '1e5', assistant: 'no'}]}\n"
        "generation: {logit_bias: {5: -1}, stop: ['a, b', ' c', '']}\n"
        "model: {lora: [{path: a}, {path: b, scale: 2}], chat_template_kwargs: {a: [1, {b: null}], c: {}}}\n"
        f"adapters: {{radio: {{channel: 1, {token}}}}}\n"
        "logging: {levels: {bot.engine: debug}}\n"
    )
    first = read(tmp_path, text)
    second = read(tmp_path, as_yaml(first)).settings
    radio = second.adapters["radio"]
    assert isinstance(radio, RadioSettings)
    assert (radio.token.get_secret_value() if radio.token else None) == ("********" if token else None)
    assert second.model_copy(update={"adapters": {}}) == first.settings.model_copy(update={"adapters": {}})
