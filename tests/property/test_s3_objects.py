"""Objects of S3: after any crashes and groupings, each record is in the bucket exactly once."""

from __future__ import annotations

from collections import Counter
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from collector.core.model import SpooledBatch
from collector.core.times import HOUR
from collector.senders.s3_objects import Objects, ndjson, rows
from tests.fakes.batches import FIRST, batch_of

TAGS = ("alerts", "mail")
FORM = ndjson("none")

# A batch: its tag, and the hour of each of its records.
histories = st.lists(
    st.tuples(st.sampled_from(TAGS), st.lists(st.integers(0, 3), min_size=1, max_size=4)),
    min_size=1,
    max_size=8,
)
# A try: how many batches it takes, and how many objects it writes before it crashes.
tries = st.lists(st.tuples(st.integers(1, 8), st.integers(0, 12)), max_size=12)


def batches_of(history: list[tuple[str, list[int]]]) -> list[SpooledBatch]:
    """The batches in the order in which they are owed, each record different."""
    numbers = count()
    made = []
    for number, (tag, hours) in enumerate(history):
        lines = [
            b'{"n":%d,"@collector":{"event_id":"e","event_time":"2026-01-01T%02d:00:00Z"}}'
            % (next(numbers), hour)
            for hour in hours
        ]
        made.append(batch_of(lines, number, tag, FIRST + min(hours) * HOUR))
    return made


def attempt(bucket: dict[str, bytes], owed: list[SpooledBatch], written: int | None) -> bool:
    """Write the objects of these batches, at most so many; whether all were written."""
    objects = Objects("logs", "hour", FORM.suffix)
    for batch in owed:
        for row in rows(batch):
            objects.add(row)
    bodies = [(name, FORM.encode(held)) for name, held in objects]
    bucket.update(bodies[:written])
    return written is None or written >= len(bodies)


@given(history=histories, plan=tries, told=st.lists(st.booleans(), min_size=12, max_size=12))
def test_each_record_once(
    history: list[tuple[str, list[int]]], plan: list[tuple[int, int]], told: list[bool]
) -> None:
    """Each try begins with the oldest batch owed; a crash may come before the spool is told."""
    bucket: dict[str, bytes] = {}
    owed = batches_of(history)
    everything = Counter(line for batch in owed for line in batch.lines())
    for (taken, written), confirmed in zip(plan, told, strict=False):
        if attempt(bucket, owed[:taken], written) and confirmed:
            owed = owed[taken:]
    attempt(bucket, owed, None)
    found = Counter(line for body in bucket.values() for line in body.split(b"\n")[:-1])
    assert found == everything


@given(history=histories, sizes=st.lists(st.integers(1, 3), min_size=8, max_size=8))
def test_no_flush_touches_what_is_confirmed(
    history: list[tuple[str, list[int]]], sizes: list[int]
) -> None:
    """Without a crash no object is ever written twice."""
    owed, names = batches_of(history), []
    for size in sizes:
        group, owed = owed[:size], owed[size:]
        bucket: dict[str, bytes] = {}
        attempt(bucket, group, None)
        names += list(bucket)
    assert len(names) == len(set(names))
