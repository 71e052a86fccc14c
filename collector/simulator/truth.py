"""What the simulator emitted, so that lost and duplicate records can be counted.

``Truth`` may be read from any thread while the simulator serves.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from collector.core.model import Clock, Frozen, Micros
from collector.simulator.history import History
from collector.simulator.oddities import ID_FIELDS, MARKER
from collector.simulator.records import Records

LOG_LENGTH: Final = 100_000
"""How many of the latest calls, sessions and session ends are remembered."""

T = TypeVar("T")


class Call(Frozen, frozen=True, kw_only=True):
    """One answered HTTP request.  ``service`` is auth, alerts or events."""

    time: Micros
    service: str
    status: int


class Session(Frozen, frozen=True, kw_only=True):
    """One WebSocket handshake and its answer (101 when it was accepted).

    ``service`` is the type asked for, empty when there was none; ``mode`` is
    live or archive.
    """

    time: Micros
    service: str
    status: int
    mode: str


class SessionEnd(Frozen, frozen=True, kw_only=True):
    """How an accepted session ended.

    ``code`` is the close code that the client sent, None without a close frame;
    ``records`` counts what was written, a record sent twice in a row once.
    """

    time: Micros
    service: str
    mode: str
    code: int | None
    records: int


class Truth:
    """The oracle: which records exist, and what was asked of the vendor."""

    def __init__(self, clock: Clock, history: History, records: Records) -> None:
        """Start with empty logs."""
        self._clock = clock
        self._history = history
        self._records = records
        self._lock = threading.Lock()
        self._requests: deque[Call] = deque(maxlen=LOG_LENGTH)
        self._sessions: deque[Session] = deque(maxlen=LOG_LENGTH)
        self._ends: deque[SessionEnd] = deque(maxlen=LOG_LENGTH)

    def emitted(
        self, service: str, before: Micros | None = None, since: Micros | None = None
    ) -> set[str]:
        """The identities of the records that have appeared by ``before`` (None: by now).

        ``since`` leaves out records dated before it.  Records that cannot be parsed
        are counted by ``unparsable`` instead.
        """
        timeline = self._history[service]
        return {
            self._records.identity(service, number)
            for number in self._appeared(service, before)
            if (since is None or timeline.times[number] >= since)
            and not self._records.is_unparsable(service, number)
        }

    def unparsable(self, service: str, before: Micros | None = None) -> int:
        """How many records were sent that must be kept aside, for they cannot be read."""
        appeared = self._appeared(service, before)
        return sum(self._records.is_unparsable(service, number) for number in appeared)

    def _appeared(self, service: str, before: Micros | None) -> Sequence[int]:
        timeline = self._history[service]
        end = self._clock.now() if before is None else before
        return timeline.order[: timeline.appeared(end)]

    @property
    def requests(self) -> list[Call]:
        """The HTTP requests so far, oldest first."""
        return self._copy(self._requests)

    @property
    def sessions(self) -> list[Session]:
        """The WebSocket handshakes so far, refused ones too, oldest first."""
        return self._copy(self._sessions)

    @property
    def ends(self) -> list[SessionEnd]:
        """The ends of accepted sessions so far, oldest first."""
        return self._copy(self._ends)

    def note_request(self, call: Call) -> None:
        """Remember an answered request."""
        with self._lock:
            self._requests.append(call)

    def note_session(self, session: Session) -> None:
        """Remember a handshake."""
        with self._lock:
            self._sessions.append(session)

    def note_end(self, end: SessionEnd) -> None:
        """Remember the end of a session."""
        with self._lock:
            self._ends.append(end)

    def _copy(self, log: deque[T]) -> list[T]:
        with self._lock:
            return list(log)


def identity(service: str, record: Mapping[str, Any]) -> str:
    """The identity of a delivered record, as in ``Truth.emitted``.

    Raises ``ValueError`` for a record that this simulator never made.
    """
    known = record.get(ID_FIELDS[service])
    if known:
        return str(known)
    number = record.get(MARKER)
    if service == "message":
        header = record.get("msg", {}).get("header", {})
        number = next(iter(header.get(MARKER, ())), None)
    if number is None:
        raise ValueError(f"a {service} record has neither an id nor a simulator number")
    return f"{MARKER}:{number}"
