"""The end of every command."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn

from collector.app.outcome import PARTIAL
from collector.cli.screen import fail
from collector.cli.stdout import Unwritable
from collector.config.programs import end_all
from collector.errors import Undelivered
from collector.senders.error_numbers import STREAM_CLOSED


def leave(code: int) -> NoReturn:
    """End now: a thread that still waits for a socket must not hold the exit up.

    Everything that counts is in committed transactions.
    """
    try:
        sys.stdout.flush()
    except Unwritable as lost:
        leave_unread(lost, code)
    _end(code)


def leave_unread(lost: Unwritable, code: int = 0) -> NoReturn:
    """End because standard output takes no more; a failure's own code stays.

    A reader that has gone, as ``head`` does, has what it wanted: that is an interruption,
    of which nothing is said.  Anything else is told: what was written is not whole.
    """
    if lost.closed:
        _end(code or PARTIAL)
    error = Undelivered(
        STREAM_CLOSED,
        f"standard output cannot be written: {lost}",
        "see to where it leads (a full disk, perhaps), then give the command again",
    )
    with suppress(OSError):  # standard error may lead to the same place
        fail(error)
    _end(code or error.exit_code)


def _end(code: int) -> NoReturn:
    end_all()
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(code)
