"""Proofpoint on Demand: settings to services."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import partial

from msgspec import structs
from pydantic import SecretStr

from collector.app import tls
from collector.app.acceptance import Acceptance, nothing_to_ask
from collector.app.credentials import Credentials, configured
from collector.app.services import Parts, ServiceJob, Wiring, micros, record_bounds
from collector.app.sessions import Allowance, MeasuredWire
from collector.config.models import AnyInput
from collector.config.pod import PodCredentials, PodInput, PodService
from collector.core import workers
from collector.core.flatten import flattener
from collector.core.model import Clock, Frozen, Request
from collector.core.times import HOUR
from collector.logs import component_logger
from collector.pullers.base import Fetch, Source
from collector.pullers.journal import Journal
from collector.pullers.pod import PodSettings, live_request
from collector.pullers.pod_audit import pod_audit
from collector.pullers.pod_maillog import pod_maillog
from collector.pullers.pod_message import pod_message
from collector.pullers.stream import Streamer, Turns
from collector.setup.latest import LatestSetup
from collector.setup.pod import PodSetup
from collector.wire.retry import Patience, patiently
from collector.wire.stream import Stream, StreamLimits
from collector.wire.websocket import WebSocketWire, batches

_POD = {"message": pod_message, "maillog": pod_maillog, "audit": pod_audit}
_ARCHIVE_PAGE = 2
"""Batches of an archive hour that are committed together: what is past need not hurry."""
_ARCHIVE_ATTEMPTS = 8
"""Handshakes tried for one archive hour before it is left to the next pull."""


def pod_services(wiring: Wiring, name: str, pod: PodInput) -> list[ServiceJob]:
    """The services of a PoD cluster; with a second token a hybrid one has two jobs."""
    jobs: list[ServiceJob] = []
    log = component_logger("InputProcess", f"InputThread({pod.type},{name})")
    allowance = Allowance(_sessions_per_hour(wiring, pod), wiring.clock, log)
    for field, service in wiring.chosen(pod).items():
        assert isinstance(service, PodService)  # noqa: S101 - the model says so
        wires = _wires(wiring, pod, service, allowance)
        jobs += _pod_service(wiring, name, pod, field, service, wires)
    return jobs


class _Wires(Frozen, frozen=True):
    """How sessions are opened: those that last, and those that end by themselves."""

    live: MeasuredWire
    archive: MeasuredWire


def _wires(wiring: Wiring, pod: PodInput, service: PodService, allowance: Allowance) -> _Wires:
    def wire(limits: StreamLimits) -> MeasuredWire:
        vendor = WebSocketWire(
            limits,
            wiring.clock,
            _tls(pod),
            tls.proxy(pod.proxy),
            allow_private=pod.allow_private_addresses,
        )
        return MeasuredWire(vendor, allowance)

    lasting = _stream_limits(wiring, service)
    finite = structs.replace(
        lasting,
        message_idle=service.archive_idle_limit_in_seconds,
        max_records=_ARCHIVE_PAGE * lasting.max_records,
    )
    return _Wires(live=wire(lasting), archive=wire(finite))


def _sessions_per_hour(wiring: Wiring, pod: PodInput) -> int:
    """What this process may use of the input's one budget."""
    budget = pod.rate.sessions_per_hour
    if wiring.alone:
        return budget
    return workers.share(budget, len(wiring.chosen(pod)), len(pod.services.enabled()))


def _pod_service(
    wiring: Wiring,
    name: str,
    pod: PodInput,
    field: str,
    service: PodService,
    wires: _Wires,
) -> list[ServiceJob]:
    settings = _pod_settings(pod, service, once=wiring.once)
    source = _POD[field](settings)
    parts = Parts(wiring, name, pod.type, source, service)
    credentials = Credentials(pod.credentials, configured(wiring.reread, name, _pod_credentials))
    live = _Caller(wires, wiring.clock, lambda: credentials.used.token)
    second = (
        _Caller(
            wires, wiring.clock, lambda: credentials.used.archive_token or credentials.used.token
        )
        if pod.credentials.archive_token
        else None
    )
    archive = parts.puller(wiring, _archive_fetch(wiring, second or live, parts.journal))
    job = partial(parts.job, nothing_to_ask, credentials=credentials)
    if settings.mode == "archive":
        return [job(archive.pull, acceptance=(second or live).acceptance)]
    beside = second is not None and settings.mode == "hybrid"
    streamer = Streamer(
        source,
        live_request(settings, field),
        _connect(wiring, live, parts.live_journal, service),
        None if settings.mode == "live" or beside else archive,
        parts.intake,
        _turns(settings, service, beside=second is not None),
        parts.live_journal,
        wiring.clock,
        wiring.rng,
    )
    jobs = [job(streamer.run, lasting=True, acceptance=live.acceptance)]
    if beside and second is not None:
        jobs.append(job(archive.pull, acceptance=second.acceptance))
    return jobs


class _Caller:
    """Opens sessions with one token of a cluster; ``acceptance`` hears of the first.

    ``token`` answers the token in use: it may be replaced while we run.
    """

    def __init__(self, wires: _Wires, clock: Clock, token: Callable[[], SecretStr]) -> None:
        self.acceptance = Acceptance()
        self._setup = LatestSetup(lambda: PodSetup(token().get_secret_value()))
        self._wires = wires
        self._clock = clock

    def lasting(self, request: Request) -> Callable[[], Stream]:
        """What opens the live session of a request."""
        return self._opening(self._wires.live, request)

    def finite(self, request: Request) -> Callable[[], Stream]:
        """What opens the session of an archive hour."""
        return self._opening(self._wires.archive, request)

    def _opening(self, wire: MeasuredWire, request: Request) -> Callable[[], Stream]:
        # It is signed with the token of this moment.
        signed = self._setup.sign(request, self._setup.grant(None, self._clock.now()))

        def open_() -> Stream:
            stream = wire.open(signed)
            self.acceptance.given()
            return stream

        return open_


def _turns(settings: PodSettings, service: PodService, *, beside: bool) -> Turns:
    return Turns(
        memory=settings.server_memory,
        slack=settings.late_arrival,
        delay=settings.archive_delay,
        archive_retry=micros(service.request_period_in_seconds),
        verify=_verifies(service, beside=beside),
        begins=settings.mode == "live" and service.initial_start_time_in_utc is None,
    )


def pod_source(pod: PodInput, field: str, service: PodService) -> Source:
    """The source that a service's settings describe."""
    return _POD[field](_pod_settings(pod, service, once=False))


def _pod_credentials(found: AnyInput) -> PodCredentials | None:
    return found.credentials if isinstance(found, PodInput) else None


def _verifies(service: PodService, *, beside: bool) -> bool:
    """Whether live hours are compared with the archive; ``mode: live`` has no archive."""
    wanted = beside if service.verify_live_hours is None else service.verify_live_hours
    return wanted and service.mode == "hybrid"


def _pod_settings(pod: PodInput, service: PodService, *, once: bool) -> PodSettings:
    return PodSettings(
        url=pod.endpoint,
        cluster_id=pod.credentials.cluster_id,
        tag=getattr(service, "tag"),  # noqa: B009 - each service class has its own default
        records=flattener("none", ""),
        mode="archive" if once else service.mode,
        archive_delay=micros(service.archive_delay_in_seconds),
        retention=int(service.retention_in_hours * HOUR),
        late_arrival=micros(service.late_arrival_in_seconds),
        server_memory=micros(service.server_memory_in_seconds),
        few_ratio=service.few_records_ratio,
        recheck=micros(service.recheck_delay_in_seconds),
        max_message=service.max_message_bytes,
        bounds=record_bounds(pod.json_limits),
    )


def _stream_limits(wiring: Wiring, service: PodService) -> StreamLimits:
    batch = wiring.settings.globals.batch
    return StreamLimits(
        connect_timeout=service.connect_timeout_in_seconds,
        ping_interval=service.ping_interval_in_seconds,
        idle=service.idle_limit_in_seconds,
        max_message=service.max_message_bytes,
        max_records=batch.max_records,
        max_seconds=batch.max_seconds,
        compression=service.compression,
    )


def _tls(pod: PodInput) -> ssl.SSLContext | None:
    return tls.vendor(pod.tls) if pod.endpoint.startswith("wss:") else None


def _archive_fetch(wiring: Wiring, caller: _Caller, journal: Journal) -> Fetch:
    patience = Patience(attempts=_ARCHIVE_ATTEMPTS, cap=60.0)

    def connect(request: Request) -> Stream:
        opening = caller.finite(request)
        return patiently(opening, patience, wiring.clock, wiring.rng, journal.waiting)

    return lambda request: batches(connect(request))


def _connect(
    wiring: Wiring, caller: _Caller, journal: Journal, service: PodService
) -> Callable[[Request], Stream]:
    patience = Patience(attempts=0, cap=60.0)

    def connect(request: Request) -> Stream:
        alarm = journal.taken_alarm(service.session_taken_limit_in_seconds)
        return patiently(caller.lasting(request), patience, wiring.clock, wiring.rng, alarm)

    return connect
