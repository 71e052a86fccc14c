"""A CASB tenant over loopback HTTP: tokens that expire, alerts newest first, five a page."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from collector.core.model import Clock, Micros
from collector.core.times import SECOND
from tests.fakes.crashes import Truth

PAGE_SIZE = 5
_LIFE: Micros = 1800 * SECOND
_BROKEN = "not an alert"


class CasbVendor(ThreadingHTTPServer):
    """Has one alert every ``every`` microseconds in ``[start, end)``; shares the test's clock.

    Every seventh alert has two related events, every fifth page one element that is
    no alert, and the first alert of a page is also the last of the page before.
    """

    daemon_threads = True

    def __init__(self, start: Micros, end: Micros, every: Micros) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.clock: Clock
        self.alerts = [_alert(n, time) for n, time in enumerate(range(start, end, every))]
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def truth(self) -> Truth:
        """What is to be delivered."""
        return Truth(
            {alert["id"]: alert["timestamp"] * 1000 for alert in self.alerts},
            sum(max(1, len(alert["related_events"])) for alert in self.alerts),
            1,
        )

    def grant(self) -> dict[str, Any]:
        """A token that tells when it expires."""
        expires = self.clock.now() + _LIFE
        return {"auth_token": f"token-{expires}", "expires_in": _LIFE // SECOND}

    def page(self, token: str, question: dict[str, Any]) -> dict[str, Any] | None:
        """A page of alerts; None when the token has expired."""
        if int(token.removeprefix("token-")) < self.clock.now():
            return None
        span = question["time_range"]
        found = [a for a in self.alerts[::-1] if span["from"] <= a["timestamp"] <= span["to"]]
        first = question["page"] * PAGE_SIZE
        alerts: list[Any] = found[first : first + PAGE_SIZE]
        if first and len(alerts) == PAGE_SIZE:  # a new alert came between: pages drift
            alerts = [found[first - 1], *alerts]
        if alerts and alerts[0] is self.alerts[-1]:
            alerts = [_BROKEN, *alerts]
        return {"alerts": alerts}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: Nagle would wait for an acknowledgement
    server: CasbVendor

    def do_POST(self) -> None:
        """Answer one call."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/v1/auth":
            self._answer(200, self.server.grant())
        else:
            page = self.server.page(self.headers["Authorization"], body)
            self._answer(401 if page is None else 200, page or {})

    def log_message(self, *args: object) -> None:
        """Stay quiet."""

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def _alert(number: int, time: Micros) -> dict[str, Any]:
    related = [{"n": n} for n in range(2 if number % 7 == 0 else 0)]
    return {"id": f"a-{number}", "timestamp": time // 1000, "related_events": related}
