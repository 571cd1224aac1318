"""The personas of the configuration, ready for use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Self

from bot.request import ChatMessage, SamplingParams
from bot.settings import Configuration, GenerationSettings, PersonaSettings, ReasoningMode

# What the settings hold besides the sampler's own parameters.
_NOT_SAMPLING = frozenset({"max_tokens", "stop", "reasoning", "reasoning_budget"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """Who the bot is in a conversation, and how it writes: the persona's settings over the general ones."""

    key: str
    name: str
    description: str
    welcome_message: str
    head: tuple[ChatMessage, ...]
    """How every prompt begins: the system prompt, then the example exchanges."""
    sampling: SamplingParams
    max_tokens: int
    stop: tuple[str, ...]
    reasoning: ReasoningMode
    reasoning_budget: int | None


def resolve(key: str, settings: PersonaSettings, generation: GenerationSettings) -> Persona:
    """Merge the persona's overrides into the general settings."""
    overrides = {name: value for name, value in settings.generation if value is not None}
    merged = generation.model_copy(update=overrides)
    system = (ChatMessage(role="system", content=settings.system_prompt),) if settings.system_prompt.strip() else ()
    examples = (
        message
        for example in settings.examples
        for message in (
            ChatMessage(role="user", content=example.user),
            ChatMessage(role="assistant", content=example.assistant),
        )
    )
    return Persona(
        key=key,
        name=settings.name or key,
        description=settings.description,
        welcome_message=settings.welcome_message,
        head=(*system, *examples),
        sampling=SamplingParams(**{name: value for name, value in merged if name not in _NOT_SAMPLING}),
        max_tokens=merged.max_tokens,
        stop=merged.stop,
        reasoning=settings.reasoning or merged.reasoning,
        reasoning_budget=merged.reasoning_budget,
    )


class Personas:
    """All personas by their keys, in the order of the configuration."""

    @classmethod
    def of(cls, configuration: Configuration) -> Self:
        """The personas of a configuration."""
        return cls(configuration.personas, default=configuration.persona, generation=configuration.generation)

    def __init__(
        self, settings: Mapping[str, PersonaSettings], *, default: str, generation: GenerationSettings
    ) -> None:
        self._by_key = {key: resolve(key, persona, generation) for key, persona in settings.items()}
        self.default = self._by_key[default]

    def __iter__(self) -> Iterator[Persona]:
        return iter(self._by_key.values())

    @property
    def heads(self) -> list[tuple[ChatMessage, ...]]:
        """How prompts begin, the default persona's first, without those that begin with nothing of their own."""
        ordered = (self.default, *(persona for persona in self if persona is not self.default))
        return [persona.head for persona in ordered if persona.head]

    def get(self, key: str) -> Persona:
        """The persona of a stored conversation; the default one where the owner has removed it since."""
        return self._by_key.get(key, self.default)

    def find(self, name: str) -> Persona | None:
        """The persona that a person means by a key or a name, in any case."""
        wanted = name.casefold()
        named = {persona.name.casefold(): persona for persona in self}
        keyed = {persona.key.casefold(): persona for persona in self}
        return (named | keyed).get(wanted)

    def nearest(self, name: str) -> Persona | None:
        """The one a person may have meant; None where nothing comes close."""
        names = {spelling.casefold(): persona for persona in self for spelling in (persona.name, persona.key)}
        match = get_close_matches(name.casefold(), names, n=1, cutoff=0.5)
        return names[match[0]] if match else None
