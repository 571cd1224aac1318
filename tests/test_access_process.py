"""A new bot on Telegram: its owner comes, lets somebody in, and changes it, all in one life of the real daemon."""

import asyncio
import re
import signal
import subprocess
from pathlib import Path

from tests.support.bot_api import BotApiServer
from tests.support.hearthbot_process import Hearthbot

CONFIGURATION = """
engine: {{n_ctx: 512, max_parallel: 1, n_threads: 1, tune: off}}
generation: {{temperature: 0, max_tokens: 4}}
personas: {{terse: {{name: Terse, welcome_message: First.}}}}
adapters:
  web: {{enabled: false}}
  telegram:
    token_env: TELEGRAM_TOKEN
    base_url: {base_url}
    base_file_url: {base_file_url}
"""


def code_in(process: "subprocess.Popen[str]") -> str:
    """Read the log until the code for the first admin is in it."""
    assert process.stderr is not None
    for line in process.stderr:
        if (found := re.search(r"to be it: (\S+)", line)) is not None:
            return found[1]
    raise AssertionError("the daemon ended")


async def test_from_the_first_start_to_a_changed_configuration(hearthbot: Hearthbot) -> None:
    """A code in the log, a button for a stranger, a save that restarts the adapter alone, and a mistake."""
    async with BotApiServer() as server:
        text = CONFIGURATION.format(base_url=server.base_url, base_file_url=server.base_file_url)
        file: Path = hearthbot.configure(text)
        hearthbot.environment["TELEGRAM_TOKEN"] = server.token
        anna, ben = server.private_chat("Anna"), server.private_chat("Ben")
        process = hearthbot.start("run")
        try:
            code = await asyncio.to_thread(code_in, process)
            anna.say(code)
            await server.until(lambda: "You are my admin" in "".join(server.texts(anna)))

            ben.say("Hello?")
            await server.until(lambda: "asks to talk to me" in server.texts(anna)[-1])
            assert f"Ben (telegram:{ben.user})" in server.texts(anna)[-1]
            await server.until(lambda: "your code is" in "".join(server.texts(ben)))
            anna.press(server.messages(anna)[-1], "Let in")
            await server.until(lambda: "You are let in" in server.texts(ben)[-1])
            ben.say("/start")
            await server.until(lambda: server.texts(ben)[-1] == "First.")

            polls = len(server.polls)
            file.write_text(f"{text.replace('First.', 'Second.')}    edit_interval_s: 2\n")
            await server.until(lambda: len(server.polls) > polls + 2)
            ben.say("/start")
            await server.until(lambda: server.texts(ben)[-1] == "Second.")

            file.write_text(text.replace("n_ctx", "n_ctxx"))
            await server.until(lambda: "engine.n_ctxx: unknown key" in server.texts(anna)[-1])
            assert "2:10" in server.texts(anna)[-1]
            assert "n_ctxx" not in "".join(server.texts(ben))
            ben.say("/pairing")
            await server.until(lambda: "I know no command" in server.texts(ben)[-1])

            process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(process.communicate)
            assert process.returncode == 0
        finally:
            process.kill()
            await asyncio.to_thread(process.communicate)
        assert not [call for call in server.refusals if call.error is not None and call.error.code != 429]
