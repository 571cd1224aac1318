"""What the API adds to the engine: milliseconds before the first byte, processor time, and a crowd at the door."""

import asyncio
import json
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from adapters.web import WebAdapter, WebSettings
from benchmarks.listener import Listener
from benchmarks.report import Plot, Reach, Report
from benchmarks.setup import Setup
from bot.adapter import ChatCore
from bot.backend import open_backend
from bot.messages import IncomingMessage
from bot.paths import Paths
from bot.settings import Configuration, GenerationSettings, ModelSettings

ALONE = 20
"""Replies one after another, in each run."""
STREAMS = 8
SHORT, LONG = 8, 128
"""Tokens a reply."""
CROWD = 1000
"""Connections at the same time."""
MORE_CROWDS = 4
CHATS = 10
"""Messages of a chat, without the crowd and with it."""
N_CTX = 1024
LONGEST_S = 120
"""Seconds that the clients may take for one answer; then the benchmark fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Of one run."""

    overheads_s: list[float]
    """From the engine's first token to the first byte, of each reply."""
    share: float
    """Of the process's time that the event loop's thread took at several streams."""
    of_a_core: float
    kept: int
    """Connections of the crowd that were not turned away."""
    alone_s: list[float]
    """Until a chat is shown the first of its reply."""
    crowded_s: list[float]
    """The same with the crowd at the door."""
    mib: tuple[float, float, float]
    """Of memory: before the first crowd, after it, and after the last of several."""


async def measure(setup: Setup) -> Report:
    """Ask the daemon's own server over a socket, from another process."""
    runs: list[Found] = []
    for run in range(setup.runs):
        with tempfile.TemporaryDirectory(prefix="hearthbot-bench-") as folder:
            runs.append(await _run(setup, Path(folder)))
        setup.say(f"api: run {run + 1} of {setup.runs}")
    milliseconds = sorted(each * 1000 for run in runs for each in run.overheads_s)
    share = median(run.share for run in runs)
    alone = sorted(each * 1000 for run in runs for each in run.alone_s)
    crowded = sorted(each * 1000 for run in runs for each in run.crowded_s)
    grown = median(run.mib[1] - run.mib[0] for run in runs)
    grown_more = median(run.mib[2] - run.mib[1] for run in runs)
    return Report(
        name="api",
        title="The API's own share",
        about=(
            f"The daemon with its web server; the clients are another process on the same machine. The first figure is "
            f"the time to the first byte of a streamed reply less the engine's own time to the first token of the same "
            f"request, over {ALONE} replies one after another. The next two are of the event loop's thread, which "
            f"serves {STREAMS} streams of {LONG} tokens at the same time while the engine's thread writes them. Then "
            f"{CROWD:,} connections are opened, each with half a request, of which the server keeps "
            f"{median(run.kept for run in runs):.0f} and sends the others away, while somebody in a chat app is "
            f"answered {CHATS} times. The memory is that of before, of after the first such crowd, and of after "
            f"{MORE_CROWDS} more."
        ),
        header=("", "median", "95 of 100 below"),
        rows=[
            ("first byte after the engine's first token, ms", f"{median(milliseconds):.2f}", _most(milliseconds)),
            (f"share of the daemon's processor time at {STREAMS} streams", f"{share:.2%}", ""),
            (f"share of one core at {STREAMS} streams", f"{median(run.of_a_core for run in runs):.2%}", ""),
            ("a chat's first words, ms", f"{median(alone):.1f}", _most(alone)),
            (f"the same with {CROWD:,} connections, ms", f"{median(crowded):.1f}", _most(crowded)),
            (f"memory after {CROWD:,} connections, MiB more than before", f"{grown:.1f}", ""),
            (f"memory after {MORE_CROWDS} such crowds more, MiB more again", f"{grown_more:.1f}", ""),
        ],
        reaches=[
            Reach(what="first byte after the first token, median", figure=median(milliseconds), limit=5, unit=" ms"),
            Reach(
                what=f"the server's share of the processor time at {STREAMS} streams",
                figure=share * 100,
                limit=5,
                unit=" %",
            ),
            Reach(what="memory that later crowds add", figure=grown_more, limit=1, unit=" MiB"),
        ],
        plot=Plot(
            x_label="replies, from fastest to slowest",
            y_label="first byte after the first token, ms",
            series={"hearthbot": milliseconds},
        ),
        raw={
            "overhead_ms": milliseconds,
            "share": [run.share for run in runs],
            "share_of_a_core": [run.of_a_core for run in runs],
            "chat_ms": alone,
            "chat_in_a_crowd_ms": crowded,
            "memory_mib": [run.mib for run in runs],
        },
    )


async def _run(setup: Setup, folder: Path) -> Found:
    paths = Paths(config=folder, data=folder, cache=folder, state=folder)
    configuration = Configuration(
        model=ModelSettings(path=str(setup.model)),
        # Conversations that are kept would count as memory of the connections.
        engine=setup.settings(n_ctx=N_CTX, parallel=STREAMS).model_copy(update={"kv_ram_mb": 0, "kv_disk_mb": 0}),
        generation=GenerationSettings(max_tokens=SHORT),
    )
    async with open_backend(configuration, paths=paths, notify=lambda _: None) as backend:
        adapter = WebAdapter(name="web", settings=WebSettings(port=0), core=backend.core)
        clients = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.api_child", stdin=PIPE, stdout=PIPE
        )
        try:
            await adapter.start()
            return await _measure(Clients(clients, adapter.url), backend.core)
        finally:
            clients.kill()
            await clients.wait()
            await adapter.aclose()


async def _measure(clients: "Clients", core: ChatCore) -> Found:
    await clients.streams(1, tokens=SHORT, number=0)  # warm everything up
    overheads = []
    for number in range(ALONE):
        overheads += await clients.streams(1, tokens=SHORT, number=100 + number)
    began, of_loop, of_process = time.perf_counter(), time.thread_time(), time.process_time()
    await clients.streams(STREAMS, tokens=LONG, number=200)
    wall, loop, process = time.perf_counter() - began, time.thread_time() - of_loop, time.process_time() - of_process
    memory = psutil.Process().memory_info
    mib = [memory().rss / 2**20]
    for _ in range(1 + MORE_CROWDS):
        await clients.crowd()
        await clients.gone()
        mib.append(memory().rss / 2**20)
    await _chat(core)
    alone = [await _chat(core) for _ in range(CHATS)]
    kept = await clients.crowd()
    crowded = [await _chat(core) for _ in range(CHATS)]
    await clients.gone()
    return Found(
        overheads_s=overheads,
        share=loop / process,
        of_a_core=loop / wall,
        kept=kept,
        alone_s=alone,
        crowded_s=crowded,
        mib=(mib[0], mib[1], mib[-1]),
    )


async def _chat(core: ChatCore) -> float:
    """Seconds until somebody in a chat app sees the first of a reply."""
    target = Listener()
    message = IncomingMessage(
        adapter="telegram", chat="1", user="1", message_id=str(time.monotonic_ns()), text="Hello!", vouched=True
    )
    async with asyncio.timeout(LONGEST_S):
        await core.handle(message, target)
    if target.first_s is None:
        raise RuntimeError("the chat was not answered")
    return target.first_s


class Clients:
    """The other process."""

    def __init__(self, process: Process, url: str) -> None:
        self._process = process
        self._url = url

    async def streams(self, count: int, *, tokens: int, number: int) -> list[float]:
        """Have replies streamed at the same time; seconds from the engine's first token to the first byte of each."""
        answer = await self._ask(f"stream {self._url} {count} {tokens} {number}")
        return [first - engine_s for first, engine_s in answer]

    async def crowd(self) -> int:
        """Open connections; how many are kept."""
        return int(await self._ask(f"connect {self._url} {CROWD}"))

    async def gone(self) -> None:
        """Close them, and give the server time to see it."""
        await self._ask(f"connect {self._url} 0")

    async def _ask(self, line: str) -> Any:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the clients have no pipes")
        self._process.stdin.write(f"{line}\n".encode())
        async with asyncio.timeout(LONGEST_S):
            await self._process.stdin.drain()
            answer = await self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the clients have ended")
        return json.loads(answer)


def _most(figures: list[float]) -> str:
    return f"{figures[int(len(figures) * 0.95)]:.2f}"
