"""Whether an hour is there, still settles, or is a gap: what an alarm goes by.

Every hour is exactly one of these:

    complete       its row is complete, verified or repaired
    settling       it may still come: it is not overdue, and no reading of it has failed
    gap            reading it broke off (``partial``), or it is overdue, or it stands
                   for a service that never ran and of which no start is known
    unrecoverable  the vendor no longer has it

An hour is *due* at the first moment at which it can be read for good: ``settle``
after its end, or, once it was read and is to be read again (``settling``), at the
moment that the checkpoint names for that.  It is *overdue* ``margin`` later.  Both
moments lie in what is stored: no failed attempt moves them, and with the time an
hour that nobody reads becomes a gap.
"""

from __future__ import annotations

import msgspec

from collector.core.ledger import COMPLETE, DONE, PARTIAL, SETTLING, UNRECOVERABLE, Account
from collector.core.model import Micros

GAP = "gap"
NEVER_RAN = "never ran"
"""The state of the one hour that stands for a service whose hours nobody can name."""
KINDS = (COMPLETE, SETTLING, GAP, UNRECOVERABLE)


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """When the hours of a source are due, and overdue.

    ``settle``: how long after its end an hour can be read; ``again``: how far ahead
    the moment of a second reading is set at most; ``margin``: how long after that it
    is a gap.
    """

    settle: Micros
    again: Micros
    margin: Micros


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How an hour stands: one of ``KINDS``, and when it is due and overdue."""

    kind: str
    due: Micros
    overdue: Micros

    @property
    def is_gap(self) -> bool:
        """Whether an alarm is to name it."""
        return self.kind in (GAP, UNRECOVERABLE)


def standing(row: Account, look: Micros | None, terms: Terms, now: Micros) -> Standing:
    """How an hour stands now; ``look`` is when it may be read again, if that is wanted."""
    due = row.span.end + terms.settle
    # A moment further ahead than any is set was set by a clock that ran ahead.
    if row.state == SETTLING and look is not None and look <= now + terms.again + terms.margin:
        due = max(due, look)
    overdue = due + terms.margin
    return Standing(kind=_kind(row, overdue, now), due=due, overdue=overdue)


def _kind(row: Account, overdue: Micros, now: Micros) -> str:
    if row.state in DONE:
        return COMPLETE
    if row.state == UNRECOVERABLE:
        return UNRECOVERABLE
    return GAP if row.state in (PARTIAL, NEVER_RAN) or now >= overdue else SETTLING
