"""When pulling waits: the room that is left for records which wait for outputs.

Pullers ask before each request and before they read on in a stream, and once more
for each page before it is committed.  So the limit holds, nothing more is taken from
the vendor meanwhile, and nothing that was taken is dropped.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import msgspec


class Gate(Protocol):
    """Lets pullers pass while there is room."""

    def wait(self, longest: float | None = None) -> bool:
        """Return when more may be asked for.

        False when that is not so after ``longest`` seconds, or when the program is
        stopping.  Raises ``Undelivered`` when it will not be so in this run.
        """
        ...

    def admitted(self, size: int) -> AbstractContextManager[bool]:
        """A block in which so many bytes may be committed: True.

        False when they do not fit; then ``wait`` lasts until they do.
        """
        ...


class AlwaysOpen:
    """The gate of a spool without a limit."""

    def wait(self, longest: float | None = None) -> bool:
        """Return at once."""
        del longest
        return True

    def admitted(self, size: int) -> AbstractContextManager[bool]:
        """Everything fits."""
        del size
        return nullcontext(enter_result=True)


OPEN = AlwaysOpen()


class Marks(msgspec.Struct, frozen=True):
    """Sizes of a spool that may hold ``limit`` bytes.

    Pulling pauses at ``shut``, a twentieth below the limit: there is room for the
    pages that are under way, and for the collector's own metrics.  It goes on at
    ``opened``, so that it does not stop and go with each batch that is delivered.
    """

    limit: int

    @property
    def shut(self) -> int:
        """Pulling pauses at this size."""
        return self.limit * 95 // 100

    @property
    def opened(self) -> int:
        """Pulling goes on at this size."""
        return self.limit * 90 // 100
