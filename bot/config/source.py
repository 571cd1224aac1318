"""Where the configuration file is, and its text."""

import os
from pathlib import Path

from bot.config.document import Mark
from bot.config.problem import Problem, config_error
from bot.errors import ConfigError
from bot.paths import Paths

_LARGEST = 1 << 20
"""Bytes. A file beyond this is not a configuration; reading a device could go on for ever."""


def find_file(given: Path | None) -> Path | None:
    """The given file, else `./config.yaml`, else the user's one, else None. A given file need not exist here."""
    if given is not None:
        return given
    return next((path for path in (Path("config.yaml"), Paths.of_user().config_file) if _is_there(path)), None)


def read_text(path: Path) -> str:
    """The file's text. Raises `ConfigError` for one that cannot be read, or is not UTF-8 text."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise _refused(path, _reason(error)) from None
    except ValueError:
        raise _refused(path, "this is not the name of a file") from None
    if len(content) > _LARGEST:
        raise _refused(path, f"is larger than {_LARGEST >> 20} MiB; this is not a configuration file", Mark(1, 1))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise _refused(path, "is not UTF-8 text; save it in the encoding UTF-8", mark) from None


def _is_there(path: Path) -> bool:
    """Whether the name exists. What cannot be looked at counts: it must not be passed over in silence."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _reason(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "there is no such file; `hearthbot config init` writes one with every key explained"
        case IsADirectoryError():
            return "this is a folder; give the name of a file in it"
        case PermissionError():
            return "may not be read by this user; check its owner and permissions"
        case _:
            return f"cannot be read: {error.strerror or type(error).__name__}"


def _refused(path: Path, text: str, mark: Mark | None = None) -> ConfigError:
    return config_error([Problem(file=str(path), mark=mark, text=text)])
