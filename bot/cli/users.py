"""`hearthbot users`: who may talk to the bot, decided on the command line while the daemon runs or not."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from bot.cli.options import ConfigOption, load_configuration
from bot.errors import ConfigError, InvalidRequestError
from bot.paths import Paths

if TYPE_CHECKING:
    from bot.ops.users_desk import UsersDesk

app = typer.Typer(no_args_is_help=True, help="Show and decide who may talk to the bot. The daemon need not run.")

T = TypeVar("T")
Whom = Annotated[str, typer.Argument(metavar="CODE|ID", help="A pairing code, or an id such as telegram:123456789.")]
AsObject = Annotated[bool, typer.Option("--json", help="Print one JSON object for each.")]


@app.command(name="list")
def show(*, config: ConfigOption = None, as_json: AsObject = False) -> None:
    """Print everybody who was let in, made an admin or shut out, and who asks to be let in."""
    people = _run(config, lambda desk: desk.everybody())
    for each in people:
        line = f"{each['role']:<8} {each['id']:<32} {each['source']:<14} {each['name']}".rstrip()
        typer.echo(json.dumps(each, ensure_ascii=False) if as_json else line)
    if not people:
        typer.echo("nobody yet: send the bot the code that the daemon prints when it starts", err=True)


@app.command()
def approve(whom: Whom, config: ConfigOption = None) -> None:
    """Let somebody in."""
    typer.echo(_run(config, lambda desk: desk.decide(whom, "approve")))


@app.command()
def deny(whom: Whom, config: ConfigOption = None) -> None:
    """Leave somebody outside who asks; they are not answered for a week."""
    typer.echo(_run(config, lambda desk: desk.decide(whom, "deny")))


@app.command()
def block(whom: Whom, config: ConfigOption = None) -> None:
    """Shut somebody out, wherever they write."""
    typer.echo(_run(config, lambda desk: desk.decide(whom, "block")))


@app.command()
def role(
    identity: Annotated[str, typer.Argument(metavar="ID", help="An id such as telegram:123456789.")],
    name: Annotated[Literal["admin", "user", "blocked", "none"], typer.Argument(metavar="admin|user|blocked|none")],
    config: ConfigOption = None,
) -> None:
    """Give somebody a role, or take away the one that was given."""
    typer.echo(_run(config, lambda desk: desk.role(identity, None if name == "none" else name)))


@app.command()
def audit(
    *,
    config: ConfigOption = None,
    count: Annotated[int, typer.Option("--last", metavar="N", help="How many.")] = 50,
    as_json: AsObject = False,
) -> None:
    """Print what admins did, the latest last."""
    for each in _run(config, lambda desk: desk.audit(count)):
        line = f"{each['at']}  {each['actor']}: {each['act']} {each['subject']} {each['detail']}".rstrip()
        typer.echo(json.dumps(each, ensure_ascii=False) if as_json else line)


def _run(config: Path | None, work: Callable[["UsersDesk"], Awaitable[T]]) -> T:
    """Do something with the database of the configuration. Raises `ConfigError` and `StorageError`."""
    from bot.ops.users_desk import UsersDesk  # noqa: PLC0415 - heavy, and `hearthbot --help` need not wait for it

    settings = load_configuration(config).settings

    async def inside() -> T:
        async with UsersDesk.open(settings, Paths.of_user().database_at(settings.storage.path)) as desk:
            return await work(desk)

    try:
        return asyncio.run(inside())
    except InvalidRequestError as error:
        raise ConfigError(error.user_text) from None
