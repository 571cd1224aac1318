import pytest
from pydantic import SecretStr

from adapters.discord import DiscordAdapter, DiscordSettings
from bot.check import Check
from tests.support.fake_discord import TOKEN, FakeDiscord


async def examined(fake: FakeDiscord, token: str = TOKEN) -> dict[str, Check]:
    """The findings by name."""
    settings = DiscordSettings(token=SecretStr(token), api_base=fake.base, gateway_url=fake.gateway)
    return {check.name: check for check in await DiscordAdapter.examine("discord", settings)}


@pytest.mark.usefixtures("discord_endpoints")
async def test_a_section_that_works_is_ok() -> None:
    """The token, the intent and the servers; nothing is changed on Discord."""
    async with FakeDiscord.serve(servers=("Home",)) as fake:
        found = await examined(fake)
        assert {call.method for call in fake.calls} == {"GET"}
        assert fake.identified == 0
    assert {check.status for check in found.values()} == {"ok"}
    assert found["discord servers"].found == "Home"


@pytest.mark.usefixtures("discord_endpoints")
async def test_a_missing_intent_and_no_server_come_with_what_to_do() -> None:
    """A link to the page of the switch, and one to invite the bot."""
    async with FakeDiscord.serve(message_content=False) as fake:
        found = await examined(fake)
    assert found["discord intents"].status == "fail"
    assert "https://discord.com/developers/applications/4242/bot" in found["discord intents"].fix
    assert found["discord servers"].status == "warn"
    assert "https://discord.com/oauth2/authorize?client_id=4242" in found["discord servers"].fix


@pytest.mark.usefixtures("discord_endpoints")
async def test_a_wrong_token_is_a_finding() -> None:
    """Not an error that ends the doctor."""
    async with FakeDiscord.serve() as fake:
        (check,) = (await examined(fake, "another")).values()
    assert (check.status, check.exit_code) == ("fail", 1)
    assert "another" not in check.found


@pytest.mark.usefixtures("discord_endpoints")
async def test_no_network_is_a_finding() -> None:
    """It may pass by itself."""
    async with FakeDiscord.serve() as fake:
        pass
    (check,) = (await examined(fake)).values()
    assert check.status == "fail"
    assert "network" in check.fix
