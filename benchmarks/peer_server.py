"""A peer in a process of its own, asked through its streaming HTTP API."""

import asyncio
import http.client
import json
import re
import socket
import tempfile
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.contender import Contender, Turn
from bot.request import ChatMessage

T = TypeVar("T")

START_LIMIT_S = 120.0
STOP_LIMIT_S = 10.0
REPLY_LIMIT_S = 900.0
POLL_S = 0.05
OK = 200


class PeerError(Exception):
    """A peer did not start, ended by itself or answered with an error; the text has the end of its log."""


class PeerServer(Contender):
    """A server on a free loopback port. What it prints goes to a file."""

    health_path: str

    def __init__(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> None:
        """`command` gets the port appended as `--port N`."""
        super().__init__(name)
        self._command = command
        self._environ = environ
        self._port = 0
        self._process: asyncio.subprocess.Process | None = None
        self._threads = ThreadPoolExecutor(max_workers=64, thread_name_prefix="peer-client")
        self._folder = tempfile.TemporaryDirectory(prefix="hearthbot-bench-peer-")
        self._log = Path(self._folder.name) / "log"

    @property
    def pid(self) -> int:
        """Of the running server."""
        if self._process is None:
            raise RuntimeError("the server is not started")
        return self._process.pid

    async def start(self) -> None:
        """Start the server and wait until it says that the model is loaded. Raises `PeerError`."""
        self._port = _free_port()
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                "--port",
                str(self._port),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self._environ),
                start_new_session=True,  # Ctrl-C is for the benchmark, which stops its servers itself
            )
        deadline = time.monotonic() + START_LIMIT_S
        while not await self._in_thread(self._is_up):
            if self._process.returncode is not None:
                raise PeerError(f"{self.name} ended with {self._process.returncode}:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise PeerError(f"{self.name} was not up after {START_LIMIT_S:g} s:\n{self._log_tail()}")
            await asyncio.sleep(POLL_S)

    async def stop(self) -> None:
        """End the server: asked first, killed when it does not listen."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_LIMIT_S)
            except TimeoutError:
                process.kill()
                await process.wait()

    async def turn(
        self,
        messages: Sequence[ChatMessage],
        *,
        user: str,  # noqa: ARG002 - this and the next two are nothing that a peer's API knows
        max_tokens: int,
        conversation: str | None = None,  # noqa: ARG002
        shift: bool = False,  # noqa: ARG002
    ) -> Turn:
        """Write one reply. Raises `PeerError`."""
        body = {
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "max_tokens": max_tokens,
            "temperature": 0.0,
            "stream": True,
            "seed": 1,
            **self.extra_body(),
        }
        return await self._in_thread(self._post, body)

    @abstractmethod
    def extra_body(self) -> dict[str, Any]:
        """Return fields that this kind of server needs in a request."""

    @abstractmethod
    def prompt_counts(self, last_chunk: Mapping[str, Any]) -> tuple[int | None, int | None]:
        """Return prompt tokens and evaluated ones, as the server tells them."""

    async def _in_thread(self, call: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *arguments)

    def _is_up(self) -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
            try:
                connection.request("GET", self.health_path)
                return connection.getresponse().status == OK
            finally:
                connection.close()
        except (OSError, http.client.HTTPException):
            return False

    def _post(self, body: Mapping[str, Any]) -> Turn:
        """Runs on a thread: a plain blocking client takes the least time from the server it measures."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=REPLY_LIMIT_S)
        try:
            started = time.perf_counter()
            connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            if response.status != OK:
                raise PeerError(f"{self.name} answered {response.status}: {response.read()[:500]!r}")
            return self._read(response, started)
        except (OSError, http.client.HTTPException) as error:
            raise PeerError(f"{self.name} broke off ({error!r}):\n{self._log_tail()}") from error
        finally:
            connection.close()

    def _read(self, response: http.client.HTTPResponse, started: float) -> Turn:
        pieces: list[str] = []
        first: float | None = None
        chunk: dict[str, Any] = {}
        for line in response:
            data = line.removeprefix(b"data:").strip()
            if data == line.strip() or data == b"[DONE]":
                continue
            chunk = json.loads(data)
            if "error" in chunk:
                raise PeerError(f"{self.name}: {chunk['error']}")
            for choice in chunk["choices"]:
                if text := choice["delta"].get("content"):
                    first = first or time.perf_counter()
                    pieces.append(text)
        ended = time.perf_counter()
        prompt, evaluated = self.prompt_counts(chunk)
        return Turn(
            text="".join(pieces),
            ttft_s=(first or ended) - started,
            total_s=ended - started,
            prompt_tokens=prompt,
            evaluated_tokens=evaluated,
            completion_tokens=self.completion_tokens(chunk, len(pieces)),
        )

    def completion_tokens(self, last_chunk: Mapping[str, Any], pieces: int) -> int:
        """Return the tokens of a reply that came in so many pieces."""
        return int(last_chunk.get("timings", {}).get("predicted_n", pieces))

    def log_text(self) -> str:
        """Return what the server has printed."""
        return self._log.read_text(errors="replace")

    def _log_tail(self) -> str:
        return "\n".join(self.log_text().splitlines()[-15:])


class LlamaServer(PeerServer):
    """llama.cpp's own `llama-server`."""

    health_path = "/health"

    def extra_body(self) -> dict[str, Any]:
        """Its prompt cache is asked for, which is also its default."""
        return {"cache_prompt": True, "stream_options": {"include_usage": True}}

    def prompt_counts(self, last_chunk: Mapping[str, Any]) -> tuple[int | None, int | None]:
        """From its `timings`, in the last chunk."""
        timings = last_chunk.get("timings")
        if timings is None:
            return None, None
        return timings["cache_n"] + timings["prompt_n"], timings["prompt_n"]


class LlamaCppPythonServer(PeerServer):
    """`python -m llama_cpp.server`: the same library as hearthbot's, one request at a time."""

    health_path = "/v1/models"
    _HIT = re.compile(r"Llama\.generate: (\d+) prefix-match (?:hit, remaining (\d+) prompt|found )")

    def __init__(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> None:
        """`command` as for every server."""
        super().__init__(name, command, environ)
        self._seen = 0

    def extra_body(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def prompt_counts(
        self,
        last_chunk: Mapping[str, Any],  # noqa: ARG002 - there are no counts in it
    ) -> tuple[int | None, int | None]:
        """From the line it prints when it finds a prefix in its cache; it has no such line for a miss."""
        hits = self._HIT.findall(self.log_text())
        new, self._seen = hits[self._seen :], len(hits)
        if len(new) != 1 or not new[0][1]:
            return None, None
        hit, rest = map(int, new[0])
        return hit + rest, rest


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
