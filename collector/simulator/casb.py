"""The three CASB endpoints (docs/vendor-notes.md, CASB A2 to A4), with faults.

The order of the checks is ours: API key, daily quota, token, parameters.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final

import msgspec
from aiohttp import web

from collector.core.model import Micros
from collector.core.times import SECOND, parse
from collector.simulator import answers
from collector.simulator.faults import Fault
from collector.simulator.grants import Quota, Tokens
from collector.simulator.truth import Call
from collector.simulator.world import World

MILLI: Final[Micros] = 1000
FOREVER: Final[Micros] = 2**62


class Refused(Exception):
    """A request that gets an error, with the answer."""

    def __init__(self, status: int, message: str | None = None) -> None:
        """Take what to answer."""
        super().__init__(status, message)
        self.answer = answers.error(status, message)


class TimeRange(msgspec.Struct, rename={"start": "from", "end": "to"}):
    """Epoch milliseconds, both inclusive; numbers or text."""

    start: int
    end: int


class AlertsQuery(msgspec.Struct):
    """The body of an alerts call."""

    page: int = 0
    time_range: TimeRange | None = None


class Cursor(msgspec.Struct, array_like=True):
    """Where an events reader stands: a place in the order of appearance, and its start."""

    place: int
    since: Micros

    def text(self) -> str:
        """The opaque form."""
        content = {"v": 1, "place": self.place, "since": self.since}
        return base64.b64encode(msgspec.json.encode(content)).decode()

    @staticmethod
    def read(text: str) -> Cursor:
        """The cursor of a text; raises ``Refused`` (400) when it is none of ours."""
        try:
            content = msgspec.json.decode(base64.b64decode(text, validate=True))
            return Cursor(int(content["place"]), int(content["since"]))
        except (binascii.Error, ValueError, KeyError, TypeError) as wrong:
            raise Refused(400, "nextPage is not valid") from wrong


class Casb:
    """Answers /v1/auth, /v1/alerts and /v2/events."""

    def __init__(self, world: World) -> None:
        """Start with no tokens given and no calls used."""
        self._world = world
        self._options = world.options
        self._tokens = Tokens(world.options)
        self._quota = Quota(world.options.calls_per_day)

    def add_routes(self, app: web.Application) -> None:
        """Serve the three endpoints."""
        app.router.add_post("/v1/auth", self._auth)
        app.router.add_post("/v1/alerts", self._alerts)
        app.router.add_get("/v2/events", self._events)

    async def _auth(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        return await self._answer("auth", request, lambda: self._grant(request, body))

    async def _alerts(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        return await self._answer("alerts", request, lambda: self._alerts_page(request, body))

    async def _events(self, request: web.Request) -> web.StreamResponse:
        return await self._answer("events", request, lambda: self._events_page(request))

    async def _answer(
        self, service: str, request: web.Request, answer: Callable[[], bytes]
    ) -> web.StreamResponse:
        now = self._world.clock.now()
        fault = self._world.script.for_call(service, now, cursor="nextPage" in request.query)
        response = await self._with_fault(fault, answer)
        self._world.truth.note_request(Call(time=now, service=service, status=response.status))
        if fault is not None and fault.action == "cut_body":
            return await answers.cut_short(request, response)
        return response

    async def _with_fault(self, fault: Fault | None, answer: Callable[[], bytes]) -> web.Response:
        action = fault.action if fault is not None else None
        if fault is not None and action == "status":
            failed = answers.error(fault.status)
            return answers.with_retry_after(failed, fault, self._world.clock.now())
        if action == "html_body":
            return web.Response(text=answers.HTML, content_type="text/html")
        if action == "refuse_cursor":
            return answers.error(400, "nextPage is not valid")
        if fault is not None and action == "slow":
            await self._world.wait(fault.seconds)
        if action == "expire_tokens":
            self._tokens.forget()
        try:
            return answers.json_answer(answer())
        except Refused as refused:
            return refused.answer

    def _grant(self, request: web.Request, body: bytes) -> bytes:
        now = self._admit(request)
        sent = _decode(body, dict[str, Any])
        options = self._options
        expected = {"client_id": options.client_id, "client_secret": options.client_secret}
        if {name: sent.get(name) for name in expected} != expected:
            raise Refused(403, "The client is not known")
        return msgspec.json.encode({"auth_token": self._tokens.grant(now)})

    def _admit(self, request: web.Request) -> Micros:
        """Check the API key and the quota; the time of the call."""
        now = self._world.clock.now()
        if request.headers.get("x-api-key") != self._options.api_key:
            raise Refused(403)
        if not self._quota.take(now):
            raise Refused(429, "Limit Exceeded")
        return now

    def _authorize(self, request: web.Request) -> Micros:
        now = self._admit(request)
        if not self._tokens.accept(request.headers.get("Authorization", ""), now):
            raise Refused(401, "The incoming token has expired")
        return now

    def _alerts_page(self, request: web.Request, body: bytes) -> bytes:
        now = self._authorize(request)
        query = _decode(body, AlertsQuery)
        if query.page < 0:
            raise Refused(400, "page is negative")
        start, end = -FOREVER, FOREVER
        if query.time_range is not None:
            start = query.time_range.start * MILLI
            end = (query.time_range.end + 1) * MILLI
        numbers = self._world.history["alerts"].newest_first(start, end, now)
        first = query.page * self._options.page_size
        page = islice(numbers, first, first + self._options.page_size)
        return b'{"alerts":[%b]}' % self._joined("alerts", page)

    def _events_page(self, request: web.Request) -> bytes:
        now = self._authorize(request)
        cursor = self._cursor(request.query, now)
        timeline = self._world.history["events"]
        appeared = timeline.appeared(now)
        numbers: list[int] = []
        while cursor.place < appeared and len(numbers) < self._options.page_size:
            number = timeline.order[cursor.place]
            if timeline.times[number] >= cursor.since:
                numbers.append(number)
            cursor.place += 1
        return b'{"size":%d,"nextPageToken":"%b","content":[%b]}' % (
            len(numbers),
            cursor.text().encode(),
            self._joined("events", numbers),
        )

    def _cursor(self, query: Mapping[str, str], now: Micros) -> Cursor:
        if "nextPage" in query:
            return Cursor.read(query["nextPage"])
        since = now - round(self._options.events_lookback_seconds * SECOND)
        if "startTime" in query:
            try:
                since = parse(query["startTime"])
            except (ValueError, OverflowError) as wrong:
                raise Refused(400, "startTime is not YYYY-MM-DDTHH:MM") from wrong
        return Cursor(self._world.history["events"].first_since(since), since)

    def _joined(self, service: str, numbers: Any) -> bytes:
        return b",".join(self._world.records.render(service, number) for number in numbers)


def _decode(body: bytes, shape: Any) -> Any:
    """The body as this shape, numbers given as text accepted; raises ``Refused`` (400)."""
    try:
        return msgspec.json.decode(body, type=shape, strict=False)
    except msgspec.DecodeError as wrong:
        raise Refused(400, f"the body cannot be read: {wrong}") from wrong
