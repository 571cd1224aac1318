import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import logs
from bot.settings import LoggingSettings
from bot.terminal_log import TerminalHandler, log_beside_terminal


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """A log set up beside the terminal, taken down after the test."""
    path = tmp_path / "hearthbot.log"
    log_beside_terminal(LoggingSettings(), secrets={"s3cret-token"}, file=path)
    yield path
    logs.release()
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, TerminalHandler)]:
        root.removeHandler(handler)


def test_the_terminal_gets_one_line_a_warning_and_the_file_gets_everything(
    log_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No trace, no line break and no secret reaches the terminal; nothing is lost from the file but the secret."""
    log = logging.getLogger("bot.test")
    log.info("only for the file")
    with pytest.raises(ZeroDivisionError) as caught:
        _ = 1 / 0
    log.error("two\nlines about s3cret-token", exc_info=caught.value)
    assert capsys.readouterr().err == "error: two lines about ********\n"
    written = log_file.read_text()
    assert "only for the file" in written
    assert "Traceback" in written
    assert "s3cret-token" not in written


def test_warnings_for_developers_stay_in_the_file(log_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What Python warns about is nothing a person at the terminal can mend."""
    logging.getLogger("py.warnings").warning("deprecated")
    assert capsys.readouterr().err == ""
    assert "deprecated" in log_file.read_text()


def test_standard_error_is_looked_up_for_each_line(
    log_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever has the terminal at the moment decides where the line appears."""
    with (tmp_path / "replaced").open("w+") as replaced:
        monkeypatch.setattr("sys.stderr", replaced)
        logging.getLogger("bot.test").warning("careful")
        replaced.seek(0)
        assert replaced.read() == "warning: careful\n"
