"""What the doctor is told."""

from adapters.telegram import TelegramAdapter, TelegramSettings
from tests.adapters.telegram.conftest import telegram_settings
from tests.support.bot_api import ApiError, BotApiServer


async def test_a_right_token_is_named_by_its_bot(server: BotApiServer) -> None:
    """The owner sees which bot it is, its address, and what it may read in groups; nothing is changed."""
    account, groups = await TelegramAdapter.examine("telegram", telegram_settings(server))
    assert (account.status, groups.status) == ("ok", "ok")
    assert account.found == "the token is right: Hearth, https://t.me/hearth_test_bot"
    assert "privacy mode is on" in groups.found
    assert {call.method for call in server.calls} == {"getMe", "getWebhookInfo"}


async def test_privacy_mode_stands_in_the_way_of_all_messages(server: BotApiServer) -> None:
    """`groups: all` with privacy mode on is a warning that says which switch to turn."""
    _, groups = await TelegramAdapter.examine("telegram", telegram_settings(server, groups="all"))
    assert groups.status == "warn"
    assert "/setprivacy" in groups.fix
    server.privacy = False
    _, groups = await TelegramAdapter.examine("telegram", telegram_settings(server, groups="all"))
    assert groups.status == "ok"


async def test_a_wrong_token_is_a_failure_that_does_not_show_it(server: BotApiServer) -> None:
    """The key and where to get a token are named, the token itself is not."""
    token = "987654321:AAF-a_token_of_nobody_at_all_0000000000"  # noqa: S105 - nobody's # pragma: allowlist secret
    (check,) = await TelegramAdapter.examine("telegram", telegram_settings(server, token=token))
    assert (check.status, check.exit_code) == ("fail", 1)
    assert "adapters.telegram.token" in check.found
    assert "@BotFather" in check.fix
    assert token not in check.found + check.fix


async def test_a_webhook_of_another_program_is_noticed(server: BotApiServer) -> None:
    """Polling would take it away, so the owner is told."""
    server.webhook = "https://example.org/hook"
    checks = await TelegramAdapter.examine("telegram", telegram_settings(server))
    assert [check.status for check in checks] == ["ok", "ok", "warn"]


async def test_an_unreachable_telegram_is_a_finding(server: BotApiServer) -> None:
    """No exception leaves the examination."""
    server.fail("getMe", ApiError(502, "Bad Gateway"))
    (check,) = await TelegramAdapter.examine("telegram", telegram_settings(server))
    assert check.status == "fail"
    assert "Bad Gateway" in check.found


async def test_a_webhook_that_cannot_be_reached_is_noticed(server: BotApiServer) -> None:
    """What Telegram said about it last is shown, with what to look at."""
    server.webhook, server.webhook_error = "https://example.org/hook", "Connection refused"
    settings = telegram_settings(server, webhook={"url": "https://example.org/hook"})
    *_, check = await TelegramAdapter.examine("telegram", settings)
    assert check.status == "warn"
    assert "Connection refused" in check.found
    assert "adapters.telegram.webhook.port" in check.fix


async def test_a_section_without_a_token_is_a_finding() -> None:
    """Such as one whose variable is not set."""
    (check,) = await TelegramAdapter.examine("telegram", TelegramSettings(enabled=False))
    assert (check.status, check.exit_code) == ("fail", 2)
    assert "token_env" in check.fix
