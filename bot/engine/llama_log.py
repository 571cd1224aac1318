"""Routes llama.cpp's log into `logging`, under the name `llama.cpp`."""

import ctypes
import logging

import llama_cpp

_LEVELS = {1: logging.DEBUG, 2: logging.DEBUG, 3: logging.INFO, 4: logging.ERROR}
"""`enum ggml_log_level` in ggml.h (DEBUG, INFO, WARN, ERROR) to logging.

One step lower than named: its "info" is a wall of text at each start, its warnings are mostly harmless.
"""
_CONTINUE = 5


class LlamaLog:
    """Joins the pieces llama.cpp prints into whole lines."""

    def __init__(self) -> None:
        self._logger = logging.getLogger("llama.cpp")
        self._line = ""
        self._level = logging.DEBUG

    def write(self, level: int, text: bytes) -> None:
        """Take a piece; `level` is a ggml_log_level."""
        if level != _CONTINUE:
            self._flush()
            self._level = _LEVELS.get(level, logging.DEBUG)
        self._line += text.decode(errors="replace")
        if self._line.endswith("\n"):
            self._flush()

    def _flush(self) -> None:
        for line in self._line.splitlines():
            if line.strip(" ."):
                self._logger.log(self._level, "%s", line)
        self._line = ""


_LOG = LlamaLog()


def _write(level: int, text: bytes, _user_data: ctypes.c_void_p) -> None:
    _LOG.write(level, text)


_CALLBACK = llama_cpp.llama_log_callback(_write)
"""llama.cpp keeps only the address, so this must live as long as the process."""


def route_llama_log() -> None:
    """Send llama.cpp's messages to `logging` from now on."""
    llama_cpp.llama_log_set(_CALLBACK, ctypes.c_void_p(0))
