"""The user's folders, as the XDG Base Directory Specification has them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from platformdirs import PlatformDirs


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Where everything of hearthbot lies. Nothing is created before `create`."""

    config: Path
    """The YAML file's folder."""
    data: Path
    """What must not be lost."""
    cache: Path
    """What can be made or downloaded again."""
    state: Path
    """What is nice to keep: logs, typed lines."""

    @classmethod
    def of_user(cls) -> Self:
        """Return the folders of the user who runs this process."""
        folders = PlatformDirs("hearthbot", appauthor=False)
        return cls(
            config=folders.user_config_path,
            data=folders.user_data_path,
            cache=folders.user_cache_path,
            state=folders.user_state_path,
        )

    @property
    def config_file(self) -> Path:
        """The YAML file that is read when no other is named."""
        return self.config / "config.yaml"

    def database_at(self, path: str | None) -> Path:
        """The SQLite file: the `path` of the configuration, or the one in the data folder."""
        return Path(path).expanduser() if path else self.data / "hearthbot.db"

    @property
    def models(self) -> Path:
        """Downloaded models."""
        return self.cache / "models"

    @property
    def exports(self) -> Path:
        """Files that the console was handed."""
        return self.data / "exports"

    @property
    def log_file(self) -> Path:
        """The log, while a console has the terminal."""
        return self.state / "hearthbot.log"

    @property
    def running_mark(self) -> Path:
        """Stands there while the daemon runs."""
        return self.state / "running"

    @property
    def console_history(self) -> Path:
        """What was typed on the console."""
        return self.state / "console_history"

    def create(self) -> None:
        """Make the folders that are written to, for their owner only. Raises `OSError`."""
        for folder in (self.data, self.cache, self.state):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
