from pathlib import Path

import pytest

from bot.paths import Paths


def test_every_folder_follows_its_xdg_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Data, cache, state and configuration lie where the XDG specification has them."""
    for kind in ("CONFIG", "DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))
    paths = Paths.of_user()
    assert paths.config_file == tmp_path / "CONFIG/hearthbot/config.yaml"
    assert paths.database_at(None) == tmp_path / "DATA/hearthbot/hearthbot.db"
    assert paths.models == tmp_path / "CACHE/hearthbot/models"
    assert paths.log_file == tmp_path / "STATE/hearthbot/hearthbot.log"


def test_folders_are_created_for_their_owner_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Other users of the machine cannot look into conversations or logs."""
    for kind in ("CONFIG", "DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))
    paths = Paths.of_user()
    paths.create()
    paths.create()
    for folder in (paths.data, paths.cache, paths.state):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_configured_database_may_lie_in_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A tilde stands for the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Paths.of_user().database_at("~/talks.db") == tmp_path / "talks.db"
