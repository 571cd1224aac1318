"""The daemon as a process, with the real small model, against a Discord on loopback."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.fake_discord import TOKEN, FakeDiscord
from tests.support.hearthbot_process import Hearthbot

CONFIGURATION = """
engine: {{n_ctx: 512, max_parallel: 2, n_threads: 1, tune: off}}
generation: {{temperature: 0, max_tokens: 80, logit_bias: {{2: -100}}}}
permissions: {{open: true}}
adapters:
  discord: {{token_env: DISCORD_TOKEN, api_base: "{base}", gateway_url: "{gateway}"}}
"""
"""The end-of-turn token of the demo model is forbidden, so a reply has its full length."""


@asynccontextmanager
async def running(hearthbot: Hearthbot, fake: FakeDiscord) -> AsyncIterator["subprocess.Popen[str]"]:
    """The daemon, once it has signed in. It is killed in the end, if it still runs then."""
    hearthbot.configure(CONFIGURATION.format(base=fake.base, gateway=fake.gateway))
    hearthbot.environment["DISCORD_TOKEN"] = TOKEN
    before = fake.identified
    process = hearthbot.start("run")
    try:
        await fake.until(lambda: fake.identified > before)
        yield process
    finally:
        process.kill()
        await asyncio.to_thread(process.communicate)


async def test_a_talk_with_the_real_model(hearthbot: Hearthbot) -> None:
    """It is seen growing, keeps within Discord's limits, and ends with what is stored; SIGTERM ends the daemon well."""
    async with FakeDiscord.serve() as fake, running(hearthbot, fake) as process:
        await fake.say("Tell me about the sea.", user="7", channel="70")
        await fake.say("Tell me about the wind.", user="8", channel="80")
        await fake.until(lambda: all(_finished(fake, channel) for channel in ("70", "80")))
        edits = [call for call in fake.calls if call.method == "PATCH"]
        assert edits
        assert fake.refused == 0
        process.send_signal(signal.SIGTERM)
        _, log = await asyncio.to_thread(process.communicate)
        assert process.returncode == 0, log
        assert TOKEN not in log
        texts = {channel: fake.texts(channel) for channel in ("70", "80")}
    listed = hearthbot.run("history", "--json").stdout
    for (text,) in texts.values():
        assert text.split()[0] in listed


def _finished(fake: FakeDiscord, channel: str) -> bool:
    """Whether the reply there has its buttons, or has not been changed any more at its full length."""
    messages = [each for each in fake.channels[channel].values() if each["author"].get("bot")]
    return bool(messages) and len(messages[-1]["content"]) > 250
