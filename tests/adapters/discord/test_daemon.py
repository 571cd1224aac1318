"""The daemon as a process, with the real small model, against a Discord on loopback."""

import asyncio
import json
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.fake_discord import TOKEN, FakeDiscord
from tests.support.hearthbot_process import Hearthbot

CONFIGURATION = """
engine: {{n_ctx: 2048, max_parallel: 2, n_threads: 1, tune: off}}
generation: {{temperature: 0, max_tokens: 300, logit_bias: {{2: -100}}}}
permissions: {{open: true}}
adapters:
  console: {{enabled: false}}
  web: {{enabled: false}}
  discord: {{token_env: DISCORD_TOKEN, api_base: "{base}", gateway_url: "{gateway}"}}
"""
"""The end-of-turn token of the demo model is forbidden, so a reply has its full length, and takes longer than
two edits, on a fast machine too."""


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


def said(fake: FakeDiscord, channel: str) -> list[dict[str, Any]]:
    """The bot's messages in a chat."""
    return [message for message in fake.channels[channel].values() if message["author"].get("bot")]


def grows(fake: FakeDiscord, channel: str, count: int) -> bool:
    """Whether the bot's last message is number `count`, and has been changed while it was written."""
    last = said(fake, channel)[-1:]
    return len(said(fake, channel)) == count and any(
        call.method == "PATCH" and call.path.endswith(each["id"]) for each in last for call in fake.calls
    )


def complete(fake: FakeDiscord, channel: str, count: int) -> bool:
    """Whether there are so many messages of the bot, and the last one is a reply that has ended."""
    messages = said(fake, channel)
    labels = [button["label"] for each in messages[-1:] for row in each["components"] for button in row["components"]]
    return len(messages) == count and "Retry" in labels


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
        await fake.until(lambda: all(complete(fake, channel, 1) for channel in ("70", "80")))
        assert grows(fake, "70", 1)
        assert fake.refused == 0
        process.send_signal(signal.SIGTERM)
        _, log = await asyncio.to_thread(process.communicate)
        assert process.returncode == 0, log
        assert TOKEN not in log
        shown = [*fake.texts("70"), *fake.texts("80")]
    assert [words(text) for text in shown] == [words(text) for text in stored(hearthbot)]


async def test_replies_get_through_whatever_happens(hearthbot: Hearthbot) -> None:
    """A pause that Discord asks for, a cut network and a killed process: each reply is there in the end, in order."""
    async with FakeDiscord.serve() as fake:
        async with running(hearthbot, fake):
            await fake.say("Tell me about the sea.", user="7", channel="70")
            await fake.until(lambda: grows(fake, "70", 1))
            fake.pause("70", 3)
            await fake.until(lambda: complete(fake, "70", 1))
            assert fake.refused > 0
            await fake.say("Tell me about the wind.", user="7", channel="70")
            await fake.until(lambda: grows(fake, "70", 2))
            fake.cut()
            await fake.until(lambda: fake.broken_off > 0)
            fake.mend()
            await fake.until(lambda: complete(fake, "70", 2))
            await fake.say("Tell me about the rain.", user="7", channel="70")
            await fake.until(lambda: grows(fake, "70", 3))
        async with running(hearthbot, fake):
            await fake.until(lambda: complete(fake, "70", 3))
        shown = fake.texts("70")
    assert [words(text) for text in shown] == [words(text) for text in stored(hearthbot)]
