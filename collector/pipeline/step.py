"""What a step is: work on one record that gives none, one or many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from collector.core.model import Frozen
from collector.pipeline.document import Record

MAX_RECORDS = 10_000
"""Records that one record may become."""

OnError: TypeAlias = Literal["keep", "drop", "dead_letter"]

Work: TypeAlias = Callable[[Record], list[Record] | None]
"""The records that a record becomes; None: it passes by the rest of its pipeline.

Raises ``Failed``.  It never changes what it is given, and gives the same for the same.
"""


class Failed(Exception):
    """A step cannot do its work on this record; carries the reason."""


class Step(Frozen, frozen=True):
    """One step: its type's name, its work, and what becomes of a record that it fails on."""

    kind: str
    work: Work
    on_error: OnError = "keep"
