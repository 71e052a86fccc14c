"""The PoD endpoint, GET /v1/stream: the handshake's checks, then a session.

The order of the checks is that of docs/vendor-notes.md, PoD 9.
"""

from __future__ import annotations

from aiohttp import web

from collector.core.model import Frozen, Micros, Window
from collector.core.times import DAY, ceil_hour, floor_hour, parse
from collector.simulator import answers, frames
from collector.simulator.channel import Channel
from collector.simulator.faults import Fault
from collector.simulator.options import POD_SERVICES
from collector.simulator.sessions import Key, SessionTable
from collector.simulator.stream import Ended, Stream
from collector.simulator.truth import Session, SessionEnd
from collector.simulator.world import World


class Asked(Frozen, frozen=True, kw_only=True):
    """What a handshake asks for; ``window`` is None for the live stream."""

    service: str
    token: str
    window: Window | None

    @property
    def mode(self) -> str:
        """Live or archive."""
        return "live" if self.window is None else "archive"


class Refused(Exception):
    """A handshake that gets an error status, not an upgrade."""

    def __init__(self, status: int) -> None:
        """Take the status."""
        super().__init__(status)
        self.status = status


class Pod:
    """Answers /v1/stream."""

    def __init__(self, world: World) -> None:
        """Start with no session."""
        self._world = world
        self._options = world.options
        self._sessions = SessionTable(world.options)

    def add_routes(self, app: web.Application) -> None:
        """Serve the endpoint."""
        app.router.add_route("*", "/v1/stream", self._stream)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        service = request.query.get("type", "")
        mode = "archive" if "sinceTime" in request.query else "live"
        now = self._world.clock.now()
        try:
            asked = self._checked(request, now)
            fault = self._world.script.for_call(asked.service, now, mode=mode)
            if fault is not None and fault.action == "status":
                return self._failed(fault, asked)
            if fault is not None:
                await self._world.wait(fault.seconds)
            return await self._session(request, asked)
        except Refused as refused:
            self._note(service, refused.status, mode)
            return answers.plain_error(refused.status)

    def _note(self, service: str, status: int, mode: str) -> None:
        now = self._world.clock.now()
        session = Session(time=now, service=service, status=status, mode=mode)
        self._world.truth.note_session(session)

    def _checked(self, request: web.Request, now: Micros) -> Asked:
        """All checks but the session table; raises ``Refused``."""
        if request.method != "GET":
            raise Refused(405)
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise Refused(404)
        service = request.query.get("type", "")
        if service not in POD_SERVICES or not request.query.get("cid"):
            raise Refused(400)
        window = self._window(request, now)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token not in self._options.tokens:
            raise Refused(401)
        if request.query["cid"] != self._options.cluster_id:
            raise Refused(401)
        return Asked(service=service, token=token, window=window)

    def _window(self, request: web.Request, now: Micros) -> Window | None:
        """The whole UTC hours asked for (docs/vendor-notes.md, PoD 2); raises ``Refused``."""
        if "sinceTime" not in request.query:
            if "toTime" in request.query:
                raise Refused(400)  # not seen anywhere; our choice
            return None
        start = floor_hour(_instant(request.query["sinceTime"]))
        end = now
        if "toTime" in request.query:
            end = ceil_hour(_instant(request.query["toTime"]))
        if start < now - round(self._options.retention_days * DAY) or end <= start:
            raise Refused(400)
        return Window(start, end)

    def _failed(self, fault: Fault, asked: Asked) -> web.Response:
        """A handshake that the script lets fail."""
        self._note(asked.service, fault.status, asked.mode)
        answer = answers.plain_error(fault.status)
        return answers.with_retry_after(answer, fault, self._world.clock.now())

    async def _session(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        key = self._key(asked)
        if not self._sessions.take(key, self._world.clock.now()):
            raise Refused(409)
        self._note(asked.service, 101, asked.mode)
        noticed = False
        try:
            noticed = await self._serve(self._channel(request), asked, key)
        except ConnectionResetError:  # the client left before there was a channel
            self._note_end(asked, code=None, records=0)
        finally:
            self._sessions.release(key, self._world.clock.now(), noticed=noticed)
        return web.Response()  # never sent: the channel has the transport

    def _channel(self, request: web.Request) -> Channel:
        """Accept the handshake; raises ``ConnectionResetError`` when the client has left."""
        offered = request.headers.get("Sec-WebSocket-Extensions", "")
        return Channel(
            request,
            self._world.clock,
            deflate=self._options.deflate and frames.offers_deflate(offered),
            backlog_limit=self._options.backlog_limit_bytes,
        )

    def _key(self, asked: Asked) -> Key:
        if self._options.archive_shares_session:
            return (asked.token, asked.service)
        return (asked.token, asked.service, asked.mode)

    async def _serve(self, channel: Channel, asked: Asked, key: Key) -> bool:
        """Run a session to its end; whether the vendor noticed that it ended."""
        faults = self._world.script.for_session(asked.service, asked.mode)
        stream = Stream(self._world, channel, asked.service, faults)
        try:
            await self._run(stream, asked, key)
            noticed = channel.released
        except Ended as ended:
            noticed = ended.noticed
        except ConnectionResetError:
            noticed = channel.released
        finally:
            self._finish(channel, stream, asked, key)
        return noticed

    async def _run(self, stream: Stream, asked: Asked, key: Key) -> None:
        if asked.window is None:
            timeline = self._world.history[asked.service]
            await stream.live(self._sessions.resume(key, timeline, self._world.clock.now()))
        else:
            await stream.archive(asked.window)

    def _finish(self, channel: Channel, stream: Stream, asked: Asked, key: Key) -> None:
        if asked.window is None:
            self._sessions.remember(key, stream.place, self._world.clock.now())
        self._note_end(asked, code=channel.code, records=stream.written)
        channel.end()

    def _note_end(self, asked: Asked, *, code: int | None, records: int) -> None:
        now = self._world.clock.now()
        end = SessionEnd(
            time=now, service=asked.service, mode=asked.mode, code=code, records=records
        )
        self._world.truth.note_end(end)


def _instant(text: str) -> Micros:
    """A time of the query; a bare ``+0000`` arrives as a blank.  Raises ``Refused``."""
    try:
        return parse(text.strip().replace(" ", "+"))
    except (ValueError, OverflowError) as wrong:
        raise Refused(400) from wrong
