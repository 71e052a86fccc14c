"""A look at the dead letters of a state folder, also while a collector is using it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec
from sqlite_utils import Database

from collector.core import times
from collector.errors import StateError
from collector.persistence import database, letters
from collector.persistence.letters import Filter, Letter, Totals


class LetterReport(msgspec.Struct, frozen=True, kw_only=True):
    """Some dead letters, how many fit in all, and the totals by source and output."""

    letters: list[Letter]
    count: int
    totals: list[Totals]

    @classmethod
    def read(cls, folder: Path, wanted: Filter, limit: int) -> Self:
        """The oldest that fit, up to ``limit``; raises ``StateError`` when there is no state."""
        with _looking(folder) as db:
            return cls(
                letters=letters.find(db, wanted, 0, limit),
                count=letters.count(db, wanted),
                totals=letters.totals(db),
            )

    @property
    def dropped(self) -> int:
        """How many were deleted because too many bytes were kept."""
        return sum(each.dropped for each in self.totals)

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-able values; times are ISO 8601 UTC."""
        return {
            "letters": [as_dict(each) for each in self.letters],
            "count": self.count,
            "totals": [msgspec.structs.asdict(each) for each in self.totals],
        }


def one(folder: Path, letter_id: int) -> tuple[Letter, bytes]:
    """A dead letter and its bytes; raises ``StateError`` when there is no such."""
    with _looking(folder) as db:
        found = letters.find(db, Filter(ids=(letter_id,)), 0, 1)
        content = letters.raw(db, letter_id)
    if not found or content is None:
        raise absent([letter_id])
    return found[0], content


def absent(ids: Iterable[int]) -> StateError:
    """What to raise when not all of these dead letters are there."""
    named = ", ".join(map(str, sorted(set(ids))))
    return StateError(221, f"there is no dead letter {named}", "see: collector dead-letters list")


def as_dict(letter: Letter) -> dict[str, Any]:
    """A dead letter as JSON-able values, without its bytes."""
    return {
        "id": letter.id,
        "time": times.isoformat(letter.observed),
        "source": letter.source,
        "tag": letter.tag,
        "lane": letter.lane,
        "output": letter.output,
        "reason": letter.reason,
        "bytes": letter.size,
    }


@contextmanager
def _looking(folder: Path) -> Iterator[Database]:
    with closing(database.open_for_reading(folder)) as guarded, guarded.reading() as db:
        yield db
