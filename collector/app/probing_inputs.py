"""What the tests of all inputs share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from collector.config.inputs import Service
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
from collector.probe.steps import Failed
from collector.probe.verdicts import TABLE, Side, Trouble, Verdict, of_status

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


def enabled(chosen: AnyInput) -> dict[str, Service]:
    """The services of an input that are collected, by name."""
    services = {
        field: getattr(chosen.services, field) for field in type(chosen.services).model_fields
    }
    return {
        field: service
        for field, service in services.items()
        if service is not None and service.enabled
    }


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
