"""The simulated vendor as a server on one loopback port, in a thread of its own."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from collector.core.model import Clock
from collector.simulator.casb import Casb
from collector.simulator.faults import Fault, Script
from collector.simulator.options import SimulatorOptions
from collector.simulator.pod import Pod
from collector.simulator.truth import Truth
from collector.simulator.world import World

START_LIMIT: Final = 30.0
"""Real seconds within which the server must listen."""

ACCEPT_TURNS: Final = 4
"""Turns of the event loop until an accepted connection is known to the HTTP server."""

CLOSE_TURNS: Final = 2
"""Turns of the event loop until an aborted connection's socket is closed."""

MAX_BODY: Final = 64 * 1024


class Simulator:
    """CASB (/v1/auth, /v1/alerts, /v2/events) and PoD (/v1/stream) on one port.

    Time is the clock's: records appear as it passes, tokens and sessions age by
    it.  A context manager; ``truth`` can be read while it serves and afterwards.
    """

    def __init__(
        self,
        options: SimulatorOptions,
        clock: Clock,
        faults: Sequence[Fault] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Make the history; port 0 takes a free one."""
        self._world = World(options, clock)
        self._faults = tuple(faults)
        self._host = host
        self._port = port
        self._ssl_context = ssl_context
        self._listening = threading.Event()
        self._failure: OSError | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    @property
    def truth(self) -> Truth:
        """What was emitted and asked; safe to read from any thread."""
        return self._world.truth

    @property
    def url(self) -> str:
        """The base of the CASB endpoints."""
        return f"{'https' if self._ssl_context else 'http'}://{self._host}:{self._port}"

    @property
    def ws_url(self) -> str:
        """The PoD endpoint."""
        return f"{'wss' if self._ssl_context else 'ws'}://{self._host}:{self._port}/v1/stream"

    def start(self) -> None:
        """Serve; returns when listening.  Raises ``OSError`` when the port is taken."""
        self._world.script = Script(self._faults, self._world.clock.now())
        self._listening.clear()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._thread.start()
        if not self._listening.wait(START_LIMIT):
            raise TimeoutError("the simulator did not start listening in time")
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End every session and stop serving; does nothing when not serving."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._loop is not None and self._stopped is not None and thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
        thread.join()

    def __enter__(self) -> Self:
        """Start serving."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop serving."""
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self._failure = error
        finally:
            self._listening.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            server = await self._listen(runner)
        except OSError:
            await runner.cleanup()
            raise
        self._listening.set()
        await self._stopped.wait()
        await _end(server, runner)

    async def _listen(self, runner: web.AppRunner) -> asyncio.Server:
        """Serve on the port, which is kept for the next start."""
        http = runner.server
        assert http is not None  # noqa: S101 - it is set up
        server = await asyncio.get_running_loop().create_server(
            http, self._host, self._port, ssl=self._ssl_context
        )
        self._port = server.sockets[0].getsockname()[1]
        return server

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY)
        Casb(self._world).add_routes(app)
        Pod(self._world).add_routes(app)
        return app


async def _end(server: asyncio.Server, runner: web.AppRunner) -> None:
    """Serve no more, and leave no connection to the garbage collector, which would warn.

    A connection that was accepted is at first known to the event loop alone, and one
    whose client does not read outlives the HTTP server.
    """
    for listening in server.sockets:
        server.get_loop().remove_reader(listening.fileno())
    await _turns(ACCEPT_TURNS)
    connections = [] if runner.server is None else runner.server.connections
    transports = [each.transport for each in connections if each.transport is not None]
    server.close()
    await runner.cleanup()
    for transport in transports:
        transport.abort()
    await _turns(CLOSE_TURNS)


async def _turns(count: int) -> None:
    """Let the event loop do what is due, so many times."""
    for _ in range(count):
        await asyncio.sleep(0)
