"""Proofpoint CASB: settings to services."""

from __future__ import annotations

from functools import partial

from collector import logs
from collector.app import tls
from collector.app.credentials import Credentials, configured
from collector.app.services import Parts, ServiceJob, Wiring, micros, record_bounds
from collector.config.casb import CasbCredentials, CasbInput
from collector.config.casb_services import CasbAlerts, CasbEvents
from collector.config.inputs import Service
from collector.config.models import AnyInput
from collector.core.bounds import Bounds
from collector.core.flatten import flattener
from collector.core.policy import Quota
from collector.core.times import HOUR
from collector.pullers import casb_alerts, casb_events
from collector.pullers.base import Source
from collector.setup.casb import CasbSetup
from collector.setup.keeper import Keeper
from collector.setup.latest import LatestSetup
from collector.setup.waiters import Hears, ServiceTokens, Waiters
from collector.wire.http import HttpLimits, HttpWire
from collector.wire.retry import Patience
from collector.wire.throttle import Throttle
from collector.wire.vendor import Calls, Vendor

_MOST_IN_LINE = 100
"""Calls of one tenant that may wait for their turn at once; beyond that a pause is none of ours."""


def casb_services(wiring: Wiring, name: str, casb: CasbInput) -> list[ServiceJob]:
    """The services of a CASB tenant: one token, one quota, one connection pool."""
    credentials = Credentials(casb.credentials, configured(wiring.reread, name, _casb_credentials))
    setup = LatestSetup(lambda: casb_setup(casb, credentials.used))
    http = HttpWire(
        _http_limits(casb),
        tls.vendor(casb.tls),
        tls.proxy(casb.proxy),
        allow_private=casb.allow_private_addresses,
    )
    throttle = Throttle(name, _quota(casb), wiring.store, wiring.clock)
    calls = partial(_calls, wiring, casb, http, throttle)
    margin = micros(casb.auth.refresh_margin_in_seconds)
    waiters = Waiters(wiring.clock)
    keeper = Keeper(setup, calls(waiters.tell).send, wiring.clock, margin, logs.learn)
    jobs = []
    for service in wiring.chosen(casb).values():
        source = casb_source(casb, service)
        parts = Parts(wiring, name, casb.type, source, service)
        tokens = ServiceTokens(keeper, waiters, parts.journal.waiting)
        vendor = Vendor(calls(parts.journal.waiting), setup, tokens)
        pull = parts.puller(wiring, vendor.fetch).pull
        jobs.append(parts.job(tokens.token, pull, credentials))
    return jobs


def _quota(casb: CasbInput) -> Quota:
    interval = micros(casb.rate.min_interval_in_seconds)
    return Quota(
        per_day=casb.rate.calls_per_day,
        min_interval=interval,
        longest_pause=micros(casb.rate.retry_cap_in_seconds) + _MOST_IN_LINE * interval,
    )


def _casb_credentials(found: AnyInput) -> CasbCredentials | None:
    return found.credentials if isinstance(found, CasbInput) else None


def _calls(
    wiring: Wiring,
    casb: CasbInput,
    http: HttpWire,
    throttle: Throttle,
    waiting: Hears,
) -> Calls:
    rate = casb.rate
    patience = Patience(
        attempts=rate.retry_attempts, base=rate.retry_base_in_seconds, cap=rate.retry_cap_in_seconds
    )
    return Calls(
        http,
        throttle,
        patience,
        wiring.clock,
        wiring.rng,
        retry_statuses=frozenset(rate.retry_statuses),
        honour_retry_after=rate.honour_retry_after,
        waiting=waiting,
    )


def casb_setup(casb: CasbInput, secrets: CasbCredentials) -> CasbSetup:
    """How a tenant is authenticated."""
    auth = casb.auth
    return CasbSetup(
        url=casb.bases()["auth"] + auth.path,
        api_key=secrets.api_key.get_secret_value(),
        client_id=secrets.client_id.get_secret_value(),
        client_secret=secrets.client_secret.get_secret_value(),
        body_format=auth.body_format,
        extra_fields={key: value.get_secret_value() for key, value in auth.extra_fields.items()},
        token_field=auth.token_field,
        header_prefix=auth.header_prefix,
        api_key_header=auth.api_key_header,
        assumed_lifetime=micros(auth.assumed_lifetime_in_seconds),
    )


def _http_limits(casb: CasbInput) -> HttpLimits:
    limits = casb.limits
    return HttpLimits(
        connect_timeout=limits.connect_timeout_in_seconds,
        read_timeout=limits.read_timeout_in_seconds,
        total_timeout=limits.total_timeout_in_seconds,
        max_body=limits.max_body_bytes,
    )


def casb_source(casb: CasbInput, service: Service) -> Source:
    """The source that a service's settings describe."""
    bases = casb.bases()
    bounds = record_bounds(casb.json_limits)
    match service:
        case CasbAlerts():
            return casb_alerts.casb_alerts(_alerts(bases["alerts"], service, bounds))
        case CasbEvents():
            return casb_events.casb_events(_events(bases["events"], service, bounds))
    raise TypeError(type(service))


def _alerts(base: str, service: CasbAlerts, bounds: Bounds) -> casb_alerts.AlertsSettings:
    return casb_alerts.AlertsSettings(
        url=base + service.path,
        tag=service.tag,
        records=flattener(
            service.flatten,
            casb_alerts.LIST_FIELD,
            service.flatten_index_field,
            service.flatten_count_field,
        ),
        method=service.method,
        page_field=service.page_field,
        first_page=service.first_page,
        page_size=service.page_size,
        time_format=service.time_format,
        max_window=int(service.max_window_in_hours * HOUR),
        settle_delay=micros(service.settle_delay_in_seconds),
        second_look=micros(service.second_look_in_seconds),
        max_pages=service.max_pages_per_window,
        bounds=bounds,
    )


def _events(base: str, service: CasbEvents, bounds: Bounds) -> casb_events.EventsSettings:
    return casb_events.EventsSettings(
        url=base + service.path,
        tag=service.tag,
        records=flattener(
            service.flatten,
            casb_events.LIST_FIELD,
            service.flatten_index_field,
            service.flatten_count_field,
        ),
        method=service.method,
        start_param=service.start_param,
        start_format=service.start_format,
        cursor_param=service.cursor_param,
        cursor_field=service.cursor_field,
        list_field=service.list_field,
        cursor_refused=frozenset(service.cursor_refused_statuses),
        cursor_lookback=micros(service.cursor_lookback_in_seconds),
        max_pages=service.max_pages_per_pull,
        bounds=bounds,
    )
