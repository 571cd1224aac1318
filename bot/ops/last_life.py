"""Whether the daemon's last life ended as it should."""

from pathlib import Path


class LastLife:
    """A mark on the disk that stands there while the daemon runs, and stays behind when it dies."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def begin(self) -> bool:
        """Set the mark; return whether there was one already, because the last life was cut off. Raises `OSError`."""
        cut_off = self._mark.exists()
        self._mark.touch(mode=0o600)
        return cut_off

    def end(self) -> None:
        """Take the mark away, at a stop that was asked for. Raises `OSError`."""
        self._mark.unlink(missing_ok=True)
