"""What the tests of all inputs share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from collector.app import tls
from collector.config.models import AnyInput
from collector.core.model import Clock, Frozen
from collector.errors import (
    AuthenticationError,
    CollectorError,
    ConfigError,
    StateError,
    UnreadableAnswer,
    VendorUnavailable,
)
from collector.probe.findings import Step
from collector.probe.network import Place, place_of
from collector.probe.steps import Failed, Passed, Planned, Steps
from collector.probe.verdicts import TABLE, Side, Trouble, Verdict, of_status
from collector.wire.stream import Stream

_FORBIDDEN = 103
"""The number that ``wire.statuses`` gives to 403."""
_NO_STATUS = 500
"""The number of the wires' errors that hold no status of the vendor's."""
_TROUBLES: dict[type[CollectorError], Trouble] = {
    ConfigError: Trouble.FILES,
    StateError: Trouble.REPORTED,
    UnreadableAnswer: Trouble.UNREADABLE,
}


class Ground(Frozen, frozen=True):
    """What a test of inputs has to respect.

    ``running``: a collector runs over the state ``folder``.  ``calls``: whether CASB may be
    asked; ``session``: open PoD sessions whatever runs.  ``learn`` hears of granted tokens.
    """

    clock: Clock
    folder: Path
    running: bool
    calls: bool
    session: bool
    learn: Callable[[str], None]


def place(url: str, settings: AnyInput) -> Place:
    """Where a URL of an input leads, with the input's TLS and proxy."""
    return place_of(
        url,
        partial(tls.vendor, settings.tls),
        tls.proxy(settings.proxy),
        guarded=not settings.allow_private_addresses,
    )


def sessions(name: str, services: Iterable[str]) -> list[Planned]:
    """The steps of a session for each service, which follow when the server is reached."""
    steps = (Step.AUTHENTICATION, Step.ANSWER)
    return [(step, f"{name}#{field}") for field in services for step in steps]


def take_session(
    steps: Steps,
    source: str,
    opened: Callable[[float], Passed[Stream]],
    heard: Callable[[Stream, float], Passed[None]],
) -> None:
    """Open a session, listen, and close in order; raises ``Ended``."""
    with steps.plan((Step.ANSWER, source)):
        stream = steps.take(Step.AUTHENTICATION, source, opened)
    with stream:
        steps.take(Step.ANSWER, source, partial(heard, stream))


def explain(error: CollectorError) -> Failed:
    """What an error of the wires, of a file or of the state means."""
    trouble = _trouble(error)
    known = trouble in TABLE[Side.VENDOR]
    return Failed(trouble, error.cause, None if known else Verdict(error.cause, error.remedy))


def _trouble(error: CollectorError) -> Trouble:
    if isinstance(error, AuthenticationError):
        return Trouble.FORBIDDEN if error.number == _FORBIDDEN else Trouble.OTHER
    if isinstance(error, VendorUnavailable) and error.number == _NO_STATUS:
        return Trouble.NO_ANSWER
    return _TROUBLES.get(type(error)) or of_status(error.number)
