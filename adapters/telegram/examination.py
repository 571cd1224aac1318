"""What the doctor is told of a section."""

from telegram import User, WebhookInfo
from telegram.error import InvalidToken, TelegramError

from adapters.telegram.connection import Connection
from adapters.telegram.failures import adapter_error
from adapters.telegram.settings import TelegramSettings
from bot.check import Check


class Examination:
    """Asks Telegram who the token belongs to and what that bot may read. Changes nothing there."""

    def __init__(self, name: str, settings: TelegramSettings) -> None:
        self._name = name
        self._settings = settings

    async def examine(self) -> tuple[Check, ...]:
        """Return the findings."""
        if self._settings.token is None:
            fix = f"set adapters.{self._name}.token_env to the variable that has it (@BotFather: /newbot)"
            return (Check(name=self._name, status="fail", found="there is no token", fix=fix, exit_code=2),)
        bot = Connection(self._settings).bot
        try:
            await bot.initialize()
            info = await bot.get_webhook_info()
        except InvalidToken:
            found = f"Telegram does not accept adapters.{self._name}.token"
            fix = (
                f"copy it again from @BotFather (/mybots, the bot, API Token); is adapters.{self._name}.base_url right?"
            )
            return (Check(name=self._name, status="fail", found=found, fix=fix, exit_code=1),)
        except TelegramError as error:
            problem = str(adapter_error(error, self._name))
            fix = "see that this machine reaches the internet, or set proxy or base_url; then examine it again"
            return (Check(name=self._name, status="fail", found=problem, fix=fix, exit_code=1),)
        else:
            return (self._account(bot.bot), self._groups(bot.bot), *self._webhook(info))
        finally:
            await bot.shutdown()

    def _account(self, user: User) -> Check:
        found = f"the token is right: {user.full_name}, https://t.me/{user.username}"
        return Check(name=self._name, status="ok", found=found)

    def _groups(self, user: User) -> Check:
        name = f"{self._name} groups"
        if not user.can_join_groups:
            found = "the bot cannot be added to groups (@BotFather: /setjoingroups)"
            return Check(name=name, status="ok", found=found)
        if user.can_read_all_group_messages:
            return Check(name=name, status="ok", found="privacy mode is off: the bot sees every message")
        found = "privacy mode is on: the bot sees mentions, replies to it and commands"
        if self._settings.groups != "all":
            return Check(name=name, status="ok", found=found)
        fix = (
            f"for adapters.{self._name}.groups: all switch it off (@BotFather: /setprivacy, Disable), "
            "then remove the bot from its groups and add it again"
        )
        return Check(name=name, status="warn", found=found, fix=fix)

    def _webhook(self, info: WebhookInfo) -> tuple[Check, ...]:
        name = f"{self._name} webhook"
        if info.last_error_message and self._settings.webhook.url:
            found = f"Telegram could not post to it lately: {info.last_error_message}"
            fix = f"see that the address is reachable from outside and leads to adapters.{self._name}.webhook.port"
            return (Check(name=name, status="warn", found=found, fix=fix),)
        if info.url and not self._settings.webhook.url:
            found = (
                "another program has set one; the daemon takes it away when it starts, and that program is deaf then"
            )
            return (Check(name=name, status="warn", found=found, fix="give each program a bot of its own"),)
        return ()
