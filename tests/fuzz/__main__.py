"""Fuzz the parsers with coverage: `python -m tests.fuzz [NAME ...] [--seconds N]`, or `make fuzz`.

What is interesting is kept in `.fuzz/NAME` and tried again first; what breaks something is written to `.fuzz`.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import atheris

NAMES = ("commands", "schemas", "splitter", "yaml", "gguf", "kv", "http")
FOLDER = Path(".fuzz")
_LONGEST = {"gguf": 4096, "http": 2048, "yaml": 1024, "kv": 1024}


def main() -> int:
    """Run each in a process of its own, since a fuzzer ends its process; returns how many have found something."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the parsers of strangers' input.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(NAMES)}; all when none")
    parser.add_argument("--seconds", type=int, default=60, help="for each (default: %(default)s)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if unknown := [name for name in wanted.names if name not in NAMES]:
        parser.error(f"no target is called {unknown[0]!r}; there are {', '.join(NAMES)}")
    if wanted.here:
        fuzz(wanted.names[0], wanted.seconds)
    found = 0
    for name in wanted.names or NAMES:
        sys.stderr.write(f"== {name}, {wanted.seconds} s\n")
        command = [sys.executable, "-m", "tests.fuzz", name, "--here", "--seconds", str(wanted.seconds)]
        found += subprocess.run(command, check=False).returncode != 0
    return found


def fuzz(name: str, seconds: int) -> None:
    """Never returns: libFuzzer ends the process."""
    with atheris.instrument_imports(include=["bot", "adapters", "yaml"], enable_loader_override=False):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - imported under the instrument
    corpus = FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    options = (
        f"-max_total_time={seconds}",
        f"-max_len={_LONGEST.get(name, 512)}",
        f"-artifact_prefix={FOLDER}/{name}-",
        "-print_final_stats=1",
        "-timeout=20",
        "-rss_limit_mb=2048",
    )
    atheris.Setup([sys.argv[0], str(corpus), *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
