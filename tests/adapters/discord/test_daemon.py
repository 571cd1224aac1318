"""The daemon as a process, with the real small model, against a Discord on loopback."""

import asyncio
import json
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.fake_discord import TOKEN, FakeDiscord
from tests.support.hearthbot_process import Hearthbot

CONFIGURATION = """
engine: {{n_ctx: 1024, max_parallel: 2, n_threads: 1, tune: off}}
generation: {{temperature: 0, max_tokens: 100, logit_bias: {{2: -100}}}}
permissions: {{open: true}}
adapters:
  console: {{enabled: false}}
  web: {{enabled: false}}
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


def edits(fake: FakeDiscord, channel: str) -> int:
    """How often a message there was changed while it was written."""
    return sum(call.method == "PATCH" and f"/{channel}/" in call.path for call in fake.calls)


def replies(fake: FakeDiscord, channel: str) -> list[str]:
    """What stands under each button for another try: the end of a reply that is complete."""
    complete = []
    for message in fake.channels[channel].values():
        labels = [button["label"] for row in message["components"] for button in row["components"]]
        if message["author"].get("bot") and ("Retry" in labels or "Continue" in labels):
            complete.append(message["content"])
    return complete


def stored(hearthbot: Hearthbot) -> list[str]:
    """Every reply in the database, in order."""
    talks = [json.loads(line) for line in hearthbot.run("history", "--json").stdout.splitlines()]
    return [turn["reply"] for talk in talks for turn in talk["turns"]]


def words(text: str) -> list[str]:
    """The words of a text, whatever its formatting."""
    return re.findall(r"\w+", text)


async def test_a_talk_with_the_real_model(hearthbot: Hearthbot) -> None:
    """It is seen growing, keeps within Discord's limits, and ends as it is stored; SIGTERM ends the daemon well."""
    async with FakeDiscord.serve() as fake, running(hearthbot, fake) as process:
        await fake.say("Tell me about the sea.", user="7", channel="70")
        await fake.say("Tell me about the wind.", user="8", channel="80")
        await fake.until(lambda: all(replies(fake, channel) for channel in ("70", "80")))
        assert edits(fake, "70") > 0
        assert fake.refused == 0
        process.send_signal(signal.SIGTERM)
        _, log = await asyncio.to_thread(process.communicate)
        assert process.returncode == 0, log
        assert TOKEN not in log
        shown = [text for channel in ("70", "80") for text in replies(fake, channel)]
    assert [words(text) for text in shown] == [words(text) for text in stored(hearthbot)]


async def test_replies_get_through_whatever_happens(hearthbot: Hearthbot) -> None:
    """A pause that Discord asks for, a cut network and a killed process: each reply is there in the end, in order."""
    async with FakeDiscord.serve() as fake:
        async with running(hearthbot, fake):
            await fake.say("Tell me about the sea.", user="7", channel="70")
            await fake.until(lambda: edits(fake, "70") > 0)
            fake.pause("70", 3)
            await fake.until(lambda: len(replies(fake, "70")) == 1)
            assert fake.refused > 0
            before = edits(fake, "70")
            await fake.say("Tell me about the wind.", user="7", channel="70")
            await fake.until(lambda: edits(fake, "70") > before)
            fake.cut()
            await fake.until(lambda: fake.broken_off > 0)
            fake.mend()
            await fake.until(lambda: len(replies(fake, "70")) == 2)
            before = edits(fake, "70")
            await fake.say("Tell me about the rain.", user="7", channel="70")
            await fake.until(lambda: edits(fake, "70") > before)
        async with running(hearthbot, fake):
            await fake.until(lambda: len(replies(fake, "70")) == 3)
        shown = replies(fake, "70")
    assert [words(text) for text in shown] == [words(text) for text in stored(hearthbot)]
