"""What the API adds to the engine: milliseconds before the first byte, and processor time while it streams."""

import asyncio
import json
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from statistics import median

from adapters.web import WebAdapter, WebSettings
from benchmarks.report import Plot, Reach, Report
from benchmarks.setup import Setup
from bot.backend import open_backend
from bot.paths import Paths
from bot.settings import Configuration, ModelSettings

ALONE = 20
"""Replies one after another, in each run."""
STREAMS = 8
SHORT, LONG = 8, 128
"""Tokens a reply."""
N_CTX = 1024


async def measure(setup: Setup) -> Report:
    """Ask the daemon's own server over a socket, from another process."""
    overheads: list[float] = []
    shares: list[float] = []
    of_a_core: list[float] = []
    for run in range(setup.runs):
        with tempfile.TemporaryDirectory(prefix="hearthbot-bench-") as folder:
            found = await _run(setup, Path(folder))
        overheads += found[0]
        shares.append(found[1])
        of_a_core.append(found[2])
        setup.say(f"api: run {run + 1} of {setup.runs}")
    milliseconds = sorted(each * 1000 for each in overheads)
    worst = milliseconds[int(len(milliseconds) * 0.95)]
    return Report(
        name="api",
        title="The API's own share",
        about=(
            f"The daemon with its web server; the clients are another process on the same machine. The first figure is "
            f"the time to the first byte of a streamed reply less the engine's own time to the first token of the same "
            f"request, over {ALONE} replies one after another. The others are of the event loop's thread, which serves "
            f"{STREAMS} streams of {LONG} tokens at the same time while the engine's thread writes them."
        ),
        header=("", "median", "95 of 100 below"),
        rows=[
            ("first byte after the engine's first token, ms", f"{median(milliseconds):.2f}", f"{worst:.2f}"),
            (f"share of the daemon's processor time at {STREAMS} streams", f"{median(shares):.2%}", ""),
            (f"share of one core at {STREAMS} streams", f"{median(of_a_core):.2%}", ""),
        ],
        reaches=[
            Reach(what="first byte after the first token, median", figure=median(milliseconds), limit=5, unit=" ms"),
            Reach(
                what=f"the server's share of the processor time at {STREAMS} streams",
                figure=median(shares) * 100,
                limit=5,
                unit=" %",
            ),
        ],
        plot=Plot(
            x_label="replies, from fastest to slowest",
            y_label="first byte after the first token, ms",
            series={"hearthbot": milliseconds},
        ),
        raw={"overhead_ms": milliseconds, "share": shares, "share_of_a_core": of_a_core},
    )


async def _run(setup: Setup, folder: Path) -> tuple[list[float], float, float]:
    """Overheads in seconds, and the event loop's share of the process's time and of one core."""
    paths = Paths(config=folder, data=folder, cache=folder, state=folder)
    configuration = Configuration(
        model=ModelSettings(path=str(setup.model)), engine=setup.settings(n_ctx=N_CTX, parallel=STREAMS)
    )
    async with open_backend(configuration, paths=paths, notify=lambda _: None) as backend:
        adapter = WebAdapter(name="web", settings=WebSettings(port=0), core=backend.core)
        clients = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.api_child", stdin=PIPE, stdout=PIPE
        )
        try:
            await adapter.start()
            await _ask(clients, adapter.url, streams=1, tokens=SHORT, number=0)  # warm everything up
            overheads = []
            for number in range(ALONE):
                overheads += await _ask(clients, adapter.url, streams=1, tokens=SHORT, number=100 + number)
            began, of_loop, of_process = time.perf_counter(), time.thread_time(), time.process_time()
            await _ask(clients, adapter.url, streams=STREAMS, tokens=LONG, number=200)
            wall, loop = time.perf_counter() - began, time.thread_time() - of_loop
            return overheads, loop / (time.process_time() - of_process), loop / wall
        finally:
            clients.terminate()
            await clients.wait()
            await adapter.aclose()


async def _ask(clients: Process, url: str, *, streams: int, tokens: int, number: int) -> list[float]:
    """Have replies streamed at the same time; seconds from the engine's first token to the first byte of each."""
    if clients.stdin is None or clients.stdout is None:
        raise RuntimeError("the clients have no pipes")
    clients.stdin.write(f"{url} {streams} {tokens} {number}\n".encode())
    await clients.stdin.drain()
    answer = await clients.stdout.readline()
    if not answer:
        raise RuntimeError("the clients have ended")
    return [first - engine_s for first, engine_s in json.loads(answer)]
