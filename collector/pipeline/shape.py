"""Steps that change the shape of a record: ``parse_json`` and ``explode``."""

from __future__ import annotations

from typing import Any

from collector.pipeline import paths
from collector.pipeline.document import MAX_DEPTH, Record, Unreadable, parse
from collector.pipeline.paths import Path
from collector.pipeline.step import MAX_RECORDS, Failed, Work


def parse_json(field: Path, new_name: str | None = None, *, keep_old: bool = False) -> Work:
    """A text that holds JSON becomes the value that it spells; ``Failed`` where it holds none.

    The value takes the text's place, under ``new_name`` where there is one; with
    ``keep_old`` the text stays and the value comes last in the same object.  What is no
    text stays as it is.
    """
    owner, name = field[:-1], str(field[-1])
    target = new_name or name
    keep = keep_old and target != name

    def parsed(fields: Any) -> Any:
        if not isinstance(fields, dict) or not isinstance(fields.get(name), str):
            return fields
        _refuse_taken(target, fields, name)
        try:
            value = parse(fields[name], MAX_DEPTH - len(field))
        except Unreadable as error:
            raise Failed(f"{name} is {error}") from None
        return {**fields, target: value} if keep else replaced(fields, name, target, value)

    return lambda record: [paths.update(record, owner, parsed)]


def explode(
    field: Path,
    index_field: str | None = None,
    count_field: str | None = None,
    *,
    keep_parent: bool = True,
) -> Work:
    """One record for each element of a list, which stands in the list's place.

    Without ``keep_parent`` an element that is an object is the whole record.  What is
    no list, or empty, stays as it is.  ``Failed`` for a flood of elements, and where
    the name of an index or count is taken.
    """

    def exploded(record: Record) -> list[Record]:
        children = paths.find(record, field)
        if not isinstance(children, list) or not children:
            return [record]
        if len(children) > MAX_RECORDS:
            raise Failed(f"{field[-1]} has more than {MAX_RECORDS} elements")
        return [
            _numbered(whole(record, child), index_field, n, count_field, len(children))
            for n, child in enumerate(children)
        ]

    def whole(record: Record, child: Any) -> Record:
        if keep_parent:
            found: Record = paths.update(record, field, lambda _: child)
            return found
        return child if isinstance(child, dict) else {str(field[-1]): child}

    return exploded


def replaced(fields: Record, name: str, target: str, value: Any) -> Record:
    """The fields with one replaced by another, at its place."""
    return {
        (target if key == name else key): (value if key == name else old)
        for key, old in fields.items()
    }


def _numbered(
    record: Record, index_field: str | None, index: int, count_field: str | None, count: int
) -> Record:
    numbers = {
        name: number
        for name, number in ((index_field, index), (count_field, count))
        if name is not None
    }
    for name in numbers:
        _refuse_taken(name, record)
    return {**record, **numbers} if numbers else record


def _refuse_taken(name: str, fields: Record, before: str | None = None) -> None:
    """No field is ever overwritten by another; raises ``Failed``."""
    if name in fields and name != before:
        raise Failed(f"there is a field {name} already")
