"""The command line: the commands, and what each error means to a shell."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bot import __version__
from bot.cli import config as config_commands
from bot.cli import database, records, service, users
from bot.cli.options import ConfigOption
from bot.errors import HearthbotError

log = logging.getLogger("bot.cli")

# Commands import what they need when they are called: `hearthbot --help` answers at once.
app = typer.Typer(
    name="hearthbot",
    help="A chat bot for family and friends, on one small model at home.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

app.add_typer(config_commands.app, name="config")
app.add_typer(records.app, name="records")
app.add_typer(users.app, name="users")
app.add_typer(service.app, name="service")
app.add_typer(database.app, name="db")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hearthbot {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """A chat bot for family and friends, on one small model at home."""


@app.command()
def run(config: ConfigOption = None) -> None:
    """Run the daemon: every configured adapter, and the console where there is a terminal.

    SIGTERM and Ctrl-C let replies under way finish for `engine.shutdown_timeout` seconds; a second one stops now.
    """
    from bot.cli import daemon  # noqa: PLC0415

    daemon.run(config)


@app.command()
def chat(
    *,
    config: ConfigOption = None,
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose conversation it is. [default: who you are here]")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Read lines and print one JSON object for each reply.")
    ] = False,
) -> None:
    """Talk on this terminal.

    When standard input or output is no terminal, and with --json, each line is a message; the replies are printed in
    order, everything else goes to standard error, and the exit code is 1 if any message could not be answered.
    """
    from bot.cli import daemon  # noqa: PLC0415

    if user is not None and not user.strip():
        raise typer.BadParameter("a name has at least one letter", param_hint="--user")
    daemon.chat(config, user=user, as_json=as_json)


@app.command()
def extract(
    schema: Annotated[
        str,
        typer.Argument(
            metavar="SCHEMA",
            help="A name from the configuration, a .json file with a JSON Schema, or fields such as 'name, age int'.",
        ),
    ],
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE]...", help="Texts, web pages, e-mails, PDFs; - is standard input."),
    ] = None,
    *,
    config: ConfigOption = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print one JSON value a line. [default]")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table for spreadsheets.")] = False,
    as_table: Annotated[bool, typer.Option("--table", help="Print a table in Markdown.")] = False,
    grounding: Annotated[
        bool, typer.Option("--grounding", help="Say of each value where in the text it stands, or that it does not.")
    ] = False,
    source: Annotated[bool, typer.Option("--source", help="Say of each value which file it comes from.")] = False,
    many: Annotated[bool, typer.Option("--many", help="Each text has any number of such records.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Read also what was read before.")] = False,
) -> None:
    """Read JSON that fits a schema out of texts.

    What was read is kept, so a run that was broken off goes on where it was when it is started again. A file that fails
    is listed at the end and does not stop the others; the exit code is 0 only when none did.
    """
    if jsonl + as_csv + as_table > 1:
        raise typer.BadParameter("choose one of them", param_hint="--jsonl, --csv, --table")
    if not files and sys.stdin.isatty():
        raise typer.BadParameter("name files, or give a text on standard input", param_hint="FILE")
    from bot.cli import extract as extract_command  # noqa: PLC0415

    wanted = extract_command.Wanted(
        schema=schema,
        files=files or [extract_command.STDIN],
        form="csv" if as_csv else "table" if as_table else "jsonl",
        grounding=grounding,
        with_source=source,
        many=many,
        again=again,
    )
    raise typer.Exit(extract_command.extract(config, wanted))


@app.command()
def history(
    *,
    config: ConfigOption = None,
    user: Annotated[str | None, typer.Option(metavar="NAME", help="Only what this person said and was told.")] = None,
    conversation: Annotated[int | None, typer.Option(metavar="ID", help="Only this conversation.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each conversation.")] = False,
) -> None:
    """Print stored conversations, oldest first."""
    from bot.cli import history as history_command  # noqa: PLC0415

    history_command.show(config, user=user, conversation=conversation, as_json=as_json)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; must not exist yet.")],
    *,
    config: ConfigOption = None,
) -> None:
    """Copy everything that is stored, while the daemon runs.

    Models and KV states are left out: they can be had again.
    """
    database.back_up(config, file)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")], *, config: ConfigOption = None
) -> None:
    """Put a backup in the place of what is stored; a copy of that is kept beside it."""
    database.restore(config, file)


@app.command()
def doctor(
    *,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each check.")] = False,
) -> None:
    """Check the installation, the configuration, the storage and the model, and say how to mend what is wrong.

    The exit code is 0 when the daemon would start, else that of the first failure: configuration 2, model 3, storage 4.
    """
    from bot.cli import doctor as doctor_command  # noqa: PLC0415

    raise typer.Exit(doctor_command.examine(config, as_json=as_json))


@app.command()
def fit(
    model: Annotated[
        Path | None, typer.Argument(metavar="[MODEL]", help="A GGUF file, or just its header. [default: as configured]")
    ] = None,
    *,
    config: ConfigOption = None,
    vram: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="The card's free memory, such as 3GiB; with a comma between them, of several. [default: asked for]",
        ),
    ] = None,
    n_ctx: Annotated[int | None, typer.Option(help="Window of one conversation, in tokens.")] = None,
    max_parallel: Annotated[int | None, typer.Option(help="Conversations at the same time.")] = None,
    type_k: Annotated[str | None, typer.Option(metavar="TYPE", help="Type of the K cache.")] = None,
    type_v: Annotated[str | None, typer.Option(metavar="TYPE", help="Type of the V cache.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Calculate how many layers of a model fit on graphics cards, which need not be there.

    What is not given is as configured: n_ctx, max_parallel, the cache's types, n_ubatch, flash_attn, vram_margin_mib.
    """
    from bot.cli import fit as fit_command  # noqa: PLC0415

    fit_command.show(
        config,
        model,
        vram=vram,
        as_json=as_json,
        n_ctx=n_ctx,
        max_parallel=max_parallel,
        type_k=type_k,
        type_v=type_v,
    )


@app.command()
def bench(
    *,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure how fast this box is with its model, and with other settings, and say what is worth changing.

    Takes one to a few minutes. Nothing is changed. Other programs, and a daemon that is answering, spoil the figures.
    """
    from bot.cli import bench as bench_command  # noqa: PLC0415

    bench_command.measure(config, as_json=as_json)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command, by default that of this process; ends with `SystemExit`.

    An error that is expected shows its message and has its exit code; any other one also leaves a trace in the log.
    """
    try:
        app(arguments, prog_name="hearthbot")
    except HearthbotError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - the last resort, which logs it
        typer.echo(f"hearthbot failed unexpectedly ({type(error).__name__}); {_record(error)}", err=True)
        sys.exit(1)


def _record(error: Exception) -> str:
    from logging.handlers import WatchedFileHandler  # noqa: PLC0415

    from bot.logs import configure  # noqa: PLC0415
    from bot.paths import Paths  # noqa: PLC0415
    from bot.settings import LoggingSettings  # noqa: PLC0415

    root = logging.getLogger()
    if not root.handlers:
        paths = Paths.of_user()
        try:
            paths.create()
            configure(LoggingSettings(), handler=WatchedFileHandler(paths.log_file, encoding="utf-8"))
        except (OSError, HearthbotError):
            configure(LoggingSettings())
    log.critical("unexpected error", exc_info=error)
    files = [handler.baseFilename for handler in root.handlers if isinstance(handler, logging.FileHandler)]
    return f"the details are in {files[0] if files else 'the log'}"
