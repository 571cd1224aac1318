"""Secrets that systemd hands over as files, beside those in the environment."""

from collections.abc import Mapping
from pathlib import Path

from bot.errors import ConfigError

_FOLDER = "CREDENTIALS_DIRECTORY"
_PREFIX = "hearthbot_"
"""What systemd puts before the names of a folder's files, for `LoadCredential=hearthbot:FOLDER`."""


def with_credentials(environ: Mapping[str, str]) -> Mapping[str, str]:
    """`environ` and, under their files' names, the credentials of the service; what the environment has comes first.

    So `token_env: TELEGRAM_TOKEN` also finds a credential `TELEGRAM_TOKEN`. Source: systemd.exec(5), LoadCredential=.
    Raises `ConfigError` where one cannot be read.
    """
    folder = environ.get(_FOLDER)
    if not folder:
        return environ
    found: dict[str, str] = {}
    try:
        for file in sorted(Path(folder).iterdir()):
            if file.is_file():
                found[file.name.removeprefix(_PREFIX)] = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"a credential of the service cannot be read: {folder}: {type(error).__name__}") from error
    return {**found, **environ}
