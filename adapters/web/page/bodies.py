"""What the page's own requests hold."""

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.people import PersonDecision

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
THREAD = r"^[A-Za-z0-9_-]{8,64}$"
Thread = Annotated[str, Path(pattern=THREAD, description="the page's id of a conversation")]
MOST_TEXT = 200_000
"""Characters of one message; how many tokens fit, the core says."""


class Body(BaseModel):
    """An unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LoginBody(Body):
    """One of the two."""

    key: str | None = Field(None, max_length=1000)
    link: str | None = Field(None, max_length=1000)


class MessageBody(Body):
    """A message or a command."""

    message_id: Id
    text: Annotated[str, StringConstraints(max_length=MOST_TEXT)]
    about: Id | None = None
    """Of the message whose reply is written, where that is not this one."""
    edited: bool = False
    files: tuple[Id, ...] = Field((), max_length=20)
    """Ids of uploads."""


class TitleBody(Body):
    """A conversation's name; an empty one takes it away."""

    title: Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]


class LinkBody(Body):
    """Whom a link is for."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    admin: bool = False


class DecisionBody(Body):
    """What becomes of somebody."""

    whom: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """A code or an id."""
    decision: PersonDecision
