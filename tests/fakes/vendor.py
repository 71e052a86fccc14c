"""A simulated vendor for tests, and the plainest of clients for it."""

from __future__ import annotations

from typing import Any

import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from collector.core.model import Micros
from collector.core.times import HOUR
from collector.simulator import QUIET, SimulatorOptions

START: Micros = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z, where every simulated history here begins."""

TIMEOUT = 10.0


def quiet_options(hours: float = 6, **changed: Any) -> SimulatorOptions:
    """A vendor without oddities, quota or lag, with a small history."""
    rates = {"alerts": 120, "events": 120, "message": 600, "maillog": 600, "audit": 60}
    base: dict[str, Any] = {
        **QUIET,
        "history_start": START,
        "history_end": START + round(hours * HOUR),
        "rates": rates,
        "calls_per_day": None,
    }
    return SimulatorOptions(**(base | changed))


class CasbClient:
    """Calls the CASB endpoints (docs/vendor-notes.md, CASB A2 to A4); hands back raw responses."""

    def __init__(self, url: str, options: SimulatorOptions) -> None:
        """Remember where and who; no call yet."""
        self.url = url
        self.headers = {"x-api-key": options.api_key}
        self._secrets = {"client_id": options.client_id, "client_secret": options.client_secret}

    def log_in(self, **changed: str) -> requests.Response:
        """Ask for a token, and use it from now on when there is one."""
        answer = requests.post(
            f"{self.url}/v1/auth",
            json=self._secrets | changed,
            headers=self.headers,
            timeout=TIMEOUT,
        )
        if answer.ok:
            self.headers["Authorization"] = answer.json()["auth_token"]
        return answer

    def alerts(self, page: int = 0, **time_range: int | str) -> requests.Response:
        """One page of alerts; ``from_`` and ``to`` in epoch milliseconds."""
        body: dict[str, Any] = {"page": page}
        if time_range:
            body["time_range"] = {"from": time_range["from_"], "to": time_range["to"]}
        return requests.post(
            f"{self.url}/v1/alerts", json=body, headers=self.headers, timeout=TIMEOUT
        )

    def events(self, **params: str) -> requests.Response:
        """One page of events; ``startTime`` or ``nextPage``."""
        return requests.get(
            f"{self.url}/v2/events", params=params, headers=self.headers, timeout=TIMEOUT
        )


TOKEN = "simulated-token"


def open_stream(url: str, service: str, token: str = TOKEN, **query: str) -> Any:
    """Open a PoD session; raises ``InvalidStatus`` when it is refused."""
    parameters = {"cid": "example_hosted", "type": service, **query}
    prepared = requests.Request("GET", "http://h/", params=parameters).prepare()
    return connect(
        f"{url}?{prepared.url.partition('?')[2] if prepared.url else ''}",
        additional_headers={"Authorization": f"Bearer {token}"},
        max_size=None,
        max_queue=None,
        open_timeout=TIMEOUT,
        close_timeout=TIMEOUT,
    )


def take(session: ClientConnection, count: int) -> list[bytes]:
    """The next messages, as bytes; raises ``TimeoutError`` when they do not come."""
    return [_bytes(session.recv(timeout=TIMEOUT, decode=False)) for _ in range(count)]


def drain(session: ClientConnection) -> tuple[list[bytes], int | None]:
    """All messages until the end, and the close code (None without a close frame)."""
    received: list[bytes] = []
    while True:
        try:
            received.append(_bytes(session.recv(timeout=TIMEOUT, decode=False)))
        except ConnectionClosed as closed:
            return received, closed.rcvd.code if closed.rcvd else None


def _bytes(message: str | bytes) -> bytes:
    return message.encode() if isinstance(message, str) else message
