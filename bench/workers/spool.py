"""Commits, takes and confirms batches of the product's store.

    python -m bench.workers.spool commit|cycle|intake BATCHES WAITING

commit   batches with their checkpoint
cycle    the same, and each is taken and confirmed as a sender does
intake   the same as ``commit``, with the known ids and the ledger of a real page

WAITING batches are in the spool before, for an output that takes nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.meter import spent, tell
from bench.records import guids, pod_messages
from collector.clock import SystemClock
from collector.core.checkpoint import started
from collector.core.dedup import digest
from collector.core.ledger import Received, entries
from collector.core.model import Batch, Event
from collector.core.store import Commit
from collector.persistence.sqlite import SqliteStore

_RECORDS = 1000
_SOURCE = "pod#message"
_TAKEN_BYTES = 8 * 1024 * 1024


def batch(output: str) -> Batch:
    """A batch of 1000 messages of 2 KB for an output."""
    return Batch(
        source=_SOURCE,
        tag="mail.proofpoint.pod.message",
        lane="standard",
        mode="archive",
        count=_RECORDS,
        body=b"\n".join(pod_messages(_RECORDS)) + b"\n",
        first=0,
        last=3_599_000_000,
        outputs=(output,),
        hours=((0, _RECORDS),),
    )


def commit(one: Batch, number: int, *, ids: bool) -> Commit:
    """The commit of a page; with ``ids``, of one whose events are new, in the ledger's hour 0."""
    plain = Commit(source=_SOURCE, checkpoint=started(0), observed=number, batches=[one])
    if not ids:
        return plain
    events = [Event(guid, 0, b"") for guid in guids(_RECORDS, number)]
    digests = [digest(event) for event in events]
    received = Received(
        events=events, fresh=events, digests=digests, rejected=0, observed=number, mode="archive"
    )
    return Commit(
        source=_SOURCE,
        checkpoint=started(0),
        observed=number,
        batches=[one],
        digests={0: digests},
        entries=entries(received, None),
    )


def main(what: str, batches: int, waiting: int) -> None:
    """Measure in a new store in the working directory."""
    store = SqliteStore.open(Path("state"), SystemClock())
    for number in range(waiting):
        store.commit(commit(batch("down") if number == 0 else _again("down"), number, ids=False))
    pages = [commit(_again("out"), number, ids=what == "intake") for number in range(batches)]
    with spent() as took:
        for page in pages:
            store.commit(page)
            if what == "cycle":
                _deliver(store)
    _check(store, batches if what != "cycle" else 0)
    tell(records=batches * _RECORDS, seconds=took.seconds, cpu=took.cpu)
    store.close()


_made: dict[str, Batch] = {}


def _again(output: str) -> Batch:
    if output not in _made:
        _made[output] = batch(output)
    return _made[output]


def _deliver(store: SqliteStore) -> None:
    taken = store.spool.take("out", "standard", 0, _TAKEN_BYTES)
    store.spool.confirm("out", "standard", [each.id for each in taken], (), None)


def _check(store: SqliteStore, expected: int) -> None:
    """What should be in the spool is: a store that loses records measures nothing."""
    left = store.spool.backlog().get(("out", "standard"), 0)
    if left != expected * _RECORDS:
        raise AssertionError(f"{left} records wait, and {expected * _RECORDS} should")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
