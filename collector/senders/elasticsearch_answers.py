"""What the answer of the bulk interface means, item by item.  Pure functions.

The interface is that of Elastic's page "Bulk index or delete documents"; OpenSearch
has the same ("Bulk API").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from collector.core.wirejson import MALFORMED
from collector.errors import Undelivered
from collector.senders.error_numbers import DENIED, NOT_FOUND, UNEXPECTED
from collector.senders.http_answers import Meaning, unaccepted
from collector.senders.http_client import Reply

# The document is there already: a former try was taken.
_EXISTS = "version_conflict_engine_exception"


class Trouble(msgspec.Struct, frozen=True):
    """Why an item was not taken."""

    type: str = ""
    reason: str = ""


class Item(msgspec.Struct, frozen=True):
    """What became of one document."""

    status: int
    error: Trouble = Trouble()

    @property
    def meaning(self) -> Meaning:
        """accept, split (this document is refused for good), or retry."""
        if 200 <= self.status < 300 or self.error.type == _EXISTS:
            return "accept"
        return "split" if self.status in {400, 413} else "retry"


class _Bulk(msgspec.Struct, frozen=True):
    items: Sequence[Mapping[str, Item]]


_bulk = msgspec.json.Decoder(_Bulk).decode


def items(reply: Reply, count: int) -> Sequence[Item] | None:
    """What became of ``count`` documents, in order; None when the answer does not tell."""
    try:
        found = [item for each in _bulk(reply.body).items for item in each.values()]
    except MALFORMED:
        return None
    return found if len(found) == count else None


def unindexed(item: Item, reply: Reply, place: str, said: str) -> Undelivered:
    """The failure of a document that may be taken later; ``said`` is why, without secrets."""
    general = unaccepted(item.status, place, reply.retry_after)
    remedies = {
        DENIED: "give the output's user the right create_doc on the index, and look whether the "
        "index is blocked for writing (a full disk blocks it)",
        NOT_FOUND: "create the index, or let the cluster create it (action.auto_create_index)",
        UNEXPECTED: "look at the cluster's log; the documents are sent again",
    }
    return Undelivered(
        general.number,
        f"{place} answered {item.status} for a document: {said}",
        remedies.get(general.number, general.remedy),
        reply.retry_after,
        item.status,
    )
