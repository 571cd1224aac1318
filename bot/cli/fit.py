"""`hearthbot fit`: how many layers of a model fit on the graphics cards, for people and for programs."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError

from bot.cli.options import load_configuration
from bot.engine.gpu_devices import gpu_devices
from bot.engine.load_params import used
from bot.engine.model_file import peek, resolve
from bot.engine.model_shape import ModelShape
from bot.errors import ConfigError, ModelLoadError
from bot.ops.fit import FitReport, parse_sizes
from bot.paths import Paths
from bot.settings import EngineSettings


def show(config: Path | None, model: Path | None, *, vram: str | None, as_json: bool, **given: Any) -> None:
    """Calculate and print. `given` are engine settings from the command line, None where the configuration's hold.

    Raises `ConfigError` and `ModelLoadError`, and `typer.BadParameter` for a size that is none.
    """
    free: Sequence[int] | None = None if vram is None else _sizes(vram)
    settings = load_configuration(config).settings
    engine = _with(settings.engine, {key: value for key, value in given.items() if value is not None})
    if model is None:
        file = resolve(settings.model, cache_dir=Paths.of_user().models, notify=partial(typer.echo, err=True))
        model = file.path
    if free is None:
        free = _free_now(engine)
    elif engine.split_mode == "none" and len(free) > 1:
        free = used(free, engine)
    if len(free) > 1 and engine.split_mode == "row":
        typer.echo("Calculated as if split_mode were layer: rows are spread over the cards in another way.", err=True)
    report = FitReport.of(_shape(model), engine, free=free)
    typer.echo(json.dumps(report.as_object()) if as_json else _as_text(model, report))


def _shape(model: Path) -> ModelShape:
    headers = peek(model)
    if not all(header.complete for header in headers):
        typer.echo(f"{model} is not all there; its header is, and that is enough to calculate.", err=True)
    try:
        return ModelShape.of(headers)
    except ModelLoadError as error:
        raise ModelLoadError(f"{model}: {error}") from None


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return parse_sizes(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--vram") from None


def _with(engine: EngineSettings, given: dict[str, Any]) -> EngineSettings:
    try:
        return EngineSettings.model_validate({**engine.model_dump(), **given})
    except ValidationError as error:
        problem = error.errors()[0]
        option = "".join(f"--{str(part).replace('_', '-')}: " for part in problem["loc"])
        raise ConfigError(f"{option}{problem['msg']}") from None


def _free_now(engine: EngineSettings) -> Sequence[int]:
    """Free memory of each card that the model may use."""
    cards = used(gpu_devices(), engine)
    if not cards:
        raise ConfigError(
            "the installed llama.cpp sees no graphics card whose free memory could be asked for. "
            "Say how much there is: hearthbot fit MODEL --vram 3GiB"
        )
    for card in cards:
        typer.echo(f"{card.description}: {card.free / 2**20:.0f} MiB free", err=True)
    return [card.free for card in cards]


def _as_text(model: Path, report: FitReport) -> str:
    context, row = report.context, report.recommended
    most = report.fit.rows[-1].n_gpu_layers
    free = " + ".join(f"{each / 2**20:.0f}" for each in report.free)
    each = " on each card" if len(report.free) > 1 else ""
    memory = f"{free} MiB of graphics memory, {report.margin / 2**20:.0f} of which stay unused{each}"
    lines = [
        f"{model.name} with {memory},",
        f"n_ctx {context.n_ctx}, max_parallel {context.max_parallel}, type_k {context.type_k}, type_v {context.type_v}",
        "",
        *report.as_lines(),
        "",
    ]
    if report.fits:
        lines.append(f"{row.n_gpu_layers} of {most} fit. In the configuration:")
    else:
        lines.append("Not one layer fits: a smaller n_ctx or max_parallel, or type_k and type_v: q8_0, need less.")
    return "\n".join([*lines, "", "engine:", f"  n_gpu_layers: {row.n_gpu_layers}"])
