"""`hearthbot bench`: how fast this box is with its model, for people and for programs."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bot.cli.options import load_configuration
from bot.errors import ModelLoadError
from bot.ops.bench import Bench, Measured, Variant, variants_of
from bot.ops.bench_advice import advise
from bot.paths import Paths
from bot.settings import Configuration


def measure(config: Path | None, *, as_json: bool) -> None:
    """Measure and print. Raises `ConfigError` and `ModelLoadError`."""
    settings = load_configuration(config).settings
    bench = Bench(paths=Paths.of_user(), notify=partial(typer.echo, err=True))
    asyncio.run(_measure(bench, settings, as_json=as_json))


async def _measure(bench: Bench, settings: Configuration, *, as_json: bool) -> None:
    configured = await bench.configured(settings)
    variants = variants_of(configured)
    measured: list[Measured] = []
    with _progress(variants) as step:
        async for each in bench.measure(variants):
            measured.append(each)
            step(each)
    if measured[0].speed is None:
        raise ModelLoadError(f"the model could not be measured as configured: {measured[0].failure}")
    advice = advise(measured, settings.engine)
    if as_json:
        found = {
            "model": Path(configured.path).name,
            "measured": [each.as_object() for each in measured],
            "advice": advice,
        }
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    console = Console()
    console.print(_table(Path(configured.path).name, measured))
    for sentence in advice:
        console.print(f"- {sentence}", markup=False, highlight=False)


@contextmanager
def _progress(variants: Sequence[Variant]) -> Iterator[Callable[[Measured], None]]:
    """Show how far it is, on standard error: a bar on a terminal, else lines."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda each: typer.echo(f"measured: {each.variant.name}", err=True)
        return
    names = iter([*(variant.name for variant in variants), "done"])
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(next(names), total=len(variants))
        yield lambda _: progress.update(task, advance=1, description=next(names))


def _table(model: str, measured: Sequence[Measured]) -> Table:
    table = Table(title=model, title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("settings", no_wrap=True)
    for name in ("reads\ntokens/s", "writes\ntokens/s", "2 at\nonce", "4 at\nonce", "KV save\nms", "restore\nms"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in measured:
        speed = each.speed
        if speed is None:
            table.add_row(each.variant.name, "fails")
            continue
        rates = [speed.prefill_tokens_per_s, *(speed.decode_tokens_per_s.get(count) for count in (1, 2, 4))]
        shown = ("" if rate is None else f"{rate:.1f}" for rate in rates)
        table.add_row(each.variant.name, *shown, f"{speed.save_ms:.1f}", f"{speed.restore_ms:.1f}")
    return table
