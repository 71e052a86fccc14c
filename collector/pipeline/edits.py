"""Steps that add, rename and drop fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from collector.pipeline import paths
from collector.pipeline.document import Record
from collector.pipeline.paths import GONE, Path
from collector.pipeline.shape import replaced
from collector.pipeline.step import Failed, Work

Scalar: TypeAlias = str | int | float | bool


def add(fields: Mapping[Path, Scalar], *, overwrite: bool = False) -> Work:
    """Fields with fixed values; one that is there stays, or is overwritten.

    Objects on the way to a field are made where they are missing.  ``Failed`` where
    something else stands in the way.
    """

    def added(record: Record) -> list[Record]:
        for path, value in fields.items():
            if overwrite or paths.find(record, path) is GONE:
                record = _placed(record, path, value)
        return [record]

    return added


def _placed(fields: Any, path: Path, value: Scalar) -> Any:
    if not path:
        return value
    if not isinstance(fields, dict):
        raise Failed(f"there is no object to put {path[-1]} into")
    name = str(path[0])
    return {**fields, name: _placed(fields.get(name, {}), path[1:], value)}


def rename(fields: Mapping[Path, str]) -> Work:
    """Fields with a new name each, in the same object and at the same place.

    ``Failed`` where the new name is taken: no field is overwritten.
    """

    def renamed(record: Record) -> list[Record]:
        for path, target in fields.items():
            record = _renamed(record, path, target)
        return [record]

    return renamed


def _renamed(record: Record, path: Path, target: str) -> Record:
    name = str(path[-1])

    def change(fields: Any) -> Any:
        if not isinstance(fields, dict) or name not in fields or name == target:
            return fields
        if target in fields:
            raise Failed(f"there is a field {target} already")
        return replaced(fields, name, target, fields[name])

    found: Record = paths.update(record, path[:-1], change)
    return found


def drop(fields: Sequence[Path]) -> Work:
    """The record without these fields."""

    def dropped(record: Record) -> list[Record]:
        for path in fields:
            record = paths.update(record, path, lambda _: GONE)
        return [record]

    return dropped
