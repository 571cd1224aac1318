"""One chat on a platform, with its moods."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.adapter import ReplyLimits, ReplyTarget
from bot.chat.clock import Clock
from bot.chat.delivering.gates import Gates
from bot.chat.delivering.undelivered import UndeliveredError
from bot.chat.platforms import Platforms
from bot.errors import (
    ChatGoneError,
    ChatMovedError,
    DeliveryError,
    FormatRefusedError,
    MessageGoneError,
    NotSentError,
    RateLimitedError,
)
from bot.messages import ChatAddress

_LOGGER = logging.getLogger(__name__)
_DELAYS_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_LEAST_PAUSE_S = 0.1
_MOST_PAUSES_S = 300.0
"""In all, for one message; a platform that wants more gets it from the outbox."""
_ANSWERS = (FormatRefusedError, MessageGoneError, ChatGoneError, ChatMovedError)
"""What a platform says for good; the others may pass."""
T = TypeVar("T")
Call = Callable[[ReplyTarget], Awaitable[T]]


class Channel:
    """Asks a `ReplyTarget`, waits as long as it wants, and asks again.

    When its adapter has come up again since, the target is opened anew: the old one belongs to a closed connection.
    """

    def __init__(
        self,
        *,
        target: ReplyTarget,
        address: ChatAddress,
        platforms: Platforms,
        gates: Gates,
        clock: Clock,
        patience_s: float,
    ) -> None:
        """`patience_s` is how long failures are waited out, in seconds."""
        self.address = address
        self.unsure = False
        """A message that was sent again, or is to be, may have been shown the first time all the same."""
        self._target = target
        self._platforms = platforms
        self._gates = gates
        self._times = platforms.times(address.adapter)
        self._clock = clock
        self._patience_s = patience_s

    @property
    def limits(self) -> ReplyLimits:
        """The platform's."""
        return self._target.limits

    @property
    def pause_s(self) -> float:
        """How long the platform wants to be left alone in this chat, in seconds."""
        return self._gates.pause_s(self.address, self.limits)

    def move(self, target: ReplyTarget, address: ChatAddress) -> None:
        """Go on in another chat."""
        self._target, self.address = target, address

    async def attempt(
        self, call: Call[T], what: str, *, copies: bool = False, spare: bool = False, waits: bool = False
    ) -> T | None:
        """Ask once; None where it failed for now, or would be too much. Raises what a platform says for good.

        `copies`: asking again would show something a second time. `spare`: something better may come soon, so this is
        left out before the platform's limit is reached. `waits`: it is asked as soon as the limit allows.
        """
        if self.pause_s or not (waits or self._gates.are_open(self.address, self.limits, spare=spare)):
            return None
        try:
            return await self._paced(call)
        except _ANSWERS:
            raise
        except RateLimitedError as error:
            self._pause(error)
        except UndeliveredError:
            _LOGGER.info("%s has to wait for too long", what)
        except NotSentError as error:
            _LOGGER.info("%s could not be shown: %s", what, error)
        except Exception as error:
            self.unsure = self.unsure or copies
            _LOGGER.warning("%s could not be shown", what, exc_info=error)
        return None

    async def sign(self, call: Call[None]) -> None:
        """Ask once for what no platform counts. Raises what it says for good."""
        if self.pause_s:
            return
        try:
            await call(self._target)
        except _ANSWERS:
            raise
        except RateLimitedError as error:
            self._pause(error)
        except Exception as error:  # noqa: BLE001 - the answer itself finds out what that means
            _LOGGER.info("a sign could not be shown: %s", _short(error))

    async def insist(self, call: Call[T], what: str, *, copies: bool = False) -> T:
        """Ask until it is done. Raises what a platform says for good, and `UndeliveredError`."""
        failures = 0
        waited = paused = 0.0
        while True:
            try:
                return await self._paced(call)
            except (*_ANSWERS, UndeliveredError):
                raise
            except RateLimitedError as error:
                self._pause(error)
                paused += error.retry_after_s
                if paused > _MOST_PAUSES_S:
                    raise UndeliveredError(retry_after_s=self.pause_s) from error
                continue
            except Exception as error:
                self.unsure = self.unsure or (copies and not isinstance(error, NotSentError))
                delay = _DELAYS_S[min(failures, len(_DELAYS_S) - 1)]
                if waited >= self._patience_s:
                    _LOGGER.warning("%s could not be shown, and is tried again later: %s", what, _short(error))
                    raise UndeliveredError from error
                trace = None if isinstance(error, DeliveryError) else error
                _LOGGER.info("%s could not be shown, trying again in %g s", what, delay, exc_info=trace)
            failures += 1
            waited += delay
            await self._clock.sleep(delay)
            self._reopen()

    async def _paced(self, call: Call[T]) -> T:
        async with self._gates.passed(self.address, self.limits):
            return await call(self._target)

    def _pause(self, error: RateLimitedError) -> None:
        _LOGGER.info("%s: %s", self.address.adapter, error)
        self._gates.pause(self.address, self.limits, max(_LEAST_PAUSE_S, error.retry_after_s))

    def _reopen(self) -> None:
        times = self._platforms.times(self.address.adapter)
        if times != self._times and (target := self._platforms.target(self.address)) is not None:
            self._target, self._times = target, times


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
