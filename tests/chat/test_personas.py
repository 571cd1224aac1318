"""Personas, ready for use."""

from bot.chat.personas import Personas, resolve
from bot.request import ChatMessage, SamplingParams
from bot.settings import ExampleExchange, GenerationSettings, PersonaSettings, SamplingOverrides

GENERATION = GenerationSettings(temperature=0.3, max_tokens=77, stop=("END",), reasoning="show", reasoning_budget=40)


def test_what_a_persona_leaves_open_is_as_for_every_reply() -> None:
    """Each sampling key goes to the sampler under its own name."""
    persona = resolve("p", PersonaSettings(), GENERATION)
    assert persona.sampling == SamplingParams(
        temperature=0.3, top_k=40, top_p=0.95, min_p=0.05, dry_sequence_breakers=("\n", ":", '"', "*")
    )
    assert (persona.max_tokens, persona.stop, persona.reasoning, persona.reasoning_budget) == (77, ("END",), "show", 40)
    assert (persona.name, persona.head) == ("p", ())


def test_a_persona_overrides_key_by_key() -> None:
    """Also with a value that is nothing: 0 and an empty list are set, only None is not."""
    overrides = SamplingOverrides(temperature=0, seed=5, stop=(), logit_bias={3: -1.0}, max_tokens=10)
    persona = resolve("p", PersonaSettings(generation=overrides, reasoning="off"), GENERATION)
    assert (persona.sampling.temperature, persona.sampling.seed, persona.sampling.top_k) == (0, 5, 40)
    assert persona.sampling.logit_bias == {3: -1.0}
    assert (persona.max_tokens, persona.stop, persona.reasoning) == (10, (), "off")


def test_the_prompt_begins_with_the_instructions_and_the_examples() -> None:
    """Word for word, and with nothing that changes from turn to turn."""
    settings = PersonaSettings(system_prompt="Be kind.\n", examples=(ExampleExchange(user="hi", assistant="ho"),))
    assert resolve("p", settings, GENERATION).head == (
        ChatMessage(role="system", content="Be kind.\n"),
        ChatMessage(role="user", content="hi"),
        ChatMessage(role="assistant", content="ho"),
    )


def test_a_persona_is_found_by_key_before_name() -> None:
    """In any case; a key that is another persona's name wins."""
    personas = Personas(
        {"a": PersonaSettings(name="b"), "b": PersonaSettings(name="Zed")}, default="a", generation=GENERATION
    )
    assert [persona.key for name in ("A", "b", "zed") if (persona := personas.find(name))] == ["a", "b", "b"]
    assert personas.find("c") is None
    assert personas.get("gone") is personas.default


def test_heads_begin_with_the_default_persona() -> None:
    """They are read ahead in this order; a persona without instructions has nothing to read."""
    personas = Personas(
        {
            "a": PersonaSettings(system_prompt="I am a."),
            "none": PersonaSettings(),
            "b": PersonaSettings(system_prompt="I am b."),
        },
        default="b",
        generation=GENERATION,
    )
    assert [[message.content for message in head] for head in personas.heads] == [["I am b."], ["I am a."]]
