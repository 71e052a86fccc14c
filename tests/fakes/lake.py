"""An HTTP destination that drops repeats by their key, and can be out of order."""

from __future__ import annotations

import threading

from collector.core.model import Clock
from tests.fakes.deliveries import Deliveries
from tests.fakes.receivers import Answer, HttpReceiver, Posted

MOODS = ("refusing", "busy", "forgetful", "vanishing", "silent")
"""Ways to be out of order.

    refusing   503, nothing is kept
    busy       429 with Retry-After, nothing is kept
    forgetful  keeps the post and answers 503
    vanishing  keeps the post and ends the connection without an answer
    silent     answers nothing until it is well again, and then takes the late posts
"""


class Lake(HttpReceiver):
    """Takes posts; ``mood`` is one of ``MOODS`` or ``well``."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.deliveries = Deliveries()
        self.repeats = 0
        self.mood = "well"
        self._clock = clock
        self._keys: set[str] = set()
        self._lock = threading.Lock()

    def become(self, mood: str) -> None:
        """Be in this mood from now on."""
        self.mood = mood
        if mood == "silent":
            self.stalled.set()
        else:
            self.stalled.clear()

    def take(self, posted: Posted) -> Answer:
        """Keep a post unless it is a repeat, and answer by the mood."""
        if len(posted.body) != int(posted.headers["content-length"]):
            return Answer(400)  # its sender was killed in the middle
        if self.mood == "refusing":
            return Answer(503)
        if self.mood == "busy":
            return Answer(429, headers=(("Retry-After", "20"),))
        self._keep(posted)
        if self.mood == "vanishing":
            raise ConnectionAbortedError
        return Answer(503 if self.mood == "forgetful" else 200)

    def _keep(self, posted: Posted) -> None:
        with self._lock:
            key = posted.headers["idempotency-key"]
            if key in self._keys:
                self.repeats += 1
                return
            self._keys.add(key)
            received = self._clock.now()
            for line in posted.body[:-1].split(b"\n"):
                self.deliveries.add(line, received)
