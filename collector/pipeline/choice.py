"""Steps that choose by a condition: ``filter`` and ``bypass``."""

from __future__ import annotations

from collector.pipeline.conditions import Condition
from collector.pipeline.document import Record
from collector.pipeline.step import Work


def keep_where(condition: Condition) -> Work:
    """The record where the condition holds, else nothing."""
    return lambda record: [record] if condition(record) else []


def drop_where(condition: Condition) -> Work:
    """Nothing where the condition holds, else the record."""
    return lambda record: [] if condition(record) else [record]


def bypass(condition: Condition) -> Work:
    """Pass by the rest of the pipeline where the condition holds."""

    def work(record: Record) -> list[Record] | None:
        return None if condition(record) else [record]

    return work
