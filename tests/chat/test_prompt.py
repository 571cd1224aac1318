"""Fitting a conversation into the window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.personas import Persona, resolve
from bot.chat.prompt import Exchange, PromptFitter
from bot.errors import InvalidRequestError, PromptTooLongError
from bot.request import ChatMessage
from bot.settings import ExampleExchange, GenerationSettings, PersonaSettings
from tests.support.scripted_engine import ScriptedEngine, prompt_tokens


def _persona(max_tokens: int = 50, words: int = 3) -> Persona:
    return resolve(
        "p",
        PersonaSettings(system_prompt="be " * words, examples=(ExampleExchange(user="x", assistant="y"),)),
        GenerationSettings(max_tokens=max_tokens),
    )


def _words(count: int) -> str:
    return "w " * count


def _exchange(asked: int, answered: int) -> Exchange:
    return ChatMessage(role="user", content=_words(asked)), ChatMessage(role="assistant", content=_words(answered))


def _asked(words: int) -> tuple[ChatMessage, ...]:
    return (ChatMessage(role="user", content=_words(words)),)


@given(
    n_ctx=st.integers(64, 2000),
    max_tokens=st.integers(1, 1500),
    keep=st.floats(0.05, 0.9),
    lengths=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 60)), max_size=60),
    new=st.integers(1, 400),
)
async def test_what_is_fitted_fits(
    n_ctx: int, max_tokens: int, keep: float, lengths: list[tuple[int, int]], new: int
) -> None:
    """Persona, latest whole exchanges and message leave room for the reply; a cut keeps its share and no more."""
    engine = ScriptedEngine(n_ctx=n_ctx)
    persona = _persona(max_tokens)
    history = [_exchange(*each) for each in lengths]
    budget = n_ctx - min(max_tokens, n_ctx // 2)
    fitter = PromptFitter(engine, keep_after_cut=keep)

    def size(kept: int) -> int:
        latest = [message for exchange in history[len(history) - kept :] for message in exchange]
        return prompt_tokens([*persona.head, *latest, *_asked(new)])

    if size(0) > budget:
        with pytest.raises(InvalidRequestError):
            await fitter.fit(persona, history, _asked(new))
        return
    prompt = await fitter.fit(persona, history, _asked(new))
    kept = len(history) - prompt.dropped
    flat = [message for exchange in history[prompt.dropped :] for message in exchange]
    assert prompt.messages == (*persona.head, *flat, *_asked(new))
    assert prompt.tokens == size(kept) <= budget
    assert min(max_tokens, n_ctx // 2) <= prompt.max_tokens <= max_tokens
    assert prompt.tokens + prompt.max_tokens <= n_ctx
    if size(len(history)) <= budget:
        assert prompt.dropped == 0
        return
    target = int(budget * keep)
    if size(0) > target:
        target = size(0) + int((budget - size(0)) * keep)
    assert size(kept) <= target < size(kept + 1)


async def test_a_history_that_fits_is_counted_once() -> None:
    """The count that proves that it fits is the only one."""
    engine = ScriptedEngine(n_ctx=1000)
    await PromptFitter(engine, keep_after_cut=0.5).fit(_persona(), [_exchange(5, 5)] * 20, _asked(3))
    assert len(engine.counts) == 1


async def test_a_cut_of_a_very_long_history_counts_little_of_it() -> None:
    """Ten thousand exchanges, as after the window was made smaller, are never counted as a whole."""
    engine = ScriptedEngine(n_ctx=1000)
    history = [_exchange(20, 20)] * 10_000
    prompt = await PromptFitter(engine, keep_after_cut=0.5).fit(_persona(), history, _asked(3))
    assert prompt.dropped == 10_000 - 10
    assert sum(engine.counts) < 10 * engine.n_ctx


async def test_a_long_message_keeps_some_history() -> None:
    """A message that takes most of the budget does not cost the whole conversation."""
    engine = ScriptedEngine(n_ctx=1000)
    prompt = await PromptFitter(engine, keep_after_cut=0.5).fit(_persona(), [_exchange(20, 20)] * 30, _asked(700))
    assert 30 - prompt.dropped == 2


async def test_a_message_that_cannot_fit_is_refused_with_its_own_size() -> None:
    """What persona and template take is counted off the limit, not laid on the message."""
    engine = ScriptedEngine(n_ctx=150)
    fitter = PromptFitter(engine, keep_after_cut=0.5)
    overhead = prompt_tokens([*_persona().head, ChatMessage(role="user", content="")])
    with pytest.raises(PromptTooLongError) as error:
        await fitter.fit(_persona(), [_exchange(1, 1)], _asked(101))
    assert (error.value.prompt_tokens, error.value.limit) == (101, 100 - overhead)
    assert (await fitter.fit(_persona(), [], _asked(100 - overhead))).tokens == 100


async def test_a_persona_that_fills_the_window_is_the_owners_to_mend() -> None:
    """The text names what to change; shortening the message would not help."""
    fitter = PromptFitter(ScriptedEngine(n_ctx=100), keep_after_cut=0.5)
    with pytest.raises(InvalidRequestError, match=r"engine\.n_ctx"):
        await fitter.fit(_persona(words=60), [], _asked(1))


async def test_a_small_window_shortens_the_reply_not_the_question() -> None:
    """Half of the window is left for the prompt, and a short prompt leaves more to the reply."""
    engine = ScriptedEngine(n_ctx=100)
    prompt = await PromptFitter(engine, keep_after_cut=0.5).fit(_persona(max_tokens=90), [], _asked(1))
    assert prompt.max_tokens == 100 - prompt.tokens


async def test_a_reply_to_be_continued_is_always_kept() -> None:
    """The prompt ends inside the reply, and older turns give way to it."""
    engine = ScriptedEngine(n_ctx=150)
    closing = (*_asked(10), ChatMessage(role="assistant", content=_words(40)))
    prompt = await PromptFitter(engine, keep_after_cut=0.5).fit(_persona(), [_exchange(10, 10)] * 5, closing)
    assert 0 < prompt.dropped <= 5
    assert prompt.messages[-2:] == closing
    with pytest.raises(InvalidRequestError, match="cannot go on"):
        await PromptFitter(engine, keep_after_cut=0.5).fit(
            _persona(), [], (*_asked(10), ChatMessage(role="assistant", content=_words(100)))
        )
