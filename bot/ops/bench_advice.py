"""What measurements say about the configuration, in words. Pure."""

from collections.abc import Iterator, Sequence

from bot.ops.bench import Measured
from bot.ops.speed import Speed
from bot.settings import EngineSettings

CLEARLY = 1.1
"""Times as fast; less is noise, or not worth a line in a file."""
PAYS = 1.2
"""Times as much written by twice the replies."""
SLOW_TOKENS_PER_S = 3.0
"""Below this a reply is written slower than people read aloud."""
BUSY = 0.15
"""Share of the processors' time."""
KV_QUANTIZED = "type_k"


def advise(measured: Sequence[Measured], settings: EngineSettings) -> tuple[str, ...]:
    """Sentences for the owner, the most useful first. The first of `measured` is the configuration itself."""
    base = measured[0].speed
    if base is None:
        return ()
    found = [
        *_busy(measured),
        *_speed(base),
        *_changes(measured, base),
        *_parallel(base, settings),
        *_states(base, settings),
    ]
    return tuple(found)


def _busy(measured: Sequence[Measured]) -> Iterator[str]:
    if (others := max(each.others for each in measured)) > BUSY:
        yield (
            f"Other programs took up to {others:.0%} of the processors while this was measured: the figures are too "
            "low and not comparable. Measure again when the machine is quiet."
        )


def _speed(base: Speed) -> Iterator[str]:
    if (rate := base.decode_tokens_per_s[1]) < SLOW_TOKENS_PER_S:
        yield (
            f"{rate:.1f} tokens/s is slower than people read aloud: take a smaller model, or a smaller quantization "
            "of this one."
        )


def _changes(measured: Sequence[Measured], base: Speed) -> Iterator[str]:
    better = False
    for other in measured[1:]:
        if other.speed is None:
            yield f"`{other.variant.name}` does not run here: {other.failure}"
        elif other.variant.name.startswith(KV_QUANTIZED):
            yield _quantized(other.variant.name, other.speed, base)
        else:
            read = other.speed.prefill_tokens_per_s / base.prefill_tokens_per_s
            write = other.speed.decode_tokens_per_s[1] / base.decode_tokens_per_s[1]
            if max(read, write) >= CLEARLY and min(read, write) * CLEARLY > 1:
                better = True
                yield f"Set `engine.{other.variant.name}`: {_compared(read, write)}."
            elif max(read, write) >= CLEARLY:
                yield f"`engine.{other.variant.name}` is a trade: {_compared(read, write)}."
    if not better:
        yield "None of the other threads, batches and kinds of attention that were tried is better in everything."


def _quantized(name: str, speed: Speed, base: Speed) -> str:
    memory = speed.state_bytes / speed.history_tokens / (base.state_bytes / base.history_tokens)
    read = speed.prefill_tokens_per_s / base.prefill_tokens_per_s
    write = speed.decode_tokens_per_s[1] / base.decode_tokens_per_s[1]
    return f"`{name}` takes {memory:.0%} of the memory for conversations, and {_compared(read, write)}."


def _compared(read: float, write: float) -> str:
    return f"it reads {_percent(read)} and writes {_percent(write)}"


def _percent(ratio: float) -> str:
    if abs(ratio - 1) < 0.03:  # noqa: PLR2004 - what two runs of the same differ by
        return "as fast"
    return f"{abs(ratio - 1):.0%} {'faster' if ratio > 1 else 'slower'}"


def _parallel(base: Speed, settings: EngineSettings) -> Iterator[str]:
    rates = base.decode_tokens_per_s
    best = 1
    for count in sorted(rates)[1:]:
        if rates[count] < rates[best] * PAYS:
            break
        best = count
    told = ", ".join(f"{count}: {rate:.0f}" for count, rate in sorted(rates.items()))
    figures = f"tokens/s of all together by replies at the same time are {told}"
    if best > settings.max_parallel:
        yield f"`engine.max_parallel: {best}` would pay when several people talk at once: {figures}."
    elif best < settings.max_parallel:
        yield f"More than {best} at a time gain little here: {figures}."
    else:
        yield f"`engine.max_parallel: {settings.max_parallel}` suits this machine: {figures}."


def _states(base: Speed, settings: EngineSettings) -> Iterator[str]:
    size = base.state_bytes / base.history_tokens * settings.n_ctx
    figures = (
        f"bringing {base.history_tokens} tokens back takes {base.restore_ms:.0f} ms, "
        f"reading them again {base.evaluate_ms / 1000:.1f} s"
    )
    if not settings.kv_ram_mb and not settings.kv_disk_mb:
        yield f"Set `engine.kv_ram_mb`, so that conversations need not be read again: {figures}."
        return
    held = settings.kv_ram_mb * 2**20 / size
    yield (
        f"Conversations are kept: {figures}. `engine.kv_ram_mb: {settings.kv_ram_mb}` holds {held:.1f} of them with a "
        "full window; the others come from the disk."
        if settings.kv_disk_mb
        else f"Conversations are kept: {figures}. `engine.kv_ram_mb: {settings.kv_ram_mb}` holds {held:.1f} of them "
        "with a full window; the others are read again."
    )
