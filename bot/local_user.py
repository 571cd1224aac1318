"""Who sits at this machine."""

import getpass
import os


def local_user() -> str:
    """The operating system's name for the person; the number where it has no name, as in containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
