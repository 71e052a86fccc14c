"""Faults by script: what goes wrong, where and when.

Two kinds.  A *call fault* meets whole requests (for PoD: handshakes); of the
calls that match, the ``nth`` and the ``count - 1`` after it are hit.  A *stream
fault* strikes inside open PoD sessions, beginning with the ``nth`` that matches,
in ``count`` sessions, once each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from collector.core.model import Micros
from collector.core.times import SECOND
from collector.errors import ConfigError
from collector.simulator.options import POD_SERVICES

BAD_SCRIPT: Final = 47

STREAM_ACTIONS: Final = ("reset", "eof", "close", "stall")
BODY_ACTIONS: Final = ("cut_body", "html_body", "expire_tokens", "refuse_cursor")


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a fault script.

    ``status``         answer with this status (PoD: refuse the handshake)
    ``slow``           answer after ``seconds``
    ``cut_body``       end the connection in the middle of the body
    ``html_body``      answer 200 with a page for people
    ``expire_tokens``  forget every CASB token given so far, then answer
    ``refuse_cursor``  events: answer 400 to a call with a cursor
    ``reset``          PoD: TCP reset; the session is released late
    ``eof``            PoD: end of TCP without a close frame
    ``close``          PoD: close with ``close_code``; 1000 cuts an archive session short
    ``stall``          PoD: silence for ``seconds``, pings unanswered
    """

    service: Literal["auth", "alerts", "events", "message", "maillog", "audit"]
    action: Literal[
        "status",
        "slow",
        "cut_body",
        "html_body",
        "expire_tokens",
        "refuse_cursor",
        "reset",
        "eof",
        "close",
        "stall",
    ]
    mode: Literal["live", "archive"] | None = None  # PoD; None: both
    after_seconds: float = 0.0  # since the start, on the simulator's clock
    after_records: int = 0  # stream faults: when so many records were written
    nth: int = 1
    count: int = 1
    status: int = 503
    retry_after: float | None = None  # seconds; None: no such header
    retry_after_form: Literal["seconds", "date"] = "seconds"
    seconds: float = 30.0
    close_code: int = 1000

    def __post_init__(self) -> None:
        """Refuse what cannot happen."""
        streams = self.service in POD_SERVICES
        if self.action in (BODY_ACTIONS if streams else STREAM_ACTIONS):
            raise ValueError(f"{self.action} cannot happen to {self.service}")
        if self.action == "refuse_cursor" and self.service != "events":
            raise ValueError("only events has a cursor")
        if self.mode is not None and not streams:
            raise ValueError(f"{self.service} has no modes")
        if self.nth < 1 or self.count < 1:
            raise ValueError("nth and count begin at 1")


def load_faults(path: Path) -> list[Fault]:
    """The faults of a JSON file (a list of objects); raises ``ConfigError``."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Fault])
    except (msgspec.DecodeError, OSError) as error:
        raise ConfigError(
            BAD_SCRIPT,
            f"the fault script cannot be used: {path}: {error}",
            "correct it; a fault takes the fields of collector.simulator.Fault and no others",
        ) from error


class Planned:
    """A fault and how far its script has come."""

    def __init__(self, fault: Fault, started: Micros) -> None:
        """Wait for the fault's time; ``started`` is when the simulator was."""
        self.fault = fault
        self._due_at = started + round(fault.after_seconds * SECOND)
        self._matched = 0
        self._struck = 0

    def hits(self, now: Micros) -> bool:
        """Whether this call, which matches, is one of those to be hit; counts it."""
        if now < self._due_at:
            return False
        self._matched += 1
        return self.fault.nth <= self._matched < self.fault.nth + self.fault.count

    def awaits_session(self) -> bool:
        """Whether this session, which matches, may be struck; counts it."""
        self._matched += 1
        return self._matched >= self.fault.nth and self._struck < self.fault.count

    def strikes(self, written: int, now: Micros) -> bool:
        """Whether the session is to be struck now, after so many records; counts it."""
        due = now >= self._due_at and written >= self.fault.after_records
        if due and self._struck < self.fault.count:
            self._struck += 1
            return True
        return False


class Script:
    """All faults of one simulator.  Used from its own thread only."""

    def __init__(self, faults: Iterable[Fault], started: Micros) -> None:
        """Plan the faults; ``started`` is what ``after_seconds`` counts from."""
        self._planned = [Planned(fault, started) for fault in faults]

    def for_call(
        self, service: str, now: Micros, *, mode: str | None = None, cursor: bool = False
    ) -> Fault | None:
        """The fault that hits this call, if any; the first in the script wins."""
        matching = [
            planned
            for planned in self._planned
            if planned.fault.action not in STREAM_ACTIONS
            and _matches(planned.fault, service, mode)
            and (cursor or planned.fault.action != "refuse_cursor")
        ]
        hit = [planned.fault for planned in matching if planned.hits(now)]
        return hit[0] if hit else None

    def for_session(self, service: str, mode: str) -> Sequence[Planned]:
        """The stream faults that may strike a session that just opened."""
        return [
            planned
            for planned in self._planned
            if planned.fault.action in STREAM_ACTIONS
            and _matches(planned.fault, service, mode)
            and planned.awaits_session()
        ]


def _matches(fault: Fault, service: str, mode: str | None) -> bool:
    return fault.service == service and fault.mode in (None, mode)
