"""The `adapters.discord` section."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bot.settings import AdapterSettings, Secret, Text, Wording, conflict

HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/]+\S*[^\s/]$"), Wording("a URL such as https://host/api/v10")]
SocketUrl = Annotated[str, Field(pattern=r"^wss?://[^\s/]+\S*$"), Wording("a URL such as wss://host/")]
EditInterval = Annotated[float, Field(ge=1.2)]


class DiscordSettings(AdapterSettings):
    """A bot application on Discord, or on a server that speaks its API."""

    token: Secret | None = Field(None, description="the bot's token, from the Developer Portal")
    token_env: Text | None = Field(None, description="environment variable that holds the token")
    groups: Literal["mention", "all", "commands"] = Field(
        "mention", description="what is answered in a server's channels, besides commands"
    )
    threads: bool = Field(False, description="true opens a thread for each talk that somebody begins in a channel")
    stream: Literal["edit", "off"] = Field("edit", description="how a reply is shown while it is written")
    edit_interval_s: EditInterval = Field(
        1.5, description="least seconds between two edits of a reply that is being written"
    )
    api_base: HttpUrl | None = Field(None, description="REST API of a compatible server, with its version")
    gateway_url: SocketUrl | None = Field(None, description="gateway of a compatible server")
    proxy: Secret | None = Field(None, description="HTTP proxy, such as http://user:word@host:3128")
    proxy_env: Text | None = Field(None, description="environment variable that has the proxy's address")

    @property
    def proxy_url(self) -> str | None:
        """The proxy's address, as discord.py takes it."""
        return self.proxy.get_secret_value() if self.proxy else None

    @model_validator(mode="after")
    def _consistent(self) -> "DiscordSettings":
        if self.enabled and self.token is None and self.token_env is None:
            raise conflict("a token is needed: set token, or token_env to the variable that holds it", ("enabled",))
        if (self.api_base is None) != (self.gateway_url is None):
            raise conflict(
                "api_base and gateway_url belong together: set both or none", ("api_base",), ("gateway_url",)
            )
        return self
