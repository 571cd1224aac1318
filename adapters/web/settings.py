"""The `adapters.web` section."""

from typing import Annotated

from pydantic import Field, PositiveInt, model_validator

from adapters.web.address import is_loopback
from bot.settings import AdapterSettings, Secret, Settings, Text, Wording, conflict

SHORTEST_KEY = 16
"""Characters. Shorter ones can be guessed."""
KeyName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"), Wording("a name of letters, digits, dots and dashes")
]


class ApiKeySettings(Settings):
    """One key: who holds it may use the model."""

    key: Secret | None = Field(None, description="the key itself, at least 16 characters")
    key_env: Text | None = Field(None, description="environment variable that holds the key")
    admin: bool = Field(False, description="may also see the admin page and everybody's figures")
    max_tokens: PositiveInt | None = Field(None, description="longest reply that may be asked for, in tokens")
    max_requests: PositiveInt | None = Field(None, description="requests under way at the same time")
    requests_per_minute: PositiveInt | None = Field(None, description="requests in any 60 seconds")


class WebSettings(AdapterSettings):
    """The web server."""

    host: Text = Field("127.0.0.1", description="address to listen on; 0.0.0.0 is every one of this machine")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8080, description="port to listen on; 0 picks a free one")
    api_keys: dict[KeyName, ApiKeySettings] = Field({}, description="who may use it, by name")
    allowed_hosts: tuple[Text, ...] = Field(
        (), strict=False, description="further names under which it may be asked for, such as a proxy's"
    )
    allowed_origins: tuple[Text, ...] = Field(
        (), strict=False, description="pages of other hosts that may use it from a browser (CORS)"
    )

    @model_validator(mode="after")
    def _closed_to_strangers(self) -> "WebSettings":
        if not self.enabled:
            return self
        seen: dict[str, str] = {}
        for name, each in self.api_keys.items():
            at = ("api_keys", name, "key")
            if each.key is None:
                raise conflict(f"the key {name} needs key or key_env", at, ("api_keys", name))
            value = each.key.get_secret_value()
            if len(value) < SHORTEST_KEY or not value.isascii() or not value.isprintable() or " " in value:
                raise conflict(
                    f"the key {name} must have at least {SHORTEST_KEY} plain characters and no spaces; "
                    "`openssl rand -hex 24` makes a good one",
                    at,
                    ("api_keys", name, "key_env"),
                )
            if value in seen:
                raise conflict(f"{seen[value]} and {name} have the same key", at, ("api_keys", name, "key_env"))
            seen[value] = name
        if not self.api_keys and not is_loopback(self.host):
            raise conflict(
                f"host {self.host} lets other machines in, and api_keys is empty, so everybody could use the model: "
                "add a key under api_keys, or set host to 127.0.0.1",
                ("host",),
            )
        return self
