"""The ledger as a report: every hour of every service, also those that nobody has read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from sqlite_utils import Database

from collector.core import times
from collector.core.checkpoint import Checkpoint, complete_until, look_at, started
from collector.core.ledger import DONE, OPEN, Account, hours_in
from collector.core.model import Micros, Window
from collector.core.standing import NEVER_RAN
from collector.core.times import HOUR, floor_hour
from collector.persistence import accounts, damage, database, stored

MISSING = "missing"
"""The state of an hour that has no row, and of which nobody has read anything yet."""


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    """One row, with what each output has confirmed of it.

    ``look``: when it may be read once more, where that is wanted.
    """

    source: str
    account: Account
    delivered: dict[str, int]
    look: Micros | None = None

    @property
    def done(self) -> bool:
        """Whether nothing of it is outstanding."""
        return self.account.state in DONE

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON-able values; times are ISO 8601 UTC."""
        account = self.account
        return {
            "source": self.source,
            "hour": times.isoformat(account.span.start),
            "state": account.state,
            "reason": account.reason,
            **msgspec.structs.asdict(account.counts),
            "live": account.live,
            "repaired": account.repaired,
            "attempts": account.attempts,
            "digest": f"{account.digest:032x}",
            "first_event_time": times.isoformat_or_none(account.first),
            "last_event_time": times.isoformat_or_none(account.last),
            "delivered": self.delivered,
        }


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The hours of a span.

    ``others``: the sources that are stored, too, and were not asked for.
    """

    hours: list[Hour]
    others: list[str]

    @classmethod
    def read(
        cls,
        folder: Path,
        span: Window,
        sources: Iterable[str] = (),
        *,
        whole: bool = False,
        starts: Mapping[str, Micros | None] = {},
    ) -> Ledger:
        """The ledger of a state folder; may be read while a collector runs.

        ``sources`` empty: all.  Hours without a row, from a source's first one on
        (``whole``: from the span's start), appear as ``missing``; the one within which the
        source stands as ``open``.  ``starts`` are those of sources that may never have run;
        one of which none is known (None) has the span's last hour alone, which is
        ``never ran``.  Raises ``StateError`` when there is no state.
        """
        wanted = frozenset(sources)
        with closing(database.open_for_reading(folder)) as guarded, guarded.reading() as db:
            found = _checkpoints(db)
            marks = {name: mark for name, mark in found.items() if not wanted or name in wanted}
            hours = [
                hour
                for source, mark in marks.items()
                for hour in _hours(db, source, mark, _first(mark, span, whole=whole), span)
            ]
            for source, start in starts.items():
                if source not in found:
                    hours += _unread(db, source, span.start if whole else start, span)
        return cls(hours=hours, others=[*found.keys() - marks.keys()])

    @classmethod
    def unmade(
        cls, folder: Path, span: Window, sources: Iterable[str], *, start_anew: bool
    ) -> Ledger:
        """The ledger of a state that is still to be made: nobody has read an hour of it.

        Raises ``StateError`` where a damaged state was set aside, unless told to ``start_anew``.
        """
        if not start_anew:
            damage.refuse_silence(folder / database.FILE_NAME)
        hours = [
            Hour(source=source, account=Account(span=hour, state=MISSING), delivered={})
            for source in sources
            for hour in hours_in(span)
        ]
        return cls(hours=hours, others=[])


def _checkpoints(db: Database) -> dict[str, Checkpoint]:
    rows = db.execute("SELECT source, state FROM checkpoint ORDER BY 1").fetchall()
    return {
        source: stored.read_checkpoint(source, stored.read_state(source, text))
        for source, text in rows
    }


def _first(mark: Checkpoint, span: Window, *, whole: bool) -> Micros:
    return span.start if whole else max(floor_hour(mark.initial_start_time), span.start)


def _unread(db: Database, source: str, start: Micros | None, span: Window) -> list[Hour]:
    """The hours of a source that has no checkpoint."""
    if start is None:
        reason = "it never ran, and no start is configured"
        last = Account(span=Window(span.end - HOUR, span.end), state=NEVER_RAN, reason=reason)
        return [Hour(source=source, account=last, delivered={})]
    mark = started(start)
    return _hours(db, source, mark, _first(mark, span, whole=False), span)


def _unaccounted(mark: Checkpoint, hour: Window) -> str:
    """The state of an hour without a row: one that was read in part held nothing so far."""
    first = max(hour.start, mark.initial_start_time)
    return OPEN if first < complete_until(mark) < hour.end else MISSING


def _hours(db: Database, source: str, mark: Checkpoint, first: Micros, span: Window) -> list[Hour]:
    rows = {row.span.start: row for row in accounts.between(db, source, span.start, span.end)}
    delivered = accounts.delivered(db, source, span.start, span.end)
    starts = sorted({*rows, *range(first, span.end, HOUR)})
    hours = [Window(start, start + HOUR) for start in starts]
    return [
        Hour(
            source=source,
            account=rows.get(hour.start) or Account(span=hour, state=_unaccounted(mark, hour)),
            delivered=delivered.get(hour.start, {}),
            look=look_at(mark, hour),
        )
        for hour in hours
    ]
