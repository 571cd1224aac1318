"""What every section of the configuration is made of."""

from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError


@dataclass(frozen=True, slots=True)
class Wording:
    """Put in an `Annotated` type: how an error says in plain words what is allowed there ("must be ...")."""

    text: str


def conflict(message: str, *keys: tuple[str, ...]) -> PydanticCustomError:
    """The error a model validator raises when keys that are right by themselves do not go together.

    `keys` are paths below the validated section, the likeliest culprit first; the error is shown at the first of them
    that the file has.
    """
    return PydanticCustomError("conflict", "{message}", {"message": message, "keys": keys})


MASK = "********"
"""What is shown instead of a secret."""
PositiveFloat = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
KvType = Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"]
ReasoningMode = Literal["hide", "show", "off"]
HistoryScope = Literal["user", "chat", "thread"]
LogLevel = Literal["debug", "info", "warning", "error"]
Text = Annotated[str, Field(pattern=r"^[^\x00]+$"), Wording("text that is not empty")]
Name = Annotated[str, Field(pattern=r"^\S([^\x00-\x1f\x7f]*\S)?$"), Wording("a name on one line")]
PlatformId = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9_-]*:\S+$"),
    Wording("an id written as adapter:id, with the adapter's name first, such as telegram:123456789"),
]
Repository = Annotated[
    str, Field(pattern=r"^[\w.-]+/[\w.-]+$"), Wording("owner/name, such as Qwen/Qwen2.5-3B-Instruct-GGUF")
]
Secret = Annotated[SecretStr, Field(min_length=1), Wording("text that is not empty")]
"""A password or token. It is masked wherever it is shown, and its sibling with `_env` may name where it comes from."""


def _is_secret(annotation: Any) -> bool:
    if get_origin(annotation) in {Annotated, Union, UnionType}:
        return any(_is_secret(part) for part in get_args(annotation))
    return annotation is SecretStr


class Settings(BaseModel):
    """Base of every section: immutable, and an unknown key is an error.

    A secret `x` is a field of type `Secret | None`, and has a sibling `x_env: Text | None` that names the
    environment variable it may be read from. A class that lacks the sibling is refused with `TypeError`.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name in cls.secret_fields():
            if f"{name}_env" not in cls.model_fields:
                raise TypeError(f"{cls.__name__}.{name} is a secret: it needs a sibling field {name}_env")

    @classmethod
    def secret_fields(cls) -> tuple[str, ...]:
        """Names of the fields that hold a secret."""
        return tuple(name for name, field in cls.model_fields.items() if _is_secret(field.annotation))


class AdapterSettings(Settings):
    """What every adapter has. A platform adds its own keys in a subclass."""

    enabled: bool = Field(True, description="false leaves the section in place and the adapter out")
