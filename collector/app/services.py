"""What the services of all inputs are made of."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec

from collector.app.acceptance import Acceptance
from collector.app.credentials import NONE, Credentials
from collector.app.health import Board
from collector.app.metadata import metadata_of
from collector.app.pipelines import pipeline_of
from collector.app.pre_pull import pre_pull
from collector.app.watches import UNHEARD, Endurance, JobWatch, SourceWatch
from collector.config.inputs import JsonLimits, Service
from collector.config.models import AnyInput, Settings
from collector.core import phrases, times
from collector.core.batching import Limits
from collector.core.bounds import Bounds
from collector.core.gate import Gate
from collector.core.metadata import described
from collector.core.model import Clock
from collector.core.times import SECOND
from collector.logs import component_logger
from collector.persistence.sqlite import SqliteStore
from collector.pullers.base import Fetch, Source
from collector.pullers.intake import Destination, Intake
from collector.pullers.journal import Journal
from collector.pullers.looks import looks_alone
from collector.pullers.pull import Puller

_STREAM_LOOK = 10.0
"""Seconds after which a live service whose job ended is started again."""


class ServiceJob(msgspec.Struct, frozen=True, kw_only=True):
    """One service of one input: what to run, how often, and under which names.

    ``setup`` asks the vendor whether it takes the credentials; where it does not ask,
    ``acceptance`` tells later.  ``run`` is one pull, or a live session that lasts.
    ``period``: seconds between two starts.
    ``silence_limit``: seconds without a new record that are a fault; 0 is never.
    """

    source_id: str
    component: str
    setup_component: str
    puller_class: str
    setup: Callable[[], object]
    run: Callable[[], object]
    period: float
    intake: Intake
    credentials: Credentials[Any] = NONE
    lasting: bool = False
    acceptance: Acceptance | None = None
    input_type: str = ""
    service: str = ""
    watch: JobWatch = UNHEARD
    silence_limit: float = 0.0


class Wiring(msgspec.Struct, frozen=True, kw_only=True):
    """What every service is given; ``reread`` reads the configuration anew (``ConfigError``).

    ``alone``: no other process has services of the same inputs.  ``only_looks``: as of
    ``Selection``.
    """

    settings: Settings
    store: SqliteStore
    clock: Clock
    rng: random.Random
    gate: Gate
    board: Board
    once: bool
    reread: Callable[[], Settings]
    wanted: Callable[[str], bool] = lambda _service: True
    alone: bool = True
    only_looks: bool = False

    def chosen(self, settings: AnyInput) -> dict[str, Service]:
        """The services of an input that are configured, enabled and wanted, by name."""
        enabled = settings.services.enabled()
        return {field: service for field, service in enabled.items() if self.wanted(field)}


class Parts:
    """The parts that all services have, made from their settings."""

    def __init__(
        self, wiring: Wiring, name: str, kind: str, source: Source, service: Service
    ) -> None:
        clock = wiring.clock
        source = looks_alone(source) if wiring.only_looks else source
        self.source_id = f"{name}#{source.service}"
        self.component = phrases.puller_component(kind, name, source.service)
        self.setup_component = phrases.setup_component(
            wiring.settings.globals.name, kind, name, source.service
        )
        self.puller_class = phrases.puller_class(kind, source.service)
        self.log = component_logger("InputProcess", self.component)
        self.period = service.request_period_in_seconds
        # Neither a run that ends nor a hybrid service, which goes on to listen, waits for a pull.
        waits = not wiring.once and getattr(service, "mode", "archive") == "archive"
        minutes = wiring.settings.globals.give_up_after_in_minutes
        endurance = Endurance(None if minutes is None else minutes * 60)
        self._pulls, self._live, hours = (
            SourceWatch(wiring.board, self.source_id, part, clock, endurance)
            for part in ("pull", "live", "hours")
        )
        period = self.period if waits else 0.0
        self.journal = Journal(self.log, source.service, clock, period, self._pulls, hours)
        self.live_journal = Journal(self.log, source.service, clock, watch=self._live)
        # In a run that ends nothing comes once the one pull is done: that is no silence.
        self._silence_limit = 0.0 if wiring.once else service.silence_limit_in_seconds
        start = service.initial_start_time_in_utc
        checkpoint = pre_pull(
            wiring.store,
            self.source_id,
            self.component,
            None if start is None else times.parse(start),
            clock.now(),
            self.log,
            dated=source.dated,
        )
        to = destination(wiring.settings, name, source, service)
        self.intake = Intake(wiring.store, source, to, checkpoint, clock, wiring.gate)
        self.kind = kind
        self.source = source

    def puller(self, wiring: Wiring, fetch: Fetch) -> Puller:
        """The pull loop over a way to fetch."""
        return Puller(self.source, fetch, self.intake, self.journal, wiring.clock, wiring.rng)

    def job(
        self,
        setup: Callable[[], object],
        run: Callable[[], object],
        credentials: Credentials[Any],
        *,
        lasting: bool = False,
        acceptance: Acceptance | None = None,
    ) -> ServiceJob:
        """The service as something to schedule."""
        return ServiceJob(
            source_id=self.source_id,
            component=self.component,
            setup_component=self.setup_component,
            puller_class=self.puller_class,
            setup=setup,
            run=run,
            period=_STREAM_LOOK if lasting else self.period,
            intake=self.intake,
            credentials=credentials,
            lasting=lasting,
            acceptance=acceptance,
            input_type=self.kind,
            service=self.source.service,
            watch=self._live if lasting else self._pulls,
            silence_limit=self._silence_limit,
        )


def destination(settings: Settings, name: str, source: Source, service: Service) -> Destination:
    """Where the records of a service of the input ``name`` go."""
    return Destination(
        input=name,
        source_id=f"{name}#{source.service}",
        outputs=settings.outputs_of(name),
        limits=Limits(max_records=settings.globals.batch.max_records),
        metadata=service.metadata,
        about=described(metadata_of(settings, name, source.service, service)),
        pipeline=pipeline_of(settings, name, service),
    )


def record_bounds(limits: JsonLimits) -> Bounds:
    """What one record may hold."""
    return Bounds(depth=limits.max_depth, keys=limits.max_keys, string=limits.max_string_bytes)


def micros(seconds: float) -> int:
    """Settings' seconds as the core's microseconds."""
    return round(seconds * SECOND)
