"""The settings of how answers reach people."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from bot.settings.base import PositiveFloat, Settings

ReplyButton = Literal["retry", "continue", "stop"]


class DeliverySettings(Settings):
    """How answers reach people on platforms."""

    buttons: tuple[ReplyButton, ...] = Field(
        ("retry", "continue", "stop"),
        strict=False,
        description="under replies: another one, more of one that was cut by its length, an end while it is written",
    )
    queue_notice_after_s: NonNegativeFloat = Field(
        3.0, description="seconds in the line after which a person is told their place in it"
    )
    join_pastes_s: NonNegativeFloat = Field(
        0.5, description="seconds to wait for the rest of a paste that the platform has split; 0 does not join"
    )
    code_as_file: PositiveInt | None = Field(
        3000, description="code longer than this, in characters, also comes as a file; null never"
    )
    keep_h: Annotated[float, Field(gt=0, le=24)] = Field(
        24.0, description="hours for which an answer that cannot be delivered is tried again"
    )
    answer_after_restart: NonNegativeInt = Field(
        5, description="messages of one person that waited through a restart and are answered after it, the newest"
    )
    patience_s: PositiveFloat = Field(
        120.0, description="seconds that an answer which does not get through holds up the next one in its chat"
    )
