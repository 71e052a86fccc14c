"""A PoD service without a network: a live stream that forgets, and an archive that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Self

from collector.core import times
from collector.core.model import Micros, Request, Response
from collector.core.times import HOUR
from tests.fakes.clock import ManualClock
from tests.fakes.crashes import Truth
from tests.fakes.pulls import message

_READ_SECONDS = 600.0
_READS = 9
"""A session drops after so many reads."""


class PodVendor:
    """Has one record every ``every`` microseconds in ``[start, end)``.

    Each has this text.  A session gives what comes while it lasts.  ``between`` is
    called between two reads.
    """

    def __init__(self, start: Micros, end: Micros, every: Micros, text: str = "") -> None:
        self._text = text
        self.moments = list(range(start, end, every))
        self.between: Callable[[], None] = lambda: None

    def truth(self) -> Truth:
        """What is to be delivered."""
        ids = {f"g-{number}": moment for number, moment in enumerate(self.moments)}
        return Truth(ids, len(ids), 0)

    def records(self, start: Micros, end: Micros) -> list[bytes]:
        """The records of that span."""
        found = enumerate(self.moments)
        return [
            message(number, moment, text=self._text)
            for number, moment in found
            if start <= moment < end
        ]

    def hour(self, request: Request) -> Iterator[Response]:
        """What the archive has of an hour."""
        start = times.parse(request.params["sinceTime"])
        yield Response(request=request, status=101, messages=self.records(start, start + HOUR))


class LiveSession:
    """A session (``pullers.stream.Session``) in which ten minutes pass between two reads."""

    silent_for = 0.0

    def __init__(self, vendor: PodVendor, clock: ManualClock) -> None:
        self.lasts = True
        self.clean = False
        self.ended = "dropped"
        self._vendor = vendor
        self._clock = clock
        self._heard = clock.now()
        self._reads = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.lasts = False

    def read(self) -> Sequence[bytes]:
        """What came in ten minutes; after some of them the connection is gone."""
        self._clock.advance(_READ_SECONDS)
        self._vendor.between()
        self._reads += 1
        self.lasts = self._reads < _READS
        return self._new()

    def finish(self) -> Sequence[bytes]:
        """Close in order."""
        self.lasts, self.clean = False, True
        return self._new()

    def _new(self) -> Sequence[bytes]:
        heard, self._heard = self._heard, self._clock.now()
        return self._vendor.records(heard, self._heard)
