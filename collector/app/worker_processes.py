"""The workers as their supervisor has them: started, watched, started again, stopped.

A worker is a process of its own.  It is given its orders in one line on standard
input, and told to stop by the end of that input, which it also meets when the
supervisor dies.  It answers on standard output, when it ends, how its services fared.
"""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from collector.app.backpressure import SpoolGate
from collector.app.health import Board
from collector.app.inspection import COLLECTOR
from collector.app.outcome import CONFIG, STATE, Outcome, Report
from collector.app.selection import Selection
from collector.app.worker import Orders
from collector.config.models import Settings
from collector.config.pod import PodInput
from collector.core import workers
from collector.core.health import Fault, Kind
from collector.core.model import Clock
from collector.errors import StateError
from collector.logs import component_logger

DIED = 7
"""The number of the fault that a worker ended and nobody had asked it to."""
_GRACE = 1.4
"""Real seconds from the request to stop until a worker that has not ended is killed."""
_KILLED_SECONDS = 0.2
_LOOK_SECONDS = 0.05
_MAX_REPORT = 1024 * 1024

log = component_logger("MainProcess", "MainThread")


class WorkerContext(msgspec.Struct, frozen=True, kw_only=True):
    """What all workers have in common; ``stop`` stops the whole program."""

    command: Sequence[str]
    epoch: str
    once: bool
    digest: str
    clock: Clock
    outcome: Outcome
    board: Board
    gate: SpoolGate
    stop: Callable[[], None]


class WorkerProcess:
    """One worker: the process that runs now, and the thread that watches it."""

    def __init__(self, number: int, sources: list[str], context: WorkerContext) -> None:
        self._number = number
        self._name = f"worker {number}"
        self._orders = Orders(
            epoch=context.epoch, sources=sources, once=context.once, digest=context.digest
        )
        self._context = context
        self._lock = threading.Lock()
        self._asked = False
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._starts = 0
        self._thread = threading.Thread(target=self._attend, name=self._name, daemon=True)

    def start(self) -> None:
        """Start the worker, and again whenever it dies."""
        self._thread.start()

    def ended(self, seconds: float) -> bool:
        """Wait so many real seconds at most; whether it has ended for good."""
        self._thread.join(max(seconds, 0.0))
        return not self._thread.is_alive()

    def ask_to_stop(self) -> None:
        """Close the worker's input; none is started from now on."""
        with self._lock:
            self._asked = True
            if self._process is not None:
                _close_input(self._process)

    def kill(self) -> None:
        """End the process at once; what it has not committed is asked for again."""
        if self._process is not None:
            self._process.kill()

    def look(self) -> None:
        """A worker that has run for long is well again."""
        if self._process is not None and self._lived() >= workers.STEADY_SECONDS:
            self._context.board.progressed(COLLECTOR, self._name)

    def _attend(self) -> None:
        deaths = 0
        while (how := self._run()) is not None:
            deaths = workers.deaths(deaths, self._lived())
            tried = self._context.once and deaths >= workers.ONE_SHOT_STARTS
            if tried or self._waits(how, workers.pause(deaths)):
                if self._context.once:
                    self._missing(how)
                return

    def _run(self) -> str | None:
        """Run one process to its end; how it died, or None when no other is to follow.

        In a one-shot run only a process that could not be started is followed by another.
        """
        try:
            process = self._started()
        except OSError as error:
            return f"could not be started ({error.strerror})"
        if process is None:
            return None
        report = _report(process)
        code = process.wait()
        _close_input(process)
        return f"ended by {_cause(code)}" if self._shall_go_on(code, report) else None

    def _started(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._asked:
                return None
            self._began = time.monotonic()
            self._starts += 1
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [*self._context.command, str(self._number)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            log.info(
                "Worker %d is process %d, for %s",
                *(self._number, self._process.pid, ", ".join(self._orders.sources)),
            )
            _give(self._process, msgspec.json.encode(self._orders) + b"\n")
            return self._process

    def _shall_go_on(self, code: int, report: Report | None) -> bool:
        """Take note of an end; whether the worker is to be started again."""
        outcome = self._context.outcome
        if report is not None:
            outcome.include(report)
            if STATE in report.failures.values():
                self._context.stop()
                return False
        elif self._is_final(code):
            log.critical("Worker %d cannot go on (%s); the collector stops", self._number, code)
            outcome.broken(code)
            self._context.stop()
            return False
        if report is None and self._context.once:
            self._missing(f"ended by {_cause(code)}")
        return not (self._context.once or self._asked or self._context.clock.stopping())

    def _is_final(self, code: int) -> bool:
        """Whether an end without a report concerns all of us.

        A configuration that was good at our start may just be being changed.
        """
        return code == STATE or (code == CONFIG and self._starts == 1)

    def _missing(self, how: str) -> None:
        """A one-shot worker did not say how it went, or could not be started at all."""
        if self._asked or self._context.clock.stopping():
            self._context.outcome.interrupted()
        else:
            log.error("%s; its sources wait for the next run", _fault(self._name, how).cause)
            self._context.outcome.failed(self._name, None)

    def _waits(self, how: str, pause: float) -> bool:
        """Tell of a death and wait before the next start; whether the program stops."""
        fault = _fault(self._name, how)
        self._context.board.failed(COLLECTOR, self._name, fault)
        log.error(
            "InternalError %d: %s; it is started again in %.1f seconds -> %s",
            *(fault.number, fault.cause, pause, fault.remedy),
        )
        return self._context.clock.sleep(pause)

    def _lived(self) -> float:
        return time.monotonic() - self._began


class ProcessPool:
    """All workers; see ``collector.app.worker_pool``."""

    def __init__(self, settings: Settings, selection: Selection, context: WorkerContext) -> None:
        shares = workers.spread(units(settings, selection), settings.globals.workers)
        self._clock = context.clock
        self._gate = context.gate
        self.sources = sum(map(len, shares))
        self._processes = [
            WorkerProcess(number, sources, context)
            for number, sources in enumerate(shares, start=1)
        ]
        self._deadline: float | None = None

    def start(self) -> None:
        """Start them; returns at once."""
        for worker in self._processes:
            worker.start()

    def finish(self) -> None:
        """Return when all have ended; when the program stops, ask them to and return at once."""
        while not all(worker.ended(0) for worker in self._processes):
            if self._clock.sleep(_LOOK_SECONDS):
                self.ask_to_stop()
                return

    def look(self) -> None:
        """Note the workers that are well again, and whether the spool is full."""
        for worker in self._processes:
            worker.look()
        try:
            self._gate.wait(0)  # it opens and shuts only for those who ask
        except StateError as error:
            log.error("%s", error)

    def ask_to_stop(self) -> None:
        """Let them come to rest; returns at once."""
        self._deadline = time.monotonic() + _GRACE
        for worker in self._processes:
            worker.ask_to_stop()

    def rests(self) -> bool:
        """Ask them, if they were not; whether none is left after a bounded wait."""
        if self._deadline is None:
            self.ask_to_stop()
        late = [worker for worker in self._processes if not self._in_time(worker)]
        for worker in late:
            worker.kill()
        return all(worker.ended(_KILLED_SECONDS) for worker in late)

    def kill(self) -> None:
        """End them at once."""
        for worker in self._processes:
            worker.kill()

    def _in_time(self, worker: WorkerProcess) -> bool:
        return worker.ended((self._deadline or 0.0) - time.monotonic())


def units(settings: Settings, selection: Selection) -> list[list[str]]:
    """The wanted sources, those together that one process must own, in the file's order.

    The services of a CASB input share token and quota.  Those of a PoD input share
    nothing but a budget of sessions, which is cut in parts unless it is too small.
    """
    found: list[list[str]] = []
    for name, chosen in settings.inputs.items():
        fields = chosen.services.enabled() if chosen.enabled else {}
        sources = [f"{name}#{field}" for field in fields if selection.has_source(name, field)]
        if isinstance(chosen, PodInput) and not 0 < chosen.rate.sessions_per_hour < len(fields):
            found += [[source] for source in sources]
        elif sources:
            found.append(sources)
    return found


def _give(process: subprocess.Popen[bytes], line: bytes) -> None:
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    with suppress(BrokenPipeError):  # it died already: its end tells why
        process.stdin.write(line)
        process.stdin.flush()


def _close_input(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    with suppress(BrokenPipeError):  # orders that nobody read
        process.stdin.close()


def _report(process: subprocess.Popen[bytes]) -> Report | None:
    """What the process says at its end; None when it could say nothing."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        with process.stdout as told:
            return msgspec.json.decode(told.read(_MAX_REPORT), type=Report)
    except msgspec.DecodeError:
        return None


def _cause(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _fault(name: str, how: str) -> Fault:
    return Fault(
        kind=Kind.FIRST_PARTY_GENERIC,
        number=DIED,
        cause=f"{name} was {how}" if how.startswith("ended") else f"{name} {how}",
        remedy="nothing is lost; see the log, and after SIGKILL whether memory ran out (dmesg)",
    )
