"""One message's place in the line of its conversation."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from bot.chat.delivering.ledger import Ledger
from bot.messages import IncomingMessage


class Cancellable(Protocol):
    """A generation, or a task that makes several."""

    def cancel(self) -> object:
        """Ask it to end."""
        ...


class Ticket:
    """Waits until it is called; from then on it is being served, and can be stopped by whoever holds it."""

    def __init__(self, message: IncomingMessage) -> None:
        self.message = message
        """May be replaced by a newer version while it waits."""
        self.about = (message.message_id, message.text)
        """Id and text of the person's message that is being answered; for `/retry`, that of an earlier one."""
        self.admin = False
        """Whoever wrote it is an admin."""
        self.closed = False
        """Called only to be told that the daemon stops."""
        self.withdrawn = False
        """Called only because its person does not want an answer any more."""
        self.restarting = False
        """Stopped because the daemon stops."""
        self.owed: int | None = None
        """Id of the answer, where the message is from an earlier process or connection."""
        self.ledger: Ledger | None = None
        """What of the answer outlives the process."""
        self.shows: Callable[[str], bool] = lambda _message_id: False
        """Whether a button under this message is about this ticket."""
        self.moved: Callable[[int], None] = lambda _ahead: None
        """Called with how many stand before it, whenever that changes while it waits."""
        self.begun: Callable[[], None] = lambda: None
        """Called when the model has been given something to do for it."""
        self._called = asyncio.Event()
        self._stopped = False
        self._generation: Cancellable | None = None

    @property
    def called(self) -> bool:
        """It waits no longer."""
        return self._called.is_set()

    @property
    def served(self) -> bool:
        """It is its turn now."""
        return self.called and not self.closed

    async def wait(self) -> None:
        """Return when it is this ticket's turn, or when the daemon stops."""
        await self._called.wait()

    def call(self) -> None:
        """It is this ticket's turn."""
        self._called.set()

    def close(self) -> None:
        """It will not be this ticket's turn any more."""
        self.closed = True
        self._called.set()

    def withdraw(self) -> None:
        """Leave the line unanswered; what is written already is stopped."""
        if self.called:
            self.stop()
        else:
            self.withdrawn = True
            self.close()

    @property
    def answer_id(self) -> int | None:
        """Id of the answer that is owed."""
        return self.ledger.answer_id if self.ledger is not None else None

    def replace(self, message: IncomingMessage) -> None:
        """Put a newer version in the place of a message that waits."""
        self.message = message
        self.about = (message.message_id, message.text)

    def stop(self) -> None:
        """Cancel what is being written, or what would be next."""
        self._stopped = True
        if self._generation is not None:
            self._generation.cancel()

    @contextmanager
    def writing(self, generation: Cancellable) -> Iterator[None]:
        """While this lasts, `stop` cancels `generation`; so does an error that ends it."""
        self._generation = generation
        self.begun()
        if self._stopped:
            generation.cancel()
        try:
            yield
        except BaseException:
            generation.cancel()
            raise
        finally:
            self._generation = None
