"""``collector run`` and ``collector health``."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, TextIO

import typer

from collector.app.collector import Collector
from collector.app.heartbeat import alive
from collector.app.opening import folder
from collector.app.outcome import CONFIG, INTERNAL
from collector.app.selection import Selection
from collector.cli.options import ConfigOption, settings
from collector.cli.screen import err, out
from collector.clock import SystemClock
from collector.config.models import Settings
from collector.config.reveal import secrets_of
from collector.errors import ConfigError
from collector.logs import configure, log_uncaught_exceptions
from collector.redaction import Redactor

InputOption = Annotated[
    list[str] | None,
    typer.Option("--input", "-i", metavar="NAME", help="Only this input; may be repeated."),
]
ServiceOption = Annotated[
    list[str] | None,
    typer.Option("--service", "-s", metavar="NAME", help="Only this service; may be repeated."),
]
OnceOption = Annotated[
    bool,
    typer.Option(
        "--once",
        help="Take and deliver everything that is due, then exit: for cron. PoD services are "
        "then read from the archive.",
    ),
]


def run(
    config: ConfigOption = None,
    once: OnceOption = False,
    inputs: InputOption = None,
    services: ServiceOption = None,
) -> None:
    """Collect and deliver, until stopped or, with --once, until nothing is due.

    The log goes to standard error. SIGTERM or Ctrl-C stops in order within two
    seconds; a second one stops at once. Nothing is lost either way: the next
    start goes on from the state.
    """
    found = settings(config)
    _refuse_unknown(found, inputs or (), services or ())
    os.umask(0o077)
    redactor = open_log(found, sys.stderr)
    clock = SystemClock()
    at_once: list[Callable[[], None]] = []
    stop_on_signals(clock, at_once)
    collector = Collector(
        found,
        clock,
        Selection(inputs or (), services or ()),
        once=once,
        reread=lambda: reread(config, redactor),
        worker=_worker(config),
    )
    at_once.append(collector.kill_workers)
    gc.freeze()  # what start-up has made stays to the end: it need not be looked through again
    code = collector.run_once() if once else collector.run()
    leave(code)


def health(config: ConfigOption = None) -> None:
    """Exit 0 when a collector is running over this state folder and is not stuck.

    For the HEALTHCHECK of a container.
    """
    state = folder(settings(config))
    ago = alive(state, SystemClock().now())
    if ago is None:
        err.print("no collector is running over this state folder")
        raise typer.Exit(INTERNAL)
    out.print(f"alive: last sign {ago:.0f} seconds ago", highlight=False)


def _worker(config: Path | None) -> list[str]:
    """The command that starts a worker, but for its number: this program, as it was started."""
    program = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]
    chosen = [] if config is None else ["--config", str(config)]
    return [sys.executable, *program, "worker", *chosen]


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

    To be called before any other thread starts, so that a thread of its own waits
    for the signals: a handler would interrupt the main thread, which may hold the
    very lock that ``clock.stop`` takes.
    """
    signals = (signal.SIGTERM, signal.SIGINT)
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)

    def stop() -> None:
        signal.sigwait(signals)
        clock.stop()
        number = signal.sigwait(signals)
        for call in at_once:
            call()
        os._exit(128 + number)

    threading.Thread(target=stop, name="signals", daemon=True).start()


def leave(code: int) -> None:
    """End now: a thread that still waits for a socket must not hold the exit up.

    Everything that counts is in committed transactions.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _refuse_unknown(
    found: Settings, inputs: list[str] | tuple[str, ...], services: list[str] | tuple[str, ...]
) -> None:
    unknown = sorted(set(inputs) - set(found.inputs))
    offered = {
        field for each in found.inputs.values() for field in type(each.services).model_fields
    }
    unknown += sorted(set(services) - offered)
    if unknown:
        raise ConfigError(
            CONFIG,
            f"nothing is called {', '.join(unknown)}",
            f"inputs: {', '.join(found.inputs)}; services: {', '.join(sorted(offered))}",
        )
