"""The program itself, as a process of its own with folders of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


class Hearthbot:
    """Starts `hearthbot` the way a person does, in a home folder that is empty at first."""

    def __init__(self, home: Path, *, cache: Path | None = None) -> None:
        """`cache` takes the place of the empty cache folder."""
        self.home = home
        self.environment = {
            **os.environ,
            "HOME": str(home),
            "PYTHONPATH": str(REPOSITORY),
            **{f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "STATE")},
            "XDG_CACHE_HOME": str(cache or home / "cache"),
        }

    @property
    def database(self) -> Path:
        """Where it keeps conversations."""
        return self.home / "data/hearthbot/hearthbot.db"

    @property
    def log_file(self) -> Path:
        """Where it logs while a console is on."""
        return self.home / "state/hearthbot/hearthbot.log"

    def configure(self, text: str) -> Path:
        """Write the configuration file it finds by itself."""
        path = self.home / "config/hearthbot/config.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    @staticmethod
    def command(*arguments: str) -> Sequence[str]:
        """Return what starts it."""
        return (sys.executable, "-m", "bot.cli", *arguments)

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            self.command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=self.home,
            check=False,
        )

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start it, with pipes at its three ends."""
        return subprocess.Popen(
            self.command(*arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            cwd=self.home,
        )
