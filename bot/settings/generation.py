"""How the model writes: sampling and length."""

from typing import Annotated

from pydantic import Field, PositiveInt, model_validator

from bot.settings.base import Fraction, ReasoningMode, Settings, conflict


class SamplingOverrides(Settings):
    """Sampling keys of a persona: only what differs from `generation`."""

    temperature: Annotated[float, Field(ge=0, le=5)] | None = Field(
        None, description="0 always takes the likeliest token"
    )
    top_k: Annotated[int, Field(ge=0)] | None = Field(None, description="keep the k likeliest tokens; 0 keeps all")
    top_p: Fraction | None = Field(None, description="keep the likeliest tokens up to this probability")
    min_p: Fraction | None = Field(None, description="drop tokens below this share of the likeliest one")
    typical_p: Fraction | None = Field(None, description="locally typical sampling; 1 is off")
    repeat_penalty: Annotated[float, Field(gt=0, le=5)] | None = Field(None, description="above 1 discourages repeats")
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = Field(None, description="penalty for being there")
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = Field(None, description="penalty per occurrence")
    penalty_last_n: Annotated[int, Field(ge=-1)] | None = Field(
        None, description="tokens the penalties look back; -1 is the whole window"
    )
    dry_multiplier: Annotated[float, Field(ge=0)] | None = Field(None, description="DRY strength; 0 is off")
    dry_base: Annotated[float, Field(ge=1)] | None = Field(None, description="DRY growth per repeated token")
    dry_allowed_length: Annotated[int, Field(ge=0)] | None = Field(None, description="repeats this long are free")
    dry_penalty_last_n: Annotated[int, Field(ge=-1)] | None = Field(
        None, description="tokens DRY looks back; -1 is all"
    )
    dry_sequence_breakers: tuple[str, ...] | None = Field(
        None, strict=False, description="strings at which DRY forgets"
    )
    seed: Annotated[int, Field(ge=0, lt=2**32 - 1)] | None = Field(None, description="makes replies repeatable")
    logit_bias: dict[int, float] | None = Field(None, strict=False, description="token id to added logit")
    max_tokens: PositiveInt | None = Field(None, description="longest reply, in tokens")
    stop: tuple[str, ...] | None = Field(None, strict=False, description="strings that end a reply")


class GenerationSettings(SamplingOverrides):
    """Sampling for every reply; a persona may override each key."""

    temperature: Annotated[float, Field(ge=0, le=5)] = Field(0.7, description="0 always takes the likeliest token")
    top_k: Annotated[int, Field(ge=0)] = Field(40, description="keep the k likeliest tokens; 0 keeps all")
    top_p: Fraction = Field(0.95, description="keep the likeliest tokens up to this probability")
    min_p: Fraction = Field(0.05, description="drop tokens below this share of the likeliest one")
    typical_p: Fraction = Field(1.0, description="locally typical sampling; 1 is off")
    repeat_penalty: Annotated[float, Field(gt=0, le=5)] = Field(1.0, description="above 1 discourages repeats")
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] = Field(0.0, description="penalty for being there")
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] = Field(0.0, description="penalty per occurrence")
    penalty_last_n: Annotated[int, Field(ge=-1)] = Field(
        64, description="tokens the penalties look back; -1 is the whole window"
    )
    dry_multiplier: Annotated[float, Field(ge=0)] = Field(0.0, description="DRY strength; 0 is off")
    dry_base: Annotated[float, Field(ge=1)] = Field(1.75, description="DRY growth per repeated token")
    dry_allowed_length: Annotated[int, Field(ge=0)] = Field(2, description="repeats this long are free")
    dry_penalty_last_n: Annotated[int, Field(ge=-1)] = Field(-1, description="tokens DRY looks back; -1 is all")
    dry_sequence_breakers: tuple[str, ...] = Field(
        ("\n", ":", '"', "*"), strict=False, description="strings at which DRY forgets"
    )
    logit_bias: dict[int, float] = Field({}, strict=False, description="token id to added logit")
    max_tokens: PositiveInt = Field(512, description="longest reply, in tokens")
    stop: tuple[str, ...] = Field((), strict=False, description="strings that end a reply")
    reasoning: ReasoningMode = Field(
        "hide", description="a thinking model's thoughts: hide them, show them, or ask it (where it can) not to think"
    )
    reasoning_budget: PositiveInt | None = Field(
        None, description="most tokens of thought before an answer is forced; half of max_tokens when not set"
    )

    @model_validator(mode="after")
    def _room_to_answer(self) -> "GenerationSettings":
        if self.reasoning_budget is not None and self.reasoning_budget >= self.max_tokens:
            raise conflict(
                f"reasoning_budget ({self.reasoning_budget}) must be smaller than max_tokens ({self.max_tokens}), "
                "or no token is left for the answer",
                ("reasoning_budget",),
                ("max_tokens",),
            )
        return self
