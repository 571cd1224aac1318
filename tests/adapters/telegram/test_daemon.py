"""The daemon as a process, with the real small model, against a Bot API server on loopback."""

import asyncio
import signal
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.bot_api import BotApiServer, FakeChat
from tests.support.hearthbot_process import Hearthbot

CONFIGURATION = """
engine: {{n_ctx: 512, max_parallel: 2, n_threads: 1, tune: off}}
generation: {{temperature: 0, max_tokens: 80, logit_bias: {{2: -100}}}}
permissions: {{open: true}}
adapters:
  web: {{enabled: false}}
  telegram:
    token_env: TELEGRAM_TOKEN
    base_url: {base_url}
    base_file_url: {base_file_url}
    edit_interval_s: 0.5
"""
"""The end-of-turn token of the demo model is forbidden, so a reply has its full length."""
BOT = "@hearth_test_bot"


@asynccontextmanager
async def running(hearthbot: Hearthbot, server: BotApiServer) -> AsyncIterator["subprocess.Popen[str]"]:
    """The daemon, once it polls. It is killed in the end, if it still runs then."""
    hearthbot.configure(CONFIGURATION.format(base_url=server.base_url, base_file_url=server.base_file_url))
    hearthbot.environment["TELEGRAM_TOKEN"] = server.token
    before = len(server.polls)
    process = hearthbot.start("run")
    try:
        await server.until(lambda: len(server.polls) > before + 1)
        yield process
    finally:
        process.kill()
        await asyncio.to_thread(process.communicate)


def long(server: BotApiServer, chat: FakeChat) -> bool:
    """Whether the last reply there has its full length."""
    return len("".join(server.texts(chat)[-1:])) > 250


async def test_a_talk_with_the_real_model(hearthbot: Hearthbot) -> None:
    """Two people and a group are answered at once, and see it growing; SIGTERM ends the daemon well."""
    async with BotApiServer() as server:
        ann, ben, group = server.private_chat("Ann"), server.private_chat("Ben"), server.group("Family")
        async with running(hearthbot, server) as process:
            ann.say("Tell me about the sea.")
            ben.say("Tell me about the wind.")
            group.say(f"{BOT} Tell me about the rain.")
            await server.until(lambda: all(long(server, chat) for chat in (ann, ben, group)))
            for chat in (ann, ben):
                versions = server.messages(chat)[-1].versions
                assert len(versions) > 1
                assert versions[-1].startswith(versions[0].rstrip(".…"))
            assert "typing" in {call.params["action"] for call in server.named("sendChatAction")}
            ann.say("/whoami")
            await server.until(lambda: f"telegram:{ann.user}" in server.texts(ann)[-1])
            process.send_signal(signal.SIGTERM)
            _, log = await asyncio.to_thread(process.communicate)
            assert process.returncode == 0, log
            assert server.token not in log
        assert not [call for call in server.refusals if call.error is not None and call.error.code != 429]
        assert not server.updates.pending
        assert server.menus["all_private_chats", ""]


async def test_a_reply_survives_kill_9(hearthbot: Hearthbot) -> None:
    """The network goes while it is written, then the process: after the restart it is complete, once or marked.

    What was said in between is answered, too.
    """
    async with BotApiServer() as server:
        ann = server.private_chat("Ann")
        async with running(hearthbot, server) as process:
            ann.say("Tell me about the sea.")
            await server.until(lambda: server.messages(ann))
            server.cut()
            await asyncio.to_thread(wait_until_written, hearthbot)
            process.kill()
        ann.say("/help")
        server.mend()
        async with running(hearthbot, server):
            await server.until(lambda: any("Retry" in each.buttons for each in server.messages(ann)))
            await server.until(lambda: any("/help" in text for text in server.texts(ann)))
        whole = written(hearthbot)[0]
        assert whole is not None
        shown = [text for text in server.texts(ann) if text.startswith(whole[:10].strip())]
        assert " ".join(whole.split()) in {" ".join(text.split()) for text in shown}
        assert len(shown) == 1 or any("twice" in text for text in server.texts(ann))


def written(hearthbot: Hearthbot) -> list[str | None]:
    """The replies that are stored."""
    connection = sqlite3.connect(hearthbot.database)
    try:
        return [reply for (reply,) in connection.execute("SELECT reply FROM turns ORDER BY id")]
    finally:
        connection.close()


def wait_until_written(hearthbot: Hearthbot) -> None:
    """Return when the first reply is stored, as another process sees it."""
    while not written(hearthbot) or written(hearthbot)[0] is None:
        time.sleep(0.02)


async def test_a_wrong_token_leaves_the_rest_of_the_daemon_alone(hearthbot: Hearthbot) -> None:
    """It is said what to do, the adapter stops, and the daemon goes on for the others."""
    async with BotApiServer() as server:
        hearthbot.configure(
            CONFIGURATION.format(base_url=server.base_url, base_file_url=server.base_file_url).replace(
                "{enabled: false}", "{port: 0}"
            )
        )
        hearthbot.environment["TELEGRAM_TOKEN"] = "987654321:AAF-a_token_of_nobody_at_all_0000000000"  # noqa: S105 # pragma: allowlist secret
        process = hearthbot.start("run")
        try:
            await server.until(lambda: server.refusals)
            assert process.stderr is not None
            while "telegram stopped" not in (line := await asyncio.to_thread(process.stderr.readline)):
                assert line
            assert "copy it again from @BotFather" in line
            assert process.poll() is None
        finally:
            process.kill()
            await asyncio.to_thread(process.communicate)
