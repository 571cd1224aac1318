"""The `adapters.telegram` section."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bot.adapter import StreamMode
from bot.settings import AdapterSettings, PositiveFloat, Secret, Settings, Text, Wording, conflict

Groups = Literal["mention", "all", "commands"]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+\S*$"), Wording("a URL such as https://host/path")]
Port = Annotated[int, Field(ge=1, le=65535)]
LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{2}$"), Wording("a language code of two letters, such as de")]


class WebhookSettings(Settings):
    """Telegram posts updates here, instead of being asked for them."""

    url: Url | None = Field(
        None, description="public https address that leads to listen and port; long polling when not set"
    )
    listen: Text = Field("127.0.0.1", description="address to listen on, for the proxy that has the certificate")
    port: Port = Field(8443, description="port to listen on")


class TelegramSettings(AdapterSettings):
    """A bot that @BotFather made."""

    token: Secret | None = Field(None, description="what @BotFather gave you; better name a variable in token_env")
    token_env: Text | None = Field(None, description="environment variable that has the token")
    groups: Groups = Field(
        "mention", description="what is answered in groups: mentions, replies and commands; everything; commands only"
    )
    stream: StreamMode = Field(
        "edit", description="how a reply is shown while it is written; draft works in private chats only"
    )
    edit_interval_s: PositiveFloat = Field(1.5, description="least time between two edits in a private chat")
    group_edit_interval_s: PositiveFloat = Field(
        4.0, description="the same in a group, where Telegram allows 20 messages and edits a minute"
    )
    menus: dict[LanguageCode, dict[str, Text]] = Field(
        {}, description="the command menu in other languages: language code, command, description"
    )
    max_updates: Annotated[int, Field(ge=1, le=10_000)] = Field(
        256, description="messages worked on at the same time; more wait at Telegram"
    )
    watchdog_s: PositiveFloat = Field(
        120.0, description="seconds without an answer to polling after which it is started anew"
    )
    base_url: Url = Field("https://api.telegram.org/bot", description="your own Bot API server's address")
    base_file_url: Url = Field("https://api.telegram.org/file/bot", description="where it has files for download")
    proxy: Secret | None = Field(None, description="proxy for all connections, such as http://user:word@host:3128")
    proxy_env: Text | None = Field(None, description="environment variable that has the proxy's address")
    webhook: WebhookSettings = Field(WebhookSettings(), description="instead of long polling")

    @model_validator(mode="after")
    def _usable(self) -> "TelegramSettings":
        if self.enabled and self.token is None and self.token_env is None:
            raise conflict(
                "a token is needed: set token, or token_env to the variable that holds it (@BotFather: /newbot)",
                ("enabled",),
            )
        return self
