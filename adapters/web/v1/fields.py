"""What the requests of OpenAI's API have in common."""

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from bot.request import SamplingParams
from bot.settings import GenerationSettings

LARGEST_SEED = 2**32 - 1
"""The engine's seeds are below this; larger and negative ones are folded."""
MOST_CHOICES = 8
"""Choices of one request: `n` times the prompts."""
DEEPEST = 64
"""Levels of nesting of a body, and of the JSON texts in it."""

NotSupported = Annotated[None, Field(default=None, description="not supported; may be null")]
ShortText = Annotated[str, StringConstraints(max_length=512)]
Bias = Annotated[float, Field(ge=-100, le=100)]
TokenId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}$")]
StopText = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class ApiModel(BaseModel):
    """Base of everything that comes in: what is not known is refused, and a number in quotes is not a number."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_nothing(cls, value: Any) -> Any:
        """Clients send objects back with every field they know of, those that are not set as null."""
        if not isinstance(value, dict):
            return value
        return {name: each for name, each in value.items() if each is not None or name in cls.model_fields}


class StreamOptions(ApiModel):
    """What a stream has besides."""

    include_usage: bool = Field(False, description="a last chunk with the usage of the whole request")
    include_obfuscation: Literal[False] | None = None


class ApiRequest(ApiModel):
    """A whole body."""

    @model_validator(mode="before")
    @classmethod
    def _readable(cls, value: Any) -> Any:
        return readable(value)


class SamplingFields(ApiRequest):
    """How tokens are chosen, and whom it is for."""

    model: ShortText | None = Field(None, description="a name of /v1/models; the one there is when left out")
    stream: bool | None = None
    temperature: Annotated[float, Field(ge=0, le=5)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None

    # llama.cpp's own, as its server calls them
    top_k: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    typical_p: Annotated[float, Field(ge=0, le=1)] | None = None
    repeat_penalty: Annotated[float, Field(gt=0, le=5)] | None = None

    # without an effect on the answer
    user: ShortText | None = Field(None, description="whom you ask for; has no effect")

    SAMPLING: ClassVar[tuple[str, ...]] = ("temperature", "top_k", "top_p", "min_p", "typical_p", "repeat_penalty")

    def sampling(self, settings: GenerationSettings) -> SamplingParams:
        """How tokens are chosen; `settings` has the word where the request says nothing."""
        known = SamplingParams.__dataclass_fields__
        values: dict[str, Any] = {
            name: value for name, value in settings.model_dump().items() if name in known and value is not None
        }
        values |= {name: value for name in self.SAMPLING if (value := getattr(self, name)) is not None}
        return SamplingParams(**values)


class GenerationFields(SamplingFields):
    """What both kinds of completions have besides."""

    stream_options: StreamOptions | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    logit_bias: Annotated[dict[TokenId, Bias], Field(max_length=1024)] | None = Field(
        None, description="token id to what is added to its logit"
    )
    stop: StopText | Annotated[list[StopText], Field(max_length=16)] | None = None
    n: Annotated[int, Field(ge=1, le=MOST_CHOICES)] | None = None

    SAMPLING: ClassVar[tuple[str, ...]] = (*SamplingFields.SAMPLING, "presence_penalty", "frequency_penalty")

    @property
    def choices(self) -> int:
        """How many answers are asked for."""
        return self.n or 1

    @property
    def wants_usage(self) -> bool:
        """Whether the stream ends with the usage."""
        return self.stream_options is not None and self.stream_options.include_usage

    def stops(self, settings: GenerationSettings) -> tuple[str, ...]:
        """Texts that end the answer."""
        if self.stop is None:
            return settings.stop
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)

    def sampling_of(self, choice: int, settings: GenerationSettings) -> SamplingParams:
        """How the tokens of one choice are chosen. With a seed, each has one of its own: they would be the same."""
        sampling = self.sampling(settings)
        if self.logit_bias is not None:
            sampling = replace(sampling, logit_bias={int(token): bias for token, bias in self.logit_bias.items()})
        if self.seed is not None:
            sampling = replace(sampling, seed=(self.seed + choice) % LARGEST_SEED)
        return sampling


def readable(value: Any, levels: int = DEEPEST) -> Any:
    """`value`, unless it is nested too deeply to be walked or has text that is none. Raises `ValueError`."""
    if levels < 0:
        raise ValueError(f"nested more than {DEEPEST} levels deep")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for name, each in value.items():
            _check_text(name)
            readable(each, levels - 1)
    elif isinstance(value, list):
        for each in value:
            readable(each, levels - 1)
    return value


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(r"a text has half a character, written as \ud800 to \udfff") from None
