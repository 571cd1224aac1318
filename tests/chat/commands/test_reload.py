"""/reload."""

from bot.chat.composition import compose_chat
from bot.errors import ConfigError
from bot.settings import Configuration
from bot.storage.audit_repository import AuditRepository
from tests.support.chat_bench import CONFIGURATION, ChatBench


class File:
    """A configuration that is right or wrong."""

    def __init__(self) -> None:
        self.error: ConfigError | None = None

    async def reload(self) -> str:
        """Say what was different, or what is wrong."""
        if self.error is not None:
            raise self.error
        return "changed: personas"


async def test_an_admin_reads_the_file_again(bench: ChatBench) -> None:
    """What was different is told and written down; nobody else knows the command."""
    file = File()
    bench.service = compose_chat(
        configuration=Configuration.model_validate(CONFIGURATION),
        generator=bench.engine,
        database=bench.database,
        clock=bench.clock,
        reload=file.reload,
    )
    assert (await bench.say("/reload", local=True)).reply == "The configuration was read again; changed: personas."
    (entry,) = await AuditRepository(bench.database).latest(9)
    assert (entry.actor, entry.act, entry.detail) == ("test:ann", "reload", "changed: personas")
    assert "I know no command" in (await bench.say("/reload")).reply
    file.error = ConfigError("config.yaml:3:5: engine.n_ctxx: unknown key")
    told = (await bench.say("/reload", local=True)).reply
    assert told == "Nothing was changed.\nconfig.yaml:3:5: engine.n_ctxx: unknown key"
