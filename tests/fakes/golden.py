"""What a golden store holds, and how a store is asked for it.

A golden store is a small state written once by a release and kept for ever: later
releases open it (tests/integration/test_golden_stores.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from collector.core.batching import Limits
from collector.core.checkpoint import Checkpoint, Live, Look
from collector.core.gate import OPEN
from collector.core.ledger import COMPLETE, PARTIAL, Entry
from collector.core.model import Event, Micros, Page, Refusal, Rejected, Window
from collector.core.policy import Usage
from collector.core.times import HOUR
from collector.persistence import letter_report
from collector.persistence.hours import Ledger
from collector.persistence.letter_report import LetterReport
from collector.persistence.letters import Filter
from collector.persistence.report import StateReport
from collector.persistence.sqlite import SqliteStore
from collector.pullers.base import Source
from collector.pullers.intake import Destination, Intake
from tests.fakes.clock import ManualClock
from tests.fakes.pulls import MINUTE, START
from tests.fakes.sources import alerts, messages

OUTPUTS = ("archive", "siem")
SPAN = Window(START, START + 7 * HOUR)
SOURCES = {"casb#alerts": alerts(), "pod#message": messages()}

Contents = dict[str, Any]


def hour(number: int) -> Window:
    """An hour after the start."""
    return Window(START + number * HOUR, START + (number + 1) * HOUR)


def checkpoints() -> dict[str, Checkpoint]:
    """One checkpoint that uses every field, and a plain one."""
    return {
        "casb#alerts": Checkpoint(START, START + 3 * HOUR, START + HOUR, ("a", "é"), "+/="),
        "pod#message": Checkpoint(
            START,
            START + 5 * HOUR,
            START + 4 * HOUR,
            owed=(Window(START + HOUR, START + 3 * HOUR),),
            live=Live(START + 5 * HOUR - MINUTE, clean=True, unbroken_since=START + 4 * HOUR),
            looks=(Look(START + 9 * HOUR, START + 3 * HOUR, START + 4 * HOUR),),
        ),
    }


def event(number: int, time: Micros) -> Event:
    """A record of PoD and of CASB alike."""
    raw = json.dumps({"id": f"i-{number}", "guid": f"g-{number}", "text": "é" * number})
    return Event(f"g-{number}", time, raw.encode())


def page(source: str) -> Page:
    """Records over three hours, and bytes that hold none."""
    first = 0 if source.startswith("casb") else 100
    return Page(
        events=[event(first + number, START + number * 20 * MINUTE) for number in range(9)],
        rejected=[Rejected(b"\xff{", "not JSON")],
    )


def intake(store: SqliteStore, source_id: str, clock: ManualClock) -> Intake:
    """What commits the pages of a source."""
    name = source_id.partition("#")[0]
    source: Source = SOURCES[source_id]
    to = Destination(input=name, source_id=source_id, outputs=OUTPUTS, limits=Limits(max_records=4))
    return Intake(store, source, to, checkpoints()[source_id], clock, OPEN)


def fill(folder: Path) -> None:
    """Write the store: collected, delivered in part, refused in part, reset once."""
    clock = ManualClock(START + 6 * HOUR)
    with closing(SqliteStore.open(folder, clock)) as store:
        for source_id, checkpoint in checkpoints().items():
            store.reset(source_id, checkpoint, clock.now(), "first start")
            taken = intake(store, source_id, clock)
            for _ in range(2):  # the second time all of it is known
                taken.take(page(source_id), mode="archive", pulling_id="1")
            complete = Entry(span=hour(0), state=COMPLETE, attempts=1)
            broken = Entry(span=hour(1), state=PARTIAL, reason="cut", attempts=2)
            taken.advance(lambda checkpoint: checkpoint, [complete, broken])
        confirm(store)
        store.save_usage("casb", Usage(day=START, calls=7, not_before=START + MINUTE))


def confirm(store: SqliteStore) -> None:
    """The archive has the first batch but for one record, and says where it stands."""
    first = store.spool.take("archive", "standard", 0, 1)[0]
    line = first.lines()[1]
    refusal = Refusal(batch=first.id, index=1, raw=line, reason="HTTP 400")
    store.spool.confirm("archive", "standard", [first.id], [refusal], "position of the archive")


def shown(folder: Path) -> Contents:
    """All that the commands show of a state folder, as JSON-able values."""
    letters = LetterReport.read(folder, Filter(), 1000)
    return {
        "state": StateReport.read(folder).as_dict(),
        "ledger": [each.as_dict() for each in Ledger.read(folder, SPAN).hours],
        "letters": letters.as_dict(),
        "raws": [letter_report.one(folder, each.id)[1].hex() for each in letters.letters],
    }


def owed(store: SqliteStore) -> Contents:
    """What senders and quotas find in an open store."""
    return {
        "usage": [store.usage("casb").day, store.usage("casb").calls],
        "positions": {name: store.spool.position(name, "standard") for name in OUTPUTS},
        "batches": {name: list(_batches(store, name)) for name in OUTPUTS},
    }


def _batches(store: SqliteStore, output: str) -> Iterator[list[str]]:
    for batch in store.spool.take(output, "standard", 0, 1 << 24):
        yield [batch.uid, batch.source, batch.tag, batch.mode, batch.body.decode()]
