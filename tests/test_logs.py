import io
import json
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from bot import log_file
from bot.errors import ConfigError
from bot.logs import configure, release
from bot.settings import MASK, LoggingSettings

LOGGER = logging.getLogger("bot.engine.runner")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Every test leaves the log as it was."""
    yield
    release()


def _fail(text: str) -> None:
    raise ValueError(text)


def _stream(settings: LoggingSettings, *secrets: str) -> io.StringIO:
    stream = io.StringIO()
    configure(settings, secrets=secrets, handler=logging.StreamHandler(stream))
    return stream


def test_text_lines() -> None:
    """Time, level, module, message and extras stand on one line."""
    stream = _stream(LoggingSettings())
    LOGGER.info("loaded %s", "it", extra={"layers": 12, "file": "a b.gguf"})
    line = stream.getvalue()
    assert line.endswith(' info    bot.engine.runner: loaded it, layers=12, file="a b.gguf"\n')
    assert line[:4].isdigit()


def test_json_lines() -> None:
    """Each record is one object with its extras and its traceback; extras cannot pose as the record's own keys."""
    stream = _stream(LoggingSettings(format="json"))
    try:
        _fail("oh")
    except ValueError:
        LOGGER.exception("failed\nbadly", extra={"level": "forged", "tokens": 5, "chat": Path("x")})
    (line,) = stream.getvalue().splitlines()
    entry = json.loads(line)
    assert (entry["level"], entry["logger"], entry["message"]) == ("error", "bot.engine.runner", "failed\nbadly")
    assert (entry["tokens"], entry["chat"]) == (5, "x")
    assert entry["traceback"].endswith("ValueError: oh")
    assert entry["time"].endswith("+00:00")


def test_levels_by_module() -> None:
    """A module's level holds for what is below it; everything else has the general one."""
    stream = _stream(LoggingSettings(level="warning", levels={"bot.engine": "debug", "bot.chat": "error"}))
    LOGGER.debug("shown 1")
    logging.getLogger("bot.chat").warning("hidden")
    logging.getLogger("bot.storage").info("hidden")
    logging.getLogger("bot.storage").warning("shown 2")
    assert [line.split(": ")[1] for line in stream.getvalue().splitlines()] == ["shown 1", "shown 2"]


def test_libraries_that_log_every_request_are_quiet() -> None:
    """Their level is warning, unless the owner wants to see everything, or says otherwise."""
    request = logging.getLogger("httpx")
    stream = _stream(LoggingSettings())
    request.info("GET")
    assert not stream.getvalue()
    for settings in (LoggingSettings(level="debug"), LoggingSettings(levels={"httpx": "info"})):
        stream = _stream(settings)
        request.info("GET")
        assert "httpx: GET" in stream.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_are_masked_everywhere(form: str) -> None:
    """In the message, its arguments, extras, the traceback and the stack; also the longer of two that overlap."""
    secret, longer = 'top"se\\cret', 'top"se\\cret-and-more'
    stream = _stream(LoggingSettings.model_validate({"format": form}), secret, longer)
    try:
        _fail(f"refused {longer}")
    except ValueError:
        LOGGER.exception(
            "a %s", secret, extra={"url": f"https://x/{quote(secret)}", "more": [longer], "in": secret}, stack_info=True
        )
    shown = stream.getvalue()
    assert "cret" not in shown.replace("secret", "")
    assert "and-more" not in shown
    assert shown.count(MASK) >= 5


def test_a_secret_of_a_library_is_masked_too() -> None:
    """The mask does not depend on who logs."""
    stream = _stream(LoggingSettings(level="debug"), "123:ABC-token")
    logging.getLogger("httpx").debug("POST https://api.telegram.org/bot%s/getMe", "123:ABC-token")
    assert stream.getvalue().endswith(f"bot{MASK}/getMe\n")


def test_tiny_secrets_do_not_blot_out_the_log() -> None:
    """A secret of one letter is not looked for."""
    stream = _stream(LoggingSettings(), "a", "")
    LOGGER.info("a banana")
    assert "a banana" in stream.getvalue()


def test_nobody_can_forge_a_line() -> None:
    """Line breaks and terminal escapes in a message are shown, not obeyed."""
    stream = _stream(LoggingSettings())
    LOGGER.info("hello\n2030-01-01 error bot: forged \x1b[2J", extra={"text": "x\ny"})
    (line,) = stream.getvalue().splitlines()
    assert r"hello\n2030" in line
    assert r"\x1b[2J" in line
    assert r'text="x\ny"' in line


def test_arguments_that_do_not_fit_do_not_lose_the_message() -> None:
    """A mistake in a call to the logger still leaves its text, and raises nothing."""
    stream = io.StringIO()
    handler = configure(LoggingSettings(), handler=logging.StreamHandler(stream))
    handler.handle(logging.makeLogRecord({"msg": "%d tokens", "args": ("many",), "levelname": "INFO", "name": "bot"}))
    assert "%d tokens ('many',)" in stream.getvalue()


def test_warnings_go_to_the_log() -> None:
    """Python's warnings are records like others while the log is set up."""
    stream = _stream(LoggingSettings())
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("old way", DeprecationWarning, stacklevel=1)
    assert "py.warnings: " in stream.getvalue()
    assert "old way" in stream.getvalue()


def test_a_file_survives_being_moved(tmp_path: Path) -> None:
    """The file's folder is made, and a new file begins after logrotate has taken the old one."""
    file = tmp_path / "logs" / "bot.log"
    configure(LoggingSettings(file=str(file)))
    LOGGER.info("one \ud800")
    file.rename(tmp_path / "old.log")
    LOGGER.info("two")
    assert (tmp_path / "old.log").read_text().endswith("one \\ud800\n")
    assert file.read_text().endswith("two\n")


def test_a_file_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is large it begins anew; the one before is kept, and the one before that is not."""
    monkeypatch.setattr(log_file, "MOST_BYTES", 1000)
    file = tmp_path / "bot.log"
    configure(LoggingSettings(file=str(file)))
    for number in range(200):
        LOGGER.info("line %d", number)
    kept = "".join(each.read_text() for each in (tmp_path / "bot.log.1", file))
    assert kept.endswith("line 199\n")
    assert all(f"line {number}\n" in kept for number in range(190, 200))
    assert sum(each.stat().st_size for each in tmp_path.iterdir()) < 2500
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bot.log", "bot.log.1"]


def test_a_file_that_cannot_be_written_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    """It names the key, the file and the reason, and leaves the log before it in place."""
    stream = _stream(LoggingSettings())
    with pytest.raises(ConfigError, match=rf"^logging\.file: {tmp_path} cannot be written: Is a directory"):
        configure(LoggingSettings(file=str(tmp_path)))
    LOGGER.info("still here")
    assert "still here" in stream.getvalue()


def test_standard_error_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a handler or a file, lines go to standard error and nothing to standard output."""
    configure(LoggingSettings())
    LOGGER.warning("there")
    captured = capsys.readouterr()
    assert captured.err.endswith("bot.engine.runner: there\n")
    assert not captured.out


def test_a_handler_keeps_its_own_format() -> None:
    """Whoever owns the terminal may draw the records; the mask still holds."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("<%(message)s>"))
    configure(LoggingSettings(), secrets=["hunter22"], handler=handler)
    LOGGER.info("pass %s", "hunter22")
    assert stream.getvalue() == f"<pass {MASK}>\n"


def test_configuring_again_replaces_and_release_restores() -> None:
    """There is never a second line for a record, and levels are as they were in the end."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers), LOGGER.level)
    first = _stream(LoggingSettings(levels={LOGGER.name: "debug"}))
    second = _stream(LoggingSettings(level="error"))
    LOGGER.info("hidden")
    LOGGER.error("once")
    assert not first.getvalue()
    assert second.getvalue().count("once") == 1
    release()
    assert (root.level, list(root.handlers), LOGGER.level) == before
