"""What is allowed and yet unwise: warnings, in the form of problems.

They come from what is known of the vendor: how long it remembers, how far back it
reaches, how often it may be asked (docs/vendor-notes.md, PoD 2 and 3, CASB A4).
How far back CASB reaches is not public: nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from collector.config.casb import CasbInput
from collector.config.inputs import Service
from collector.config.models import AnyInput, Settings
from collector.config.pod import PodInput, PodService
from collector.config.problems import Problem
from collector.config.sharing import shared
from collector.config.websocket import WebSocketInput

_DAY_SECONDS = 86_400.0
_MEMORY_SECONDS = 3600.0
"""The live server resumes a session that dropped less than this ago."""
_RETENTION_HOURS = 720.0
"""The archive reaches back 30 days."""
_USABLE_HOURS = 718.0
"""What of that can be asked for at any time, because the vendor rounds down to the hour."""
_HOUR_SECONDS = 3600.0
_SERVER_IDLE_SECONDS = 300.0
"""The server ends a session that has sent nothing for so long."""


def cautions(settings: Settings) -> list[Problem]:
    """Everything to be warned of."""
    return [*_idleness(settings.inputs), *cautions_about(settings.inputs)]


def cautions_about(inputs: Mapping[str, AnyInput]) -> list[Problem]:
    """Everything to be warned of in these inputs, by name."""
    found: list[Problem] = []
    for name, each in inputs.items():
        if each.enabled and isinstance(each, CasbInput | PodInput):
            found += _of_input(f"inputs.{name}", each)
        elif each.enabled and isinstance(each, WebSocketInput):
            found += _of_stream(f"inputs.{name}.services.stream", each)
    return [*found, *shared(inputs)]


def _idleness(inputs: Mapping[str, AnyInput]) -> Iterator[Problem]:
    """A configuration that is right, and collects nothing."""
    if not any(each.enabled and each.services.enabled() for each in inputs.values()):
        yield Problem(
            path="inputs",
            reason="has no service that is enabled: nothing is collected",
            fix="write enabled: true at an input and at one of its services, or remove their "
            "enabled: false",
        )


def _of_stream(path: str, settings: WebSocketInput) -> Iterator[Problem]:
    """A stream of which nothing can be fetched later."""
    if settings.services.stream is not None and settings.services.stream.enabled:
        yield Problem(
            path=path,
            reason="cannot fetch what it misses: what is sent while no session stands is lost; the "
            "ledger names each such time",
            fix="nothing to do if that is bearable; else have the sender keep or repeat records",
        )


def _of_input(path: str, settings: CasbInput | PodInput) -> Iterator[Problem]:
    for field, service in settings.services.enabled().items():
        here = f"{path}.services.{field}"
        yield from _silence(here, service)
        if isinstance(service, PodService):
            yield from _memory(here, service)
            yield from _retention(here, service)
            yield from _idle(here, service)
    if isinstance(settings, CasbInput):
        yield from _quota(path, settings)


def _memory(path: str, service: PodService) -> Iterator[Problem]:
    """Live sessions: what an outage may last."""
    if service.mode == "live":
        yield Problem(
            path=f"{path}.mode",
            reason="an outage of more than an hour loses records for good: the vendor resumes no "
            "older session, and nothing else is asked",
            fix="write hybrid, or be sure that an hour is enough",
            value="'live'",
        )
    if service.mode != "archive" and service.server_memory_in_seconds > _MEMORY_SECONDS:
        yield Problem(
            path=f"{path}.server_memory_in_seconds",
            reason="is longer than the hour that the vendor remembers: a gap in between is lost",
            fix="write at most 3600",
            value=f"{service.server_memory_in_seconds:g}",
        )


def _retention(path: str, service: PodService) -> Iterator[Problem]:
    """The archive: how far back it reaches, and what an interval may last."""
    if service.mode == "live":
        return
    if service.retention_in_hours > _RETENTION_HOURS:
        yield Problem(
            path=f"{path}.retention_in_hours",
            reason="is more than the 30 days that the vendor keeps: it refuses older hours",
            fix=f"write at most {_USABLE_HOURS:g}",
            value=f"{service.retention_in_hours:g}",
        )
    yield from _outrun(path, service)


def _outrun(path: str, service: PodService) -> Iterator[Problem]:
    """Hours that leave the archive before they are asked for.

    At its end an hour is an hour old; then come the delay and, at worst, one period.
    """
    waits = {
        "archive_delay_in_seconds": service.archive_delay_in_seconds,
        "request_period_in_seconds": service.request_period_in_seconds,
    }
    kept = min(service.retention_in_hours, _RETENTION_HOURS) * _HOUR_SECONDS
    age = _HOUR_SECONDS + sum(waits.values())
    if age >= max(kept, _USABLE_HOURS * _HOUR_SECONDS):
        yield _long_wait(path, waits, kept)
    elif age >= kept:
        yield Problem(
            path=f"{path}.retention_in_hours",
            reason="is so short that hours are given up before they are asked for: "
            "archive_delay_in_seconds and request_period_in_seconds come after their end",
            fix=f"write at least {age // _HOUR_SECONDS + 1:.0f}, at most {_USABLE_HOURS:g}",
            value=f"{service.retention_in_hours:g}",
        )


def _long_wait(path: str, waits: Mapping[str, float], kept: float) -> Problem:
    """The longer of two waits, which no retention makes up for."""
    other, longest = sorted(waits, key=waits.__getitem__)
    mended = 2 * _HOUR_SECONDS + waits[other]
    more = f", and {_USABLE_HOURS:g} for retention_in_hours" if mended >= kept else ""
    return Problem(
        path=f"{path}.{longest}",
        reason="is so long that hours leave the vendor's archive before they are asked for",
        fix=f"write {_HOUR_SECONDS:g} or less{more}",
        value=f"{waits[longest]:.10g}",
    )


def _idle(path: str, service: PodService) -> Iterator[Problem]:
    if service.mode != "archive" and service.ping_interval_in_seconds >= _SERVER_IDLE_SECONDS:
        yield Problem(
            path=f"{path}.ping_interval_in_seconds",
            reason="lets the vendor end a quiet session, which it does after 300 seconds",
            fix="write 90, or at most 150",
            value=f"{service.ping_interval_in_seconds:g}",
        )


def _silence(path: str, service: Service) -> Iterator[Problem]:
    """Silence that is told before anything could have come."""
    limit, period = service.silence_limit_in_seconds, service.request_period_in_seconds
    if isinstance(service, PodService):
        if service.mode != "archive":
            return
        period += service.archive_delay_in_seconds + 3600
    if 0 < limit <= period:
        yield Problem(
            path=f"{path}.silence_limit_in_seconds",
            reason="is no longer than records may be apart though nothing is wrong",
            fix=f"write more than {period:g}, or 0 for never",
            value=f"{limit:g}",
        )


def _quota(path: str, casb: CasbInput) -> Iterator[Problem]:
    """Pulls that use the day's calls up; each asks for one page at least."""
    allowed = casb.rate.calls_per_day
    pulls = sum(
        _DAY_SECONDS / service.request_period_in_seconds
        for service in (casb.services.alerts, casb.services.events)
        if service is not None and service.enabled
    )
    if 0 < allowed < pulls:
        yield Problem(
            path=f"{path}.rate.calls_per_day",
            reason=f"is less than the {pulls:.0f} calls that the services' periods ask for: "
            "collection would rest each day until midnight UTC",
            fix="raise request_period_in_seconds of the services, or this, if your contract allows",
            value=str(allowed),
        )
