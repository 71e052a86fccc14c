"""The real way to a CASB tenant, all but the answers; over a store in memory."""

from __future__ import annotations

import random
from typing import Any, Self

import msgspec

from collector.core.auth import Setup
from collector.core.policy import Quota
from collector.core.times import SECOND
from collector.setup.casb import CasbSetup
from collector.setup.keeper import Keeper
from collector.wire.http import HttpLimits, HttpWire
from collector.wire.retry import Patience
from collector.wire.throttle import Throttle
from collector.wire.vendor import Calls, Vendor
from tests.fakes.clock import ManualClock
from tests.fakes.store import MemoryStore

AUTH = "https://api.example.com/v1/auth"
ALERTS = "https://api.example.com/v1/alerts"
EVENTS = "https://api.example.com/v2/events"
ATTEMPTS = 4
CAP = 300.0
"""Tries of one call, and the longest wait between two, in seconds."""


def casb_setup(**changed: Any) -> CasbSetup:
    """The setup of the tenant."""
    setup = CasbSetup(url=AUTH, api_key="key", client_id="id", client_secret="secret")
    return msgspec.structs.replace(setup, **changed)


class WiredTenant:
    """A vendor client whose HTTP the test answers; a context manager."""

    def __init__(
        self, clock: ManualClock, store: MemoryStore, *, spacing: float = 0.0, per_day: int = 0
    ) -> None:
        quota = Quota(per_day=per_day, min_interval=int(spacing * SECOND))
        self._http = HttpWire(HttpLimits())
        calls = Calls(
            self._http,
            Throttle("casb", quota, store, clock),
            Patience(attempts=ATTEMPTS, base=1.0, cap=CAP),
            clock,
            random.Random(7),
            retry_statuses=frozenset({429, 500, 502, 503, 504}),
        )
        setup: Setup = casb_setup()
        self.keeper = Keeper(setup, calls.send, clock)
        self.vendor = Vendor(calls, setup, self.keeper)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
