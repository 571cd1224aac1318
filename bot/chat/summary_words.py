"""How a summary is asked for, and how it stands in a prompt."""

import re

from bot.chat.prompt import Exchange
from bot.request import ChatMessage
from bot.storage.records import Summary

_WORDS_PER_TOKEN = 0.6
"""In most languages and vocabularies a token is less than a word; asked for fewer, a model ends by itself."""
_QUESTION = "What have we talked about so far?"
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’»)\]]*(?=\s|$)|[。！？\n]")  # noqa: RUF001 - other scripts' marks are meant


def request_for_summary(tokens: int) -> ChatMessage:
    """The message that makes the model sum up what stands before it, in at most so many tokens."""
    return ChatMessage(
        role="user",
        content=(
            f"Before we go on, sum up our conversation so far in at most {int(tokens * _WORDS_PER_TOKEN)} words, so "
            "that you can go on from that alone: what I told you about myself, what I wanted, what came out of it, and "
            "what is still open. Use the language that I have been using. Write the summary only."
        ),
    )


def recap(summary: Summary) -> Exchange:
    """The summary as the model is shown it.

    An exchange, and not a part of the system prompt: every template can express it, the persona's beginning stays the
    same for everybody, and words of the person's that came into the summary have no more weight than they had.
    """
    return ChatMessage(role="user", content=_QUESTION), ChatMessage(role="assistant", content=summary.text)


def whole_sentences(text: str) -> str:
    """A text that was broken off, without the sentence it was broken off in; all of it where that is all there is."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return text[: ends[-1]].rstrip() if ends else text
