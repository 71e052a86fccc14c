"""Reading hours again on request: which of a span make sense, and having them read."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from collector.app.collector import Collector
from collector.app.opening import starts_anew
from collector.app.outcome import Outcome
from collector.app.pre_pull import DEFAULT_LOOKBACK
from collector.app.selection import Selection
from collector.app.services import micros
from collector.clock import SystemClock
from collector.config.models import Settings
from collector.config.names import refuse_unknown_choice
from collector.config.pod import PodInput
from collector.config.websocket import WebSocketInput
from collector.core import checkpoint as rules
from collector.core import times
from collector.core.checkpoint import Checkpoint
from collector.core.model import Clock, Micros, Window
from collector.core.standing import NEVER_RAN, Terms
from collector.core.times import HOUR, ceil_hour
from collector.errors import ConfigError, StateError
from collector.persistence.database import IN_USE, LOCK_NAME, take_lock
from collector.persistence.hours import Hour
from collector.persistence.sqlite import SqliteStore

_CHECK = "see: collector check"
_NEVER: Micros = 1 << 62


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Which hours of one source will be read, and which not, and why not.

    Each hour costs at least one call: a PoD session, a CASB page.  ``ready``: from when
    on the last of those that are too new can be read.
    """

    source: str
    read: list[Window]
    known: list[Window]
    out_of_reach: list[Window]
    future: list[Window]
    ready: Micros | None = None


def sources(settings: Settings, inputs: Iterable[str], services: Iterable[str]) -> list[str]:
    """The sources of the named inputs and services that are enabled; empty means all.

    Raises ``ConfigError`` for a name that nothing has, and when that leaves none.
    """
    chosen_inputs, chosen_services = frozenset(inputs), frozenset(services)
    refuse_unknown_choice(settings, chosen_inputs, chosen_services)
    chosen = Selection(chosen_inputs, chosen_services)
    found = [each for each in settings.sources() if chosen.has_source(*each.split("#"))]
    if not found:
        raise ConfigError(21, "no service that is configured and enabled fits", _CHECK)
    return found


def starts(settings: Settings, sources: Iterable[str]) -> dict[str, Micros | None]:
    """From when on each source is to be collected; None where its first run decides that."""
    found = {}
    for source in sources:
        name, field = source.split("#")
        text = getattr(settings.inputs[name].services, field).initial_start_time_in_utc
        found[source] = None if text is None else times.parse(text)
    return found


def plan(
    settings: Settings, source: str, hours: Iterable[Hour], now: Micros, *, again: bool
) -> Plan:
    """Sort the hours of one source; ``again``: read those that are done, too."""
    oldest, newest = _reach(settings, source, now)
    read: list[Window] = []
    known: list[Window] = []
    gone: list[Window] = []
    future: list[Window] = []
    ready: Micros | None = None
    for hour in hours:
        span = hour.account.span
        if span.start < oldest:
            gone.append(span)
        elif hour.account.state == NEVER_RAN:
            future.append(span)
        elif span.end > newest:
            future.append(span)
            ready = max(ready or 0, span.end + now - newest)
        elif hour.done and not again:
            known.append(span)
        else:
            read.append(span)
    return Plan(
        source=source, read=read, known=known, out_of_reach=gone, future=future, ready=ready
    )


def _reach(settings: Settings, source: str, now: Micros) -> tuple[Micros, Micros]:
    """The first hour the vendor still has, and the end of the last it can give yet."""
    name, field = source.split("#")
    chosen = settings.inputs[name]
    service = getattr(chosen.services, field)
    if isinstance(chosen, PodInput):
        retention = int(service.retention_in_hours * HOUR)
        return ceil_hour(now - retention), now - micros(service.archive_delay_in_seconds)
    if isinstance(chosen, WebSocketInput):
        return _NEVER, _NEVER  # nobody keeps what it sent
    return 0, now


def terms(settings: Settings, source: str, margin: Micros) -> Terms:
    """When an hour of the source is due, by its settings, and when it is overdue."""
    name, field = source.split("#")
    chosen = settings.inputs[name]
    service = getattr(chosen.services, field)
    if not isinstance(chosen, PodInput):
        settle = micros(getattr(service, "settle_delay_in_seconds", 0.0))
        return Terms(settle=settle, again=0, margin=margin)
    late, delay = (
        micros(service.late_arrival_in_seconds),
        micros(service.archive_delay_in_seconds),
    )
    return Terms(
        settle=late if service.mode == "live" else max(late, delay),
        again=max(micros(service.recheck_delay_in_seconds), delay),
        margin=margin,
    )


def refuse_beside_another(settings: Settings) -> None:
    """Raise ``StateError`` while another process owns the state, so that nobody is asked in vain.

    Where there is no state yet nothing is made.
    """
    where = settings.state_folder
    if not (where / LOCK_NAME).exists():
        return
    try:
        take_lock(where).release()
    except StateError as error:
        if error.number != IN_USE:
            raise
        remedy = "stop it first, or let it do the work: it repairs its gaps by itself"
        raise StateError(IN_USE, error.cause, remedy) from error


def ask(settings: Settings, plans: Iterable[Plan], clock: Clock) -> None:
    """Note the wanted hours in the state; raises ``StateError``, also while a collector runs.

    A service that never ran begins where its first run would have begun, and a state
    that there is not yet is made.
    """
    wanted = {each.source: each.read for each in plans if each.read}
    now = clock.now()
    store = SqliteStore.open(settings.state_folder, clock, start_anew=starts_anew(settings))
    try:
        for source, start in starts(settings, wanted).items():
            mark = store.checkpoint(source)
            if mark is None:
                mark = rules.started(now - DEFAULT_LOOKBACK if start is None else start)
                store.reset(source, mark, now, "first start")
            mark = _owing(settings, source, mark, wanted[source][-1].end)
            store.correct(source, wanting(mark, wanted[source], now), now)
    finally:
        store.close()


def _owing(settings: Settings, source: str, mark: Checkpoint, until: Micros) -> Checkpoint:
    """The checkpoint with all hours owed that the archive would be asked for before ``until``.

    So those that are read on request are not asked for once more by the next run.
    """
    name, field = source.split("#")
    chosen = settings.inputs[name]
    archived = isinstance(chosen, PodInput) and getattr(chosen.services, field).mode != "live"
    return rules.planned(mark, until, 0) if archived and mark.live is None else mark


def read(
    settings: Settings,
    plans: Iterable[Plan],
    clock: SystemClock,
    watch: Callable[[Collector], None],
) -> Outcome:
    """Have the services read what they were asked for; how that ended.

    ``watch`` runs beside it, in the caller's thread, until the collector rests.
    """
    wanted = [each.source for each in plans if each.read]
    collector = Collector(settings, clock, Selection(sources=wanted, only_looks=True), once=True)
    watch(collector)
    return collector.outcome


def wanting(mark: Checkpoint, hours: Iterable[Window], now: Micros) -> Checkpoint:
    """The checkpoint with these hours to be looked at now, even those that were put off."""
    for span in _joined(hours):
        mark = rules.look_again(rules.looked(mark, span), span, now)
    return mark


def _joined(hours: Iterable[Window]) -> list[Window]:
    """Hours that follow each other, as one span."""
    joined: list[Window] = []
    for hour in hours:
        if joined and joined[-1].end == hour.start:
            joined[-1] = Window(joined[-1].start, hour.end)
        else:
            joined.append(hour)
    return joined
