"""Every error of the collector, named by what the caller does next.

    CollectorError
    ├── ConfigError           stop: nothing starts until the file is changed
    ├── StateError            stop: the state needs a person
    ├── AuthenticationError   stop this input, look again every 15 minutes
    ├── TokenRejected         refresh the token, repeat the call once
    ├── VendorUnavailable     wait as told, then repeat
    │   ├── QuotaExhausted    wait until the quota is given again
    │   └── SessionTaken      wait: the token's session is still held
    ├── VendorRefused         the same request will be refused again: change it, or leave it
    ├── UnreadableAnswer      repeat a few times, then leave the window for the next pull
    │   └── HoursPutOff       go on: all else was read, and these hours are tried again later
    ├── SessionEnded          connect again; what was in flight may be missing
    │   └── SessionSilent     the same, but not at once: it took its time to find out
    ├── Undelivered           keep the records, send them again later
    └── Stopped               leave quietly: the program is stopping
        └── ReaderGone        leave quietly, and stop: nobody reads what is printed

The numbers follow the bands that operators of Devo's collectors know; an
``ApiError`` carries the HTTP status itself.  docs/errors.md has every number:
kind and number together name an error.  Raise a leaf, never ``CollectorError``.
"""

from __future__ import annotations

import os
from typing import ClassVar


def own_user() -> str:
    """Whose permissions count, for a remedy: a container's user is a number alone."""
    return f"user {os.geteuid()}, which runs the collector"


class CollectorError(Exception):
    """What went wrong, why, and what the operator can do about it.

    ``number`` is stable across releases, ``cause`` says what was seen and
    ``remedy`` what to do.  Neither ever holds a secret.
    """

    kind: ClassVar[str] = "InternalError"
    exit_code: ClassVar[int] = 1
    number: int
    cause: str
    remedy: str

    def __init__(self, number: int, cause: str, remedy: str) -> None:
        self.number = number
        self.cause = cause
        self.remedy = remedy
        super().__init__(number, cause, remedy)

    def __str__(self) -> str:
        return f"{self.kind} {self.number}: {self.cause} -> {self.remedy}"


class ConfigError(CollectorError):
    """The configuration cannot be used (1-49); nothing is started."""

    kind = "ConfigError"
    exit_code = 3


class AuthenticationError(CollectorError):
    """The vendor refused who we say we are (100-149)."""

    kind = "SetupError"
    exit_code = 4


class TokenRejected(CollectorError):
    """The vendor no longer takes this token (401); a fresh one may do."""

    kind = "ApiError"
    exit_code = 4


class VendorUnavailable(CollectorError):
    """The vendor could not answer now; ``number`` is the status, or 500 where there is none.

    ``retry_after`` is the wait in seconds that the vendor asked for, or None.
    """

    kind = "ApiError"
    exit_code = 5
    retry_after: float | None

    def __init__(
        self, number: int, cause: str, remedy: str, retry_after: float | None = None
    ) -> None:
        super().__init__(number, cause, remedy)
        self.retry_after = retry_after


class QuotaExhausted(VendorUnavailable):
    """The day's calls are used up; ``retry_after`` seconds until the next ones."""


class SessionTaken(VendorUnavailable):
    """409: the token already has a session of this type."""


class VendorRefused(CollectorError):
    """The vendor refuses this very request (400, 404, 405, 410, ...); ``number`` is the status."""

    kind = "ApiError"
    exit_code = 5


class UnreadableAnswer(CollectorError):
    """An answer that is not what the vendor promised (300-349)."""

    kind = "PullError"
    exit_code = 5


class SessionEnded(CollectorError):
    """A stream ended without the orderly close that proves completeness (300-349)."""

    kind = "PullError"
    exit_code = 5


class HoursPutOff(UnreadableAnswer):
    """Single hours cannot be read for now, while all others were (313)."""


class SessionSilent(SessionEnded):
    """A stream that should have ended said nothing more for too long (303)."""


class StateError(CollectorError):
    """The state cannot be used, or does not hold what was asked for (200-249)."""

    kind = "PrePullError"
    exit_code = 7


class Undelivered(CollectorError):
    """A destination did not take the records (600-699, ``senders.error_numbers``).

    They stay in the spool.

    ``retry_after`` is the wait in seconds that the destination asked for, ``status`` that of
    its HTTP answer; None where there is none.
    """

    kind = "DeliveryError"
    exit_code = 6
    retry_after: float | None
    status: int | None

    def __init__(
        self,
        number: int,
        cause: str,
        remedy: str,
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(number, cause, remedy)
        self.retry_after = retry_after
        self.status = status


class Stopped(CollectorError):
    """The program was asked to stop while this work was waiting."""

    kind = "Stopped"
    exit_code = 8

    def __init__(self) -> None:
        super().__init__(0, "the collector is stopping", "nothing to do")


class ReaderGone(Stopped):
    """Whoever read the records from standard output has gone: a closed pipe stays closed."""
