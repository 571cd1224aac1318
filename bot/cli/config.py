"""`hearthbot config`: check, show and write the configuration file."""

import json
import os
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

import bot
from bot.cli.options import ConfigOption, load_configuration
from bot.errors import ConfigError
from bot.paths import Paths

app = typer.Typer(no_args_is_help=True, help="Check, show or write the configuration file.")


@app.command()
def check(config: ConfigOption = None) -> None:
    """Read the configuration and say everything that is wrong with it."""
    loaded = load_configuration(config)
    settings = loaded.settings
    model = settings.model.path or settings.model.repo or "the embedded one"
    adapters = [name for name, adapter in settings.adapters.items() if adapter.enabled]
    given = sum(source != "default" for source in loaded.sources.values())
    typer.echo(f"{loaded.path or 'no file found, built-in defaults'}: OK, {given} of {len(loaded.sources)} keys set")
    typer.echo(f"  model     {model}")
    typer.echo(f"  persona   {settings.persona}, of {', '.join(settings.personas)}")
    typer.echo(f"  adapters  {', '.join(adapters) or 'none'}")


@app.command()
def show(
    config: ConfigOption = None,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print every key with its effective value and where that came from; secrets are masked."""
    from bot.config.view import as_json, as_yaml  # noqa: PLC0415 - heavy, and `hearthbot --help` need not wait for it

    loaded = load_configuration(config)
    if as_object:
        typer.echo(json.dumps(as_json(loaded), indent=2))
        return
    typer.echo(f"# {loaded.path or 'no file found: built-in defaults'}")
    typer.echo(as_yaml(loaded))


@app.command()
def init(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[PATH]", help="Where to write it; the user's configuration folder if not given."),
    ] = None,
) -> None:
    """Write a configuration file with every key explained. An existing file is never touched."""
    target = path or Paths.of_user().config_file
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{target}: its folder cannot be made: {error.strerror or error}") from None
    try:
        _write_new(target, example())
    except FileExistsError:
        kind = (
            "is a folder; give the name of a file in it" if target.is_dir() else "exists already and is left as it is"
        )
        raise ConfigError(f"{target}: {kind}") from None
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror or error}") from None
    typer.echo(f"wrote {target}")
    typer.echo(f"Edit it, then see whether it is right: hearthbot config check{f' --config {path}' if path else ''}")


def example() -> bytes:
    """The commented configuration file: a resource of the installed package, or next to it in a checkout."""
    name = "config.example.yaml"
    packaged = resources.files("bot") / name
    if packaged.is_file():
        return packaged.read_bytes()
    return (Path(bot.__file__).resolve().parents[1] / name).read_bytes()


def _write_new(target: Path, content: bytes) -> None:
    """Readable by its owner only, because secrets may be written into it. Nothing stays behind after a failure."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError:
        target.unlink()
        raise
