"""The section as people write it."""

from pathlib import Path

import pytest

from adapters.telegram import TelegramSettings
from bot.config import LoadedConfig, load
from bot.errors import ConfigError
from bot.loader import AdapterLoader

HEAD = "adapters:\n  telegram:\n    "
TOKEN = "123456789:AAF-a_token_of_the_right_shape_00000000"  # noqa: S105 - nobody's  # pragma: allowlist secret


def read(folder: Path, section: str, **environ: str) -> LoadedConfig:
    """Load a configuration with this section."""
    file = folder / "config.yaml"
    file.write_text(HEAD + section.replace("\n", "\n    ") + "\n")
    return load(file, environ=environ, adapter_settings=AdapterLoader().settings_type)


def test_a_token_in_the_environment_is_all_it_takes(tmp_path: Path) -> None:
    """Everything else has a default."""
    loaded = read(tmp_path, "token_env: TELEGRAM_TOKEN", TELEGRAM_TOKEN=TOKEN)
    settings = loaded.settings.adapters["telegram"]
    assert isinstance(settings, TelegramSettings)
    assert settings.token is not None
    assert settings.token.get_secret_value() == TOKEN
    assert TOKEN not in repr(settings)
    assert TOKEN in loaded.secrets()


def test_a_section_that_is_off_needs_no_token(tmp_path: Path) -> None:
    """Not even a variable that is set."""
    assert not read(tmp_path, "enabled: false").settings.adapters["telegram"].enabled
    assert not read(tmp_path, "enabled: false\ntoken_env: TELEGRAM_TOKEN").settings.adapters["telegram"].enabled


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("groups: all", "a token is needed"),
        ("token_env: TELEGRAM_TOKEN", "the environment variable TELEGRAM_TOKEN is not set"),
        (f"token: {TOKEN}\ngroups: some", "adapters.telegram.groups"),
        (f"token: {TOKEN}\nmenus: {{german: {{help: Hilfe}}}}", "a language code of two letters"),
        (f"token: {TOKEN}\nedit_interval_s: 0", "adapters.telegram.edit_interval_s"),
        (f"token: {TOKEN}\nwebhook: {{port: 0}}", "adapters.telegram.webhook.port"),
        (f"token: {TOKEN}\nwebhook: {{url: example.org/hook}}", "adapters.telegram.webhook.url"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, section: str, said: str) -> None:
    """With its key, and without the token."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, section)
    assert said in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_off_is_a_word(tmp_path: Path) -> None:
    """YAML reads it as a boolean, people mean the way of streaming."""
    settings = read(tmp_path, f"token: {TOKEN}\nstream: off").settings.adapters["telegram"]
    assert isinstance(settings, TelegramSettings)
    assert settings.stream == "off"
