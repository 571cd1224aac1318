from pathlib import Path

import pytest

from bot.config.view import as_json, as_yaml
from bot.errors import ConfigError
from bot.settings import AdapterSettings
from tests.support.config_files import read

SECRET = "hf_QmF6aW5nYQ"  # noqa: S105 - not a real one


def test_a_secret_comes_from_the_named_variable(tmp_path: Path) -> None:
    """The key with `_env` fills its sibling, without the line end that a file of variables may leave."""
    loaded = read(tmp_path, "model: {hf_token_env: HF_TOKEN}", HF_TOKEN=f"{SECRET}\n")
    token = loaded.settings.model.hf_token
    assert token is not None
    assert token.get_secret_value() == SECRET
    assert loaded.sources["model.hf_token"].endswith(" HF_TOKEN")


def test_adapters_have_secrets_too(tmp_path: Path) -> None:
    """The mechanism is the same in an adapter's own section, and all secrets are known to the log's mask."""
    loaded = read(
        tmp_path,
        f"model: {{hf_token: {SECRET}}}\nadapters: {{radio: {{channel: 1, token_env: RADIO}}}}",
        RADIO="over-and-out",
    )
    assert loaded.secrets() == {SECRET, "over-and-out"}
    assert loaded.sources["adapters.radio.token"] == "environment variable RADIO"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model: {hf_token_env: HF_TOKEN}", "1:9: model.hf_token_env: the environment variable HF_TOKEN is not set"),
        ("model: {hf_token_env: EMPTY}", "the environment variable EMPTY is empty"),
        (f"model: {{hf_token: {SECRET}, hf_token_env: A}}", "hf_token and hf_token_env are both set"),
        (
            "adapters: {radio: {channel: 1, token_env: RADIO}}",
            "adapters.radio.token_env: the environment variable RADIO",
        ),
    ],
)
def test_wrong_variables_are_named(tmp_path: Path, text: str, expected: str) -> None:
    """A variable that is not set, or not needed, is an error at its key."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text, EMPTY="", A="a")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f"model: {{hf_token_env: {SECRET}}}",
        f"model: {{hf_token: [{SECRET}]}}",
        f"model: {{hf_tokn: {SECRET}}}",
        f"model: {SECRET}",
        f"adapters: {{radio: {SECRET}}}",
        f"adapters: {{radio: {{channel: 1, token: [{SECRET}]}}}}",
        f"model: {{hf_token: !{SECRET} x}}",
        f"model: {{hf_token: *{SECRET}}}",
        f"model: {{hf_token: {SECRET}, hf_token: b}}",
        f"model:\n  hf_token: {SECRET}: {SECRET}",
        f"model:\n  hf_token: '{SECRET}",
        f"model:\n  hf_token: {SECRET}\n  n_ctx: 5",
    ],
)
def test_no_error_repeats_a_secret(tmp_path: Path, text: str) -> None:
    """Whatever is wrong around a secret, its value stays out of the error, and of the errors behind it."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in str(error)
        error = None if error.__suppress_context__ else error.__context__


def test_nothing_that_is_shown_has_a_secret(tmp_path: Path) -> None:
    """The settings' representation and both forms of the view mask it."""
    loaded = read(tmp_path, f"model: {{hf_token: {SECRET}}}")
    shown = f"{loaded!r}{loaded.settings!s}{loaded.settings.model_dump_json()}{as_yaml(loaded)}{as_json(loaded)}"
    assert SECRET not in shown
    assert "hf_token: '********'" in as_yaml(loaded)


def test_serializing_keeps_what_only_the_adapter_has(tmp_path: Path) -> None:
    """A dump of the settings has the keys of the adapter's own model."""
    loaded = read(tmp_path, "adapters: {radio: {channel: 7}}")
    assert loaded.settings.model_dump()["adapters"]["radio"]["channel"] == 7
    assert isinstance(loaded.settings.adapters["radio"], AdapterSettings)
