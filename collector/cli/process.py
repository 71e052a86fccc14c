"""What a command does with the process it is: its log, and its signals."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TextIO

from collector.cli.chosen import settings
from collector.clock import SystemClock
from collector.config.models import Settings
from collector.config.programs import end_all
from collector.config.secured import secrets_of
from collector.logs import configure, log_uncaught_exceptions
from collector.redaction import Redactor

_SAME_REQUEST = 0.5
"""Real seconds in which signals are one request: faster than people, and within the grace.

GNU timeout signals its child and then its own group, so the child has every signal twice.
"""


def open_log(found: Settings, stream: TextIO, worker: int = 0) -> Redactor:
    """Log to a stream in the configured form, with every configured secret struck out.

    ``worker``: the number of this process where it is one of several.
    """
    redactor = configure(
        debug=found.globals.debug,
        log_format=found.globals.log_format,
        stream=stream,
        secrets=secrets_of(found),
        worker=worker,
    )
    log_uncaught_exceptions()
    return redactor


def reread(config: Path | None, redactor: Redactor) -> Settings:
    """The configuration as it is now, its secrets made known before anybody uses them."""
    found = settings(config)
    for secret in secrets_of(found):
        redactor.learn(secret)
    return found


def stop_on_signals(clock: SystemClock, at_once: Iterable[Callable[[], None]] = ()) -> None:
    """First SIGTERM or SIGINT: stop in order.  Second: at once, after calling ``at_once``.

    One that comes within half a second of the first is the same request, sent twice.
    To be called before any other thread starts, so that a thread of its own waits
    for the signals: a handler would interrupt the main thread, which may hold the
    very lock that ``clock.stop`` takes.
    """
    signals = (signal.SIGTERM, signal.SIGINT)
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)

    def stop() -> None:
        signal.sigwait(signals)
        clock.stop()
        number = _asked_again(signals, clock)
        for call in at_once:
            call()
        end_all()
        os._exit(128 + number)

    threading.Thread(target=stop, name="signals", daemon=True).start()


def _asked_again(signals: Iterable[signal.Signals], clock: SystemClock) -> signal.Signals:
    """Wait for a signal that is no echo of the one that has just come."""
    first = clock.monotonic()
    while True:
        number = signal.sigwait(signals)
        if clock.real(clock.monotonic() - first) >= _SAME_REQUEST:
            return signal.Signals(number)
