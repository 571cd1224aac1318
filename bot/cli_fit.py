"""`hearthbot fit`: how many layers of a model fit on a graphics card, for people and for programs."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError

from bot.cli_options import load_configuration
from bot.engine.gpu_devices import gpu_devices
from bot.engine.model_file import peek, resolve
from bot.engine.model_shape import ModelShape
from bot.errors import ConfigError, ModelLoadError
from bot.ops.fit import FitReport, parse_size
from bot.paths import Paths
from bot.settings import EngineSettings


def show(config: Path | None, model: Path | None, *, vram: str | None, as_json: bool, **given: Any) -> None:
    """Calculate and print. `given` are engine settings from the command line, None where the configuration's hold.

    Raises `ConfigError` and `ModelLoadError`, and `typer.BadParameter` for a size that is none.
    """
    free = None if vram is None else _size(vram)
    settings = load_configuration(config).settings
    engine = _with(settings.engine, {key: value for key, value in given.items() if value is not None})
    if model is None:
        file = resolve(settings.model, cache_dir=Paths.of_user().models, notify=partial(typer.echo, err=True))
        model = file.path
    report = FitReport.of(_shape(model), engine, free=_free_now(engine) if free is None else free)
    typer.echo(json.dumps(report.as_object()) if as_json else _as_text(model, report))


def _shape(model: Path) -> ModelShape:
    headers = peek(model)
    if not all(header.complete for header in headers):
        typer.echo(f"{model} is not all there; its header is, and that is enough to calculate.", err=True)
    try:
        return ModelShape.of(headers)
    except ModelLoadError as error:
        raise ModelLoadError(f"{model}: {error}") from None


def _size(text: str) -> int:
    try:
        return parse_size(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--vram") from None


def _with(engine: EngineSettings, given: dict[str, Any]) -> EngineSettings:
    try:
        return EngineSettings.model_validate({**engine.model_dump(), **given})
    except ValidationError as error:
        problem = error.errors()[0]
        option = "".join(f"--{str(part).replace('_', '-')}: " for part in problem["loc"])
        raise ConfigError(f"{option}{problem['msg']}") from None


def _free_now(engine: EngineSettings) -> int:
    """Free memory of the card that is used, or of the one with most of it where there are several to choose from."""
    cards = gpu_devices()
    if not cards:
        raise ConfigError(
            "the installed llama.cpp sees no graphics card whose free memory could be asked for. "
            "Say how much there is: hearthbot fit MODEL --vram 3GiB"
        )
    if engine.split_mode == "none" and engine.main_gpu < len(cards):
        card = cards[engine.main_gpu]
    else:
        card = max(cards, key=lambda card: card.free)
    others = f"; the other {len(cards) - 1} left out" if len(cards) > 1 else ""
    typer.echo(f"{card.description}: {card.free / 2**20:.0f} MiB free{others}", err=True)
    return card.free


def _as_text(model: Path, report: FitReport) -> str:
    context, row = report.context, report.recommended
    most = report.fit.rows[-1].n_gpu_layers
    memory = f"{report.free / 2**20:.0f} MiB of graphics memory, {report.margin / 2**20:.0f} of which stay unused"
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
