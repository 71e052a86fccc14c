"""How the last run over a state folder ended: in order, or not, and then why.

While a collector runs, a marker lies in its state folder, renewed with each sign of
life.  Who finds one at a start follows a run that was ended from outside.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from collector.app.kernel import KernelCounts
from collector.core import times
from collector.core.health import Fault, Kind
from collector.core.model import Frozen, Micros

# The numbers of how a run ended, among those of InternalError (docs/errors.md).
MACHINE_ENDED = 3
MEMORY_RAN_OUT = 4
MEMORY_PERHAPS = 5
ENDED_ABRUPTLY = 6

_NAME = "running"
_PART = "running.new"
_MEMORY = "give the container or service more memory; what was collected is safe"


class Marker(Frozen, frozen=True):
    """What a run leaves while it lasts: when it was last alive, and the kernel's counters then.

    ``once``: it is a one-shot run.
    """

    alive: Micros
    kernel: KernelCounts
    once: bool = False


def mark(folder: Path, marker: Marker) -> None:
    """This run lasts; raises ``OSError``."""
    new = folder / _PART
    new.write_bytes(msgspec.json.encode(marker))
    new.replace(folder / _NAME)


def clear(folder: Path) -> None:
    """This run ended in order."""
    (folder / _NAME).unlink(missing_ok=True)


def found(folder: Path) -> Marker | None:
    """The marker of a run that did not end in order; None when there is none.

    One that cannot be read was being written when the power went.
    """
    try:
        return msgspec.json.decode((folder / _NAME).read_bytes(), type=Marker)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError):
        return Marker(alive=0, kernel=KernelCounts())


def ending(left: Marker | None, now: KernelCounts) -> Fault | None:
    """Why the last run ended, from what it left and the kernel's counters now; None: in order."""
    if left is None:
        return None
    then = left.kernel
    seen = f"the last run, last seen at {times.isoformat(times.floor_second(left.alive))},"
    if then.boot is not None and now.boot is not None and then.boot != now.boot:
        return _fault(
            MACHINE_ENDED, f"{seen} ended when the machine was started anew", "nothing to do"
        )
    if (
        then.group is not None
        and then.group == now.group
        and _more(then.group_kills, now.group_kills)
    ):
        return _fault(MEMORY_RAN_OUT, f"{seen} was ended by the kernel for want of memory", _MEMORY)
    if _more(then.machine_kills, now.machine_kills):
        cause = f"{seen} was ended, and the kernel has ended a process for want of memory since"
        return _fault(
            MEMORY_PERHAPS, cause, f"see the kernel's log (dmesg); if it was this one, {_MEMORY}"
        )
    return _fault(
        ENDED_ABRUPTLY,
        f"{seen} ended without an orderly stop",
        "nothing is lost; see what ended it, if not you",
    )


def _more(then: int | None, now: int | None) -> bool:
    return then is not None and now is not None and now > then


def _fault(number: int, cause: str, remedy: str) -> Fault:
    return Fault(kind=Kind.FIRST_PARTY_GENERIC, number=number, cause=cause, remedy=remedy)
