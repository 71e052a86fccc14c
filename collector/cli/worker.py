"""``collector worker``: one worker process; ``collector run`` starts it, nobody else."""

from __future__ import annotations

import os
import sys
import threading
from typing import Annotated

import msgspec
import typer

from collector.app.outcome import COMPLETE, PARTIAL
from collector.app.patience import until_stored
from collector.app.worker import Orders, Worker, log, refuse_changed_settings
from collector.cli.chosen import settings
from collector.cli.leaving import leave
from collector.cli.options import ConfigOption
from collector.cli.process import open_log, reread, stop_on_signals
from collector.clock import SystemClock
from collector.config.programs import end_all
from collector.errors import Stopped

_MAX_ORDERS = 1024 * 1024
_LAST_SECONDS = 3.0
"""Real seconds after the supervisor's end in which this process ends, whatever hangs."""


def worker(
    number: Annotated[int, typer.Argument(help="Which worker this is, from 1.")],
    config: ConfigOption = None,
) -> None:
    """Pull for some sources, as a part of `collector run`; not to be started by hand."""
    orders = _orders()
    found = settings(config)
    refuse_changed_settings(found, orders)
    os.umask(0o077)
    redactor = open_log(found, sys.stderr, number)
    clock = SystemClock()
    stop_on_signals(clock)
    threading.Thread(target=_end_with_supervisor, args=[clock], name="input", daemon=True).start()

    def made() -> Worker:
        return Worker(found, clock, orders, number, lambda: reread(config, redactor))

    try:
        this = made() if orders.once else until_stored(made, clock, log)
    except Stopped:
        leave(COMPLETE)
    code = this.run_once() if orders.once else this.run()
    sys.stdout.buffer.write(msgspec.json.encode(this.outcome.report()))
    leave(code)


def _orders() -> Orders:
    try:
        return msgspec.json.decode(sys.stdin.buffer.readline(_MAX_ORDERS), type=Orders)
    except msgspec.DecodeError as error:
        raise typer.BadParameter("it is started by 'collector run'") from error


def _end_with_supervisor(clock: SystemClock) -> None:
    """The end of our input is the supervisor's request to stop, or its own end."""
    while os.read(sys.stdin.fileno(), 1024):  # a lock of `sys.stdin` would hold the exit up
        pass
    clock.stop()
    threading.Event().wait(_LAST_SECONDS)
    end_all()
    os._exit(PARTIAL)
