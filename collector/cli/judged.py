"""Hours and how they stand, as ``collector ledger show`` prints them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
from rich.markup import escape

from collector.cli.hours import minute
from collector.cli.rows import Rows
from collector.cli.screen import table
from collector.core import times
from collector.core.ledger import COMPLETE, PARTIAL, SETTLING
from collector.core.standing import GAP, NEVER_RAN, Standing
from collector.persistence.hours import Hour

_COUNTED = ("#events", "#repeats", "#filtered", "#aside")


class Judged(msgspec.Struct, frozen=True):
    """An hour and how it stands."""

    hour: Hour
    standing: Standing

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON-able values; times are ISO 8601 UTC."""
        return {
            **self.hour.as_dict(),
            "standing": self.standing.kind,
            "due": times.isoformat(self.standing.due),
            "overdue": times.isoformat(self.standing.overdue),
        }


def hourly(judged: Iterable[Judged]) -> Rows:
    """A table with a row for each hour."""
    rows = table("service", "hour", "state", *_COUNTED, "~delivered", "~why")
    for each in judged:
        hour = (each.hour.source, minute(each.hour.account.span.start))
        rows.add_row(*hour, _state(each), *_counts([each]), _delivered([each]), _why([each]))
    return rows


def alike(judged: Iterable[Judged]) -> Rows:
    """A table with a row for consecutive hours of a service with one state and reason.

    ``judged``: by source, the oldest first.
    """
    rows = table("service", "from", "to", "#hours", "state", *_COUNTED, "~delivered", "~why")
    for run in _runs(judged):
        first, last = run[0].hour, run[-1].hour
        between = (minute(first.account.span.start), minute(last.account.span.end))
        facts = (_state(run[0]), *_counts(run), _delivered(run), _why(run))
        rows.add_row(first.source, *between, f"{len(run):,}", *facts)
    return rows


def _runs(judged: Iterable[Judged]) -> list[list[Judged]]:
    runs: list[list[Judged]] = []
    for each in judged:
        if runs and _continues(runs[-1][-1], each):
            runs[-1].append(each)
        else:
            runs.append([each])
    return runs


def _continues(before: Judged, each: Judged) -> bool:
    """Whether an hour follows another of its service, and is told in the same words."""
    adjacent = before.hour.account.span.end == each.hour.account.span.start
    return adjacent and _words(before) == _words(each)


def _words(each: Judged) -> tuple[str | None, ...]:
    hour = each.hour
    return hour.source, hour.account.state, each.standing.kind, hour.account.reason


def _counts(run: list[Judged]) -> list[str]:
    found = [each.hour.account.counts for each in run]
    return [
        f"{sum(getattr(counts, name) for counts in found):,}"
        for name in ("spooled", "duplicate", "filtered", "dead_lettered")
    ]


def _delivered(run: list[Judged]) -> str:
    total: Counter[str] = Counter()
    for each in run:
        total.update(each.hour.delivered)
    return ", ".join(f"{name} {count:,}" for name, count in sorted(total.items())) or "-"


def _state(each: Judged) -> str:
    """The row's state, and what it amounts to where that says more."""
    state, kind = each.hour.account.state, each.standing.kind
    if kind == COMPLETE:
        return f"[green]{state}[/]"
    named = state if state == kind else f"{state}: {kind}"
    return f"[red]{named}[/]" if each.standing.is_gap else named


def _why(run: list[Judged]) -> str:
    """The reason of hours that are alike, and when they were due: the first and the last."""
    account, standing = run[0].hour.account, run[0].standing
    repaired = sum(each.hour.account.repaired for each in run)
    parts = [account.reason or (f"{repaired:,} repaired" if repaired else "")]
    if standing.kind == SETTLING:
        parts.append(f"due {minute(standing.due)}, a gap from {minute(standing.overdue)}")
    elif standing.kind == GAP and account.state not in (PARTIAL, NEVER_RAN):
        until = f" to {minute(run[-1].standing.due)}" if len(run) > 1 else ""
        parts.append(f"was due {minute(standing.due)}{until}")
    return escape("; ".join(part for part in parts if part))
