"""What pullers ask of the state store, and the one value that changes it.

Everything a page leads to is one ``Commit``: the batches to deliver, the digests
now known, the bytes kept aside, the ledger and the checkpoint.  A store makes all
of it durable or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from collector.core.checkpoint import Checkpoint
from collector.core.ledger import Account, Entry
from collector.core.model import NO_TIME, Batch, Micros, Window
from collector.core.policy import Usage


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that cannot be delivered as a record, and why.

    ``output`` names the destination that refused them, or is None when the
    vendor's answer itself could not be read.  ``hour`` begins the ledger's row in
    which they count.  ``event`` is the digest of the event that they are, when they
    could be read and a pipeline keeps them aside: it is known by it.  ``time`` is then
    the event's, which its bytes need not tell.
    """

    source: str
    tag: str
    reason: str
    raw: bytes
    observed: Micros
    output: str | None = None
    lane: str = "standard"
    hour: Micros = NO_TIME
    time: Micros = NO_TIME
    event: bytes | None = None


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """One change of state; see the module's text.

    ``replayed`` are the ids of dead letters that it takes out.
    """

    source: str
    checkpoint: Checkpoint
    observed: Micros
    batches: Sequence[Batch] = ()
    digests: Mapping[int, Sequence[bytes]] = {}
    entries: Sequence[Entry] = ()
    dead_letters: Sequence[DeadLetter] = ()
    replayed: Sequence[int] = ()


class Store(Protocol):
    """The state, as pullers see it.  Every method raises ``StateError`` when it fails."""

    def checkpoint(self, source: str) -> Checkpoint | None:
        """The stored checkpoint, or None for a source never seen."""
        ...

    def known(self, source: str, slot: int) -> Iterable[bytes]:
        """The packed digests stored for one hour slot."""
        ...

    def known_counts(self, source: str, first: int, last: int) -> dict[int, int]:
        """How many digests are stored, by slot, in those of a span that hold any."""
        ...

    def account(self, source: str, hour: Window) -> Account:
        """The ledger's row of one UTC hour; an empty one when there is none."""
        ...

    def usual(self, source: str, hour: Window) -> int | None:
        """How many events an hour usually has: the median of the complete ones before it."""
        ...

    def commit(self, commit: Commit) -> None:
        """Make all of it durable; on return it survives a power cut."""
        ...

    def usage(self, input_name: str) -> Usage:
        """The calls an input has used."""
        ...

    def save_usage(self, input_name: str, usage: Usage) -> None:
        """Keep the calls an input has used, before the call is made."""
        ...
