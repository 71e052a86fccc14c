"""One record through all steps: decoded once, encoded once, and only where it was changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from collector.core.work import Outcome
from collector.pipeline import document
from collector.pipeline.document import Record, Unreadable
from collector.pipeline.step import MAX_RECORDS, Failed, Step

MAX_BYTES = 64 * 1024 * 1024
"""Bytes of all records that one record becomes; each part of an array repeats its parent."""

Stage: TypeAlias = Sequence[Step]
"""The steps of one named pipeline."""


class Unprocessable(Exception):
    """The record goes to the dead letters; carries the reason."""


class Pipeline:
    """The named pipelines of a source, in order.  Pure: the same record, the same outcome.

    Safe for many threads.  Never raises, whatever the record.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = tuple(tuple(stage) for stage in stages)

    def __call__(self, raw: bytes) -> Outcome:
        """What becomes of one JSON object; bytes come back untouched where no step changed it."""
        flags: dict[str, None] = {}
        try:
            record, repaired = document.read(raw)
            flags |= dict.fromkeys(repaired.flags)
            records = self._through(record, flags)
            lines = _encoded(records, record, repaired.raw)
        except (Unprocessable, Unreadable) as end:
            return Outcome([], tuple(flags), str(end))
        return Outcome(lines, tuple(flags))

    def _through(self, record: Record, flags: dict[str, None]) -> list[Record]:
        records = [record]
        for stage in self._stages:
            records = _staged(records, stage, flags)
        return records


def _staged(records: list[Record], stage: Stage, flags: dict[str, None]) -> list[Record]:
    """The records behind a stage, in order; raises ``Unprocessable``."""
    done: list[Record] = []
    waiting = [(record, 0) for record in reversed(records)]
    while waiting:
        record, at = waiting.pop()
        if at == len(stage):
            done.append(record)
            continue
        made = _made(stage[at], record, flags)
        if made is None:
            done.append(record)
            continue
        waiting.extend((each, at + 1) for each in reversed(made))
        if len(waiting) + len(done) > MAX_RECORDS:
            raise Unprocessable(f"it would become more than {MAX_RECORDS} records")
    return done


def _made(step: Step, record: Record, flags: dict[str, None]) -> list[Record] | None:
    """What a step gives, or what its ``on_error`` says."""
    try:
        return step.work(record)
    except Failed as failure:
        flags[f"{step.kind}_failed"] = None
        if step.on_error == "dead_letter":
            raise Unprocessable(f"{step.kind}: {failure}") from None
        return [record] if step.on_error == "keep" else []


def _encoded(records: list[Record], before: Record, raw: bytes) -> list[bytes]:
    """The records' bytes; raises ``Unprocessable`` when they are a flood."""
    lines: list[bytes] = []
    size = 0
    for record in records:
        lines.append(raw if record is before else document.write(record))
        size += len(lines[-1])
        if size > max(MAX_BYTES, len(raw)):
            raise Unprocessable(f"it would become more than {MAX_BYTES} bytes")
    return lines
