"""The settings of files that people send."""

from typing import Annotated

from pydantic import Field, PositiveInt

from bot.settings.base import PositiveFloat, Settings


class DocumentSettings(Settings):
    """How much of files is read. What is larger is refused with the limit, never cut in silence."""

    max_files: PositiveInt = Field(5, description="most files of one message")
    max_file_mb: PositiveFloat = Field(10.0, description="largest file, in MB")
    max_pages: PositiveInt = Field(100, description="longest PDF, in pages")
    max_characters: PositiveInt = Field(200_000, description="most text of one file, in characters")
    timeout_s: PositiveFloat = Field(20.0, description="longest time to read one file, in seconds")
    memory_mb: Annotated[int, Field(ge=128)] = Field(512, description="most memory for reading one file, in MiB")
