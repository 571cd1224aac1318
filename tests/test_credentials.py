from pathlib import Path

import pytest

from bot.credentials import with_credentials
from bot.errors import ConfigError


def test_credentials_stand_beside_the_environment(tmp_path: Path) -> None:
    """Under their own names, with or without the prefix of a whole folder; the environment comes first."""
    (tmp_path / "hearthbot_TELEGRAM_TOKEN").write_text("from a file\n")
    (tmp_path / "DISCORD_TOKEN").write_text("alone")
    (tmp_path / "HF_TOKEN").write_text("weaker")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path), "HF_TOKEN": "stronger"}
    assert with_credentials(environ) == {
        **environ,
        "TELEGRAM_TOKEN": "from a file\n",
        "DISCORD_TOKEN": "alone",
    }


def test_without_a_service_the_environment_is_all() -> None:
    """No folder, no look."""
    assert with_credentials({"A": "1"}) == {"A": "1"}


def test_a_credential_that_cannot_be_read_is_said_without_its_content(tmp_path: Path) -> None:
    """Bytes that are no text are no secret of ours, and are not shown."""
    (tmp_path / "TOKEN").write_bytes(b"\xff\xfesecret")
    with pytest.raises(ConfigError) as raised:
        with_credentials({"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert "secret" not in str(raised.value)
    assert str(tmp_path) in str(raised.value)
