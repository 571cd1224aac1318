"""The `adapters.console` section."""

from typing import Literal

from pydantic import Field

from bot.settings import AdapterSettings


class ConsoleSettings(AdapterSettings):
    """The terminal, or standard input and output where there is none."""

    user: str | None = Field(None, description="whose conversation it is; the operating system's user when not set")
    markdown: bool = Field(True, description="false shows replies as the plain text the model wrote")
    output: Literal["text", "json"] = Field(
        "text", description="json reads lines and prints one object for each reply, also on a terminal"
    )
    history_file: str | None = Field(
        None, description="file that remembers typed lines; in the XDG state folder when not set"
    )
    export_folder: str | None = Field(
        None, description="folder for the files of /export; in the XDG data folder when not set"
    )
