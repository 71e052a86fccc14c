"""The steps of a CASB tenant: every host, a token, one cheap call for each service."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import TypeVar

from collector.app import tls
from collector.app.casb import casb_setup, casb_source
from collector.app.probing_inputs import Ground, place
from collector.app.probing_quota import Calls
from collector.app.services import micros
from collector.config.casb import CasbInput
from collector.config.inputs import Service
from collector.core import checkpoint
from collector.core.auth import Token
from collector.core.model import Request, Response
from collector.core.policy import Quota
from collector.core.times import DAY, SECOND
from collector.probe.findings import Step
from collector.probe.network import reach
from collector.probe.steps import Failed, Passed, Steps
from collector.probe.verdicts import of_status
from collector.setup.casb import CasbSetup
from collector.wire.http import HttpLimits, HttpWire
from collector.wire.vendor import vendor_message

T = TypeVar("T")


def take_casb(steps: Steps, name: str, casb: CasbInput, ground: Ground) -> None:
    """Take the steps of one input; what depends on nothing that failed is still tried."""
    bases = casb.bases()
    services = casb.services.enabled()
    failed = {
        base: steps.failure(partial(reach, steps, place(base, casb)))
        for base in dict.fromkeys(bases[each] for each in ("auth", *services))
    }
    if not ground.calls:
        steps.skip(Step.AUTHENTICATION, name, "credentials not tried: --no-calls")
        return
    if unreached := failed[bases["auth"]]:
        steps.leave(Step.AUTHENTICATION, name, unreached)
    else:
        able = {field: each for field, each in services.items() if not failed[bases[field]]}
        steps.failure(lambda: _Tenant(steps, name, casb, ground).ask(able))
    for field in services:
        if missing := unreached or failed[bases[field]]:
            steps.leave(Step.ANSWER, f"{name}#{field}", missing)


class _Tenant:
    """The calls to one tenant."""

    def __init__(self, steps: Steps, name: str, casb: CasbInput, ground: Ground) -> None:
        rate = casb.rate
        quota = Quota(per_day=rate.calls_per_day, min_interval=micros(rate.min_interval_in_seconds))
        folder = None if ground.running else ground.folder
        self._calls = Calls(folder, name, quota, ground.clock)
        self._steps = steps
        self._name = name
        self._casb = casb
        self._ground = ground

    def ask(self, services: dict[str, Service]) -> None:
        """A token, then the first page of each service; raises ``Ended`` without a token."""
        setup = casb_setup(self._casb, self._casb.credentials)
        sources = {field: f"{self._name}#{field}" for field in services}
        with self._steps.plan(*((Step.ANSWER, source) for source in sources.values())):
            token = self._call(Step.AUTHENTICATION, self._name, partial(self._granted, setup))
        for field, service in services.items():
            page = partial(self._page, service, setup, token)
            self._steps.failure(partial(self._call, Step.ANSWER, sources[field], page))

    def _call(self, step: Step, source: str, action: Callable[[float], Passed[T]]) -> T:
        """A step that is one call: counted, and not too soon after the last one."""
        try:
            wait = self._calls.admit()
        except Failed as failed:
            self._steps.fail(step, source, failed)
        self._steps.pause(wait)
        return self._steps.take(step, source, action)

    def _granted(self, setup: CasbSetup, seconds: float) -> Passed[Token]:
        now = self._ground.clock.now()
        token = setup.grant(self._sent(setup.ask(), seconds), now)
        self._ground.learn(token.value)
        life = (token.expires - now) // SECOND
        return Passed(token, f"a token for {life} seconds; {self._calls.told}")

    def _page(
        self, service: Service, setup: CasbSetup, token: Token, seconds: float
    ) -> Passed[None]:
        now = self._ground.clock.now()
        source = casb_source(self._casb, service)
        plan = source.plan(checkpoint.started(now - DAY), now)
        if plan is None:
            return Passed(None, "nothing to ask for: the settle delay is longer than a day")
        page = source.read(self._sent(setup.sign(plan.request, token), seconds))
        return Passed(None, f"a page with {len(page.events)} records; {self._calls.told}")

    def _sent(self, request: Request, seconds: float) -> Response:
        """The good answer to one request; raises ``Failed`` for any other."""
        with closing(self._wire(seconds)) as http:
            response = http.send(request)
        if not 200 <= response.status < 300:
            seen = f"HTTP {response.status}: {vendor_message(response)}".removesuffix(": ")
            raise Failed(of_status(response.status), seen)
        return response

    def _wire(self, seconds: float) -> HttpWire:
        limits = HttpLimits(
            connect_timeout=seconds,
            read_timeout=seconds,
            total_timeout=seconds,
            max_body=self._casb.limits.max_body_bytes,
        )
        return HttpWire(
            limits,
            tls.vendor(self._casb.tls),
            tls.proxy(self._casb.proxy),
            allow_private=self._casb.allow_private_addresses,
        )
