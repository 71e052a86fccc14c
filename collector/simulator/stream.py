"""What goes over one accepted PoD session, live or archive, and how it ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import Final

from collector.core.model import Micros, Window
from collector.core.times import HOUR, SECOND
from collector.simulator import frames
from collector.simulator.channel import Channel
from collector.simulator.faults import Fault, Planned
from collector.simulator.history import (
    AFTER_EMPTY,
    FRAGMENTED,
    LATE_IN_ARCHIVE,
    REPEATED_IN_ARCHIVE,
    REPEATED_LIVE,
)
from collector.simulator.world import POLL, World

CHUNK: Final = 64 * 1024
PACED_RECORDS: Final = 50
PIECES: Final = 3


class Ended(Exception):
    """A fault ended the session; ``noticed`` says whether the vendor released it."""

    def __init__(self, *, noticed: bool) -> None:
        """Take how it ended."""
        super().__init__(noticed)
        self.noticed = noticed


class Stream:
    """Writes records to one channel, in chunks, with the script's faults between them.

    ``place`` is where a live session stands: what is before it was written.
    """

    def __init__(
        self, world: World, channel: Channel, service: str, faults: Sequence[Planned]
    ) -> None:
        """Start with nothing written."""
        self.written = 0
        self.place = 0
        self._world = world
        self._channel = channel
        self._service = service
        self._timeline = world.history[service]
        self._faults = faults
        self._chunk: list[bytes] = []
        self._size = 0

    async def live(self, place: int) -> None:
        """Send what appeared from ``place`` on, and go on as records appear.

        Returns when the client has left; raises ``Ended`` when a fault struck.
        """
        self.place = place
        clock, idle = self._world.clock, self._world.options.idle_limit_seconds
        while self._channel.open:
            appeared = self._timeline.appeared(clock.now())
            await self._send(self._timeline.order[self.place : appeared], REPEATED_LIVE)
            await self._strike()
            if clock.now() - self._channel.heard > idle * SECOND:
                await self._channel.close(frames.NORMAL)
                return
            await self._channel.rest(POLL)

    async def archive(self, window: Window) -> None:
        """Send the hours of a window as far as the archive has them, then close normally."""
        began = self._world.clock.now()
        for start in range(window.start, window.end, HOUR):
            numbers = self._archived(Window(start, min(start + HOUR, window.end)), began)
            await self._send(numbers, REPEATED_IN_ARCHIVE)
        await self._strike()
        await self._channel.close(frames.NORMAL)

    def _archived(self, window: Window, now: Micros) -> list[int]:
        """The records of one hour that the archive has by now, in no order."""
        options, timeline = self._world.options, self._timeline
        latest = now - round(options.archive_delay_seconds * SECOND)
        late = round(options.late_archive_seconds * SECOND)
        numbers = [
            number
            for number in timeline.dated(window.start, window.end)
            if timeline.ready[number] + (late if timeline.traits[number] & LATE_IN_ARCHIVE else 0)
            <= latest
        ]
        rng = Random(f"{options.seed}:{self._service}:{window.start}")
        rng.shuffle(numbers)
        return numbers

    async def _send(self, numbers: Iterable[int], repeated: int) -> None:
        archived = repeated == REPEATED_IN_ARCHIVE
        began, before = self._world.clock.now(), self.written
        for number in numbers:
            await self._strike()
            repeats = 2 if self._timeline.traits[number] & repeated else 1
            self._add(self._message(number, archived=archived) * repeats)
            if archived and self._world.options.archive_rate is not None:
                await self._pace(began, self.written + len(self._chunk) - before)
            if self._size >= CHUNK:
                await self._flush()
        await self._flush()

    def _add(self, data: bytes) -> None:
        self._chunk.append(data)
        self._size += len(data)

    async def _pace(self, began: Micros, records: int) -> None:
        """Keep to the archive's rate."""
        rate = self._world.options.archive_rate
        if rate is not None and records % PACED_RECORDS == 0:
            await self._flush()
            await self._world.wait_until(began + round(records / rate * SECOND))

    async def _flush(self) -> None:
        """Write the chunk; only then do its records count as sent."""
        if self._chunk:
            await self._channel.send(b"".join(self._chunk))
            self.written += len(self._chunk)
            self.place += len(self._chunk)
            self._chunk.clear()
            self._size = 0

    def _message(self, number: int, *, archived: bool) -> bytes:
        options, traits = self._world.options, self._timeline.traits[number]
        record = self._world.records.render(self._service, number, archived=archived)
        opcode = frames.BINARY if options.binary_frames else frames.TEXT
        data = frames.message(
            record + b"\n" if options.trailing_newline else record,
            opcode,
            deflate=self._channel.deflate,
            pieces=PIECES if traits & FRAGMENTED else 1,
        )
        return frames.frame(b"", opcode) + data if traits & AFTER_EMPTY else data

    async def _strike(self) -> None:
        """Let the script's faults happen that are due."""
        for planned in self._faults:
            written = self.written + len(self._chunk)
            if planned.strikes(written, self._world.clock.now()):
                await self._flush()
                await self._suffer(planned.fault)

    async def _suffer(self, fault: Fault) -> None:
        if fault.action == "stall":
            await self._stall(fault.seconds)
            return
        if fault.action == "reset":
            self._channel.reset()
        elif fault.action == "eof":
            self._channel.end()
        else:
            await self._channel.close(fault.close_code)
        raise Ended(noticed=fault.action != "reset")

    async def _stall(self, seconds: float) -> None:
        """Say nothing, not even a pong, until the time is over or the client leaves."""
        self._channel.mute = True
        until = self._world.clock.now() + round(seconds * SECOND)
        while self._channel.open and self._world.clock.now() < until:
            await self._channel.rest(POLL)
        self._channel.mute = False
