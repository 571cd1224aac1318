"""Whether the machine is up to it: processor, memory and clock."""

import time
from pathlib import Path

import psutil

from bot.check import Check
from bot.engine.cpu import cpu_description, logical_cpus, physical_cores
from bot.engine.runner import cpu_features

_BUILT = 1_760_000_000
"""Seconds since 1970, in October 2025: a clock before it is wrong, since this program did not exist then."""
_SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")
_MIB = 1 << 20


def processor_check() -> Check:
    """Which processor, and which of its instructions the library uses."""
    model = next((line.partition(":")[2].strip() for line in cpu_description().splitlines() if "name" in line), "CPU")
    cores = f"{physical_cores()} cores, {logical_cpus()} threads"
    return Check(name="processor", status="ok", found=f"{model}, {cores}; llama.cpp uses {cpu_features()}")


def memory_check(needed: int = 0) -> Check:
    """Whether the model, `needed` bytes, fits into what is free. A mapped file that does not is read all the time."""
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    found = f"{memory.available // _MIB} of {memory.total // _MIB} MiB free, swap {swap.used // _MIB} MiB used"
    if needed > memory.available:
        fix = (
            "take a smaller model or quantization, or close other programs: a model that is not in memory is very slow"
        )
        found = f"{found}; the model alone has {needed // _MIB} MiB"
        return Check(name="memory", status="warn", found=found, fix=fix)
    return Check(name="memory", status="ok", found=found)


def clock_check(now_s: float | None = None) -> Check:
    """Whether the clock can be right. Platforms refuse a wrong one (TLS), and quotas and retention count by it."""
    now_s = time.time() if now_s is None else now_s
    found = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(now_s))
    if now_s < _BUILT:
        fix = "set the clock: sudo timedatectl set-ntp true; an old board may need a new battery"
        return Check(name="clock", status="fail", found=found, fix=fix, exit_code=1)
    if _SYNCHRONIZED.exists():
        found = f"{found}, kept by systemd-timesyncd"
    return Check(name="clock", status="ok", found=found)
