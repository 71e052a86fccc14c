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
            site = web.TCPSite(runner, self._host, self._port, ssl_context=self._ssl_context)
            await site.start()
            self._port = runner.addresses[0][1]
            self._listening.set()
            await self._stopped.wait()
        finally:
            await _end(runner)

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY)
        Casb(self._world).add_routes(app)
        Pod(self._world).add_routes(app)
        return app


async def _end(runner: web.AppRunner) -> None:
    """Serve no more, and leave no connection open to those who do not read what was sent."""
    open_ones = [] if runner.server is None else runner.server.connections
    transports = [each.transport for each in open_ones if each.transport is not None]
    await runner.cleanup()
    for transport in transports:
        transport.abort()
    await asyncio.sleep(0)  # a socket is closed in the turn after
