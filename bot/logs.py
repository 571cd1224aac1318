"""The daemon's log: text or JSON lines, levels by module, secrets masked."""

import json
import logging
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bot.errors import ConfigError
from bot.log_file import LogFile
from bot.settings import MASK, LoggingSettings

_SHORTEST_SECRET = 4
"""Characters; masking a shorter one would make the log unreadable and hide nothing."""
_TALKATIVE = ("filelock", "httpcore", "httpx", "urllib3")
"""Libraries that log every request at the level info."""
_OWN_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"asctime", "message", "taskName"}


class SecretFilter(logging.Filter):
    """Replaces every secret in a record: in its message, its extras and its traceback.

    It sits on a handler, so it also sees the records of libraries.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        known = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
        written = {form for secret in known for form in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1])}
        in_urls = {quote(secret, safe="") for secret in known}
        self._secrets = sorted(written | in_urls, key=len, reverse=True)
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask in place; every record passes."""
        record.msg, record.args = self._mask(_message(record)), None
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        record.exc_info = None  # else a handler that formats exceptions by itself would show it unmasked
        record.exc_text = self._mask(record.exc_text) if record.exc_text else None
        record.stack_info = self._mask(record.stack_info) if record.stack_info else None
        for name, value in _extras(record).items():
            plain = value is None or isinstance(value, bool | int | float)
            setattr(record, name, value if plain else self._mask(str(value)))
        return True

    def _mask(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text


class _Installed(SecretFilter):
    """Marks the handler that `configure` put up, and remembers what it changed."""

    def __init__(self, secrets: Iterable[str], levels: Mapping[str, str]) -> None:
        super().__init__(secrets)
        self._before = {name: logging.getLogger(name).level for name in levels}
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level.upper())

    def undo(self) -> None:
        for name, level in self._before.items():
            logging.getLogger(name).setLevel(level)


class TextFormatter(logging.Formatter):
    """`time level module: message, key=value`, one line a record; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        extras = "".join(f", {name}={_word(value)}" for name, value in _extras(record).items())
        head = f"{time} {record.levelname.lower():<7} {record.name}: {_one_line(_message(record))}{extras}"
        return "\n".join([head, *_details(self, record)])


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC, ISO 8601), level, logger, message, the extras, and a traceback if any."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        entry: dict[str, Any] = {
            **_extras(record),
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        details = "\n".join(_details(self, record))
        if details:
            entry["traceback"] = details
        return json.dumps(entry, ensure_ascii=False, default=str)


def configure(
    settings: LoggingSettings, *, secrets: Iterable[str] = (), handler: logging.Handler | None = None
) -> logging.Handler:
    """Send every log record of the process, and Python's warnings, where `settings` say. Returns the handler in use.

    `handler` replaces standard error, so that whoever owns the terminal can write the lines without tearing its own
    output; a file in the settings comes before it. A handler that has a formatter keeps it. Calling this again replaces
    what the call before set up. Raises `ConfigError` for a file that cannot be written.
    """
    used = _file_handler(settings.file) if settings.file else handler or logging.StreamHandler(sys.stderr)
    if used.formatter is None:
        used.setFormatter(JsonFormatter() if settings.format == "json" else TextFormatter())
    release()
    quiet = {} if settings.level == "debug" else dict.fromkeys(_TALKATIVE, "warning")
    used.addFilter(_Installed(secrets, {"root": settings.level, **quiet, **settings.levels}))
    logging.getLogger().addHandler(used)
    logging.captureWarnings(capture=True)
    return used


def release() -> None:
    """Undo `configure`: take its handler away and give every logger its level back."""
    root = logging.getLogger()
    for handler in tuple(root.handlers):
        for installed in [one for one in handler.filters if isinstance(one, _Installed)]:
            installed.undo()
            handler.removeFilter(installed)
            root.removeHandler(handler)
            handler.close()
            logging.captureWarnings(capture=False)


def _file_handler(name: str) -> logging.Handler:
    try:
        path = Path(name).expanduser()
        path.parent.mkdir(parents=True, exist_ok=True)
        return LogFile(path)
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ConfigError(f"logging.file: {name} cannot be written: {reason}") from None


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # arguments that do not fit the message must not lose it
        return f"{record.msg} {record.args}"


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _OWN_ATTRIBUTES}


def _details(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    trace = record.exc_text or (formatter.formatException(record.exc_info) if record.exc_info else None)
    return [text for text in (trace, record.stack_info) if text]


def _one_line(text: str) -> str:
    """What people write ends up in messages: no line break may forge a record, no escape sequence reach a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def _word(value: Any) -> str:
    text = str(value)
    return text if text and text.isprintable() and not set(text) & set(' ,="') else json.dumps(text, ensure_ascii=True)
