"""CASB's tokens and its daily quota.

Neither is documented (docs/vendor-notes.md, CASB A2 and A4), so both are options.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import Final

from collector.core.model import Micros
from collector.core.times import DAY, SECOND
from collector.simulator.options import SimulatorOptions

MAX_TOKENS: Final = 1000


class Token:
    """One grant: when it dies, and how many calls it is still good for."""

    def __init__(self, expires: Micros, calls: int | None) -> None:
        """Take the token's limits; None calls: no such limit."""
        self.expires = expires
        self.calls = calls

    def spend(self, now: Micros) -> bool:
        """Whether the token is good for this call; counts it."""
        if now >= self.expires or self.calls == 0:
            return False
        if self.calls is not None:
            self.calls -= 1
        return True


class Tokens:
    """The tokens given out; the oldest are forgotten when there are too many."""

    def __init__(self, options: SimulatorOptions) -> None:
        """Start without any."""
        self._options = options
        self._tokens: OrderedDict[str, Token] = OrderedDict()
        self._given = 0

    def grant(self, now: Micros) -> str:
        """A new token."""
        self._given += 1
        name = f"{self._options.seed}:{now}:{self._given}".encode()
        text = blake2b(name, digest_size=20).hexdigest()
        expires = now + round(self._options.token_lifetime_seconds * SECOND)
        self._tokens[text] = Token(expires, self._options.token_calls)
        while len(self._tokens) > MAX_TOKENS:
            self._tokens.popitem(last=False)
        return text

    def accept(self, text: str, now: Micros) -> bool:
        """Whether a call with this token is let in; counts it."""
        token = self._tokens.get(text)
        return token is not None and token.spend(now)

    def forget(self) -> None:
        """Let every token expire."""
        self._tokens.clear()


class Quota:
    """So many calls a UTC day."""

    def __init__(self, calls_per_day: int | None) -> None:
        """None: no limit."""
        self._limit = calls_per_day
        self._day = -1
        self._used = 0

    def take(self, now: Micros) -> bool:
        """Whether one more call is allowed today; counts it."""
        day = now // DAY
        if day != self._day:
            self._day, self._used = day, 0
        if self._limit is not None and self._used >= self._limit:
            return False
        self._used += 1
        return True
