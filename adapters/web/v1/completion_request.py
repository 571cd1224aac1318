"""What `/v1/completions` is asked."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from adapters.web.v1.fields import MOST_CHOICES, GenerationFields, NotSupported

DEFAULT_MAX_TOKENS = 16
"""OpenAI's."""
PromptText = Annotated[str, StringConstraints(min_length=1)]


class CompletionRequest(GenerationFields):
    """Text to be written on, as it stands: no chat template is put around it."""

    prompt: PromptText | Annotated[list[PromptText], Field(min_length=1, max_length=MOST_CHOICES)] = Field(
        description="one text or several; lists of token ids are not supported"
    )
    max_tokens: Annotated[int, Field(ge=0, lt=2**31)] | None = Field(
        None, description="longest continuation; 16 when left out, 0 writes nothing"
    )
    echo: bool | None = Field(None, description="begin the answer with the prompt")
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None
    best_of: Annotated[int, Field(ge=1, le=MOST_CHOICES)] | None = Field(None, description="only the same as n")
    suffix: NotSupported = None

    @property
    def prompts(self) -> list[str]:
        """One or several."""
        return [self.prompt] if isinstance(self.prompt, str) else self.prompt

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.best_of not in (None, self.choices):
            raise ValueError("best_of is not supported, but as the same number as n")
        if len(self.prompts) * self.choices > MOST_CHOICES:
            raise ValueError(f"prompts times n are more than {MOST_CHOICES}")
        if self.echo and self.logprobs is not None:
            raise ValueError("echo together with logprobs is not supported: the prompt's are not known")
        if self.stream_options is not None and not self.stream:
            raise ValueError("stream_options needs stream: true")
        return self
