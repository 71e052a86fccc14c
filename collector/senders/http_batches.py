"""The sender of every HTTP destination: batches in parts, halved, sampled, remembered.

What differs from one destination to the next is its ``Endpoint``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from collector.core.model import Refusal, SpooledBatch
from collector.errors import Undelivered
from collector.senders.base import Hold
from collector.senders.http_answers import all_refused
from collector.senders.http_parts import Outcome, Part, Settled, parts

# So many records refused one after another, and none taken, make the settings suspect.
_SUSPICIOUS = 3
_AT_ONCE = Hold()


class Unconfirmed(NamedTuple):
    """Parts that were taken, but whose safe arrival was not told, and the failure that is."""

    parts: Sequence[Part]
    failure: Undelivered


class Endpoint(Protocol):
    """One kind of HTTP destination."""

    def lines(self, batch: SpooledBatch) -> Sequence[bytes]:
        """The batch's records in the form in which they are posted, the same at every try."""
        ...

    def post(self, part: Part) -> Outcome:
        """Post a part.

        A single record is always settled.  Raises ``Undelivered`` when the part, or what
        is left of it, is to be posted again later.
        """
        ...

    def confirm(self) -> Unconfirmed | None:
        """Return once all that was taken is safe, and forget it; or what is not.

        Raises ``Undelivered`` when that cannot be learned now.
        """
        ...

    def close(self) -> None:
        """Close the connections; what was posted is still known."""
        ...


class PartSender:
    """Sends batches to an endpoint in parts of at most ``max_bytes`` (before compression).

    Parts that were taken are not posted again by this process, whatever fails after them.
    """

    def __init__(self, endpoint: Endpoint, *, max_bytes: int, hold: Hold = _AT_ONCE) -> None:
        self.hold = hold
        self._endpoint = endpoint
        self._max_bytes = max_bytes
        # By batch and part.
        self._known: dict[str, dict[str, Outcome]] = {}

    def rewind(self, position: str | None) -> None:  # noqa: ARG002 - accepted stays accepted
        """Start with new connections, and certificate files read anew."""
        self.close()

    def send(self, batch: SpooledBatch) -> Sequence[Refusal]:
        """Post the batch in as many parts as it takes; the refused records come back."""
        settled: list[Settled] = []
        waiting = [*parts(batch, self._endpoint.lines(batch), self._max_bytes)][::-1]
        sampled = False
        while waiting:
            outcome = self._settle(waiting.pop())
            if not isinstance(outcome, Settled):
                waiting.extend(reversed(outcome))
                continue
            settled.append(outcome)
            if not sampled and _suspicious(settled):
                waiting, sampled = self._sampled(waiting, settled), True
        return _refusals(batch, settled)

    def flush(self) -> None:
        """Return once every part that was taken is safe; then forget which ones they were."""
        unconfirmed = self._endpoint.confirm()
        if unconfirmed is not None:
            for part in unconfirmed.parts:
                self._known.get(part.batch.uid, {}).pop(part.id, None)
            raise unconfirmed.failure
        self._known.clear()

    def close(self) -> None:
        """Close the connections."""
        self._endpoint.close()

    def _settle(self, part: Part) -> Outcome:
        """What becomes of a part, from memory or by a post."""
        known = self._known.setdefault(part.batch.uid, {})
        if part.id not in known:
            known[part.id] = self._endpoint.post(part)
        return known[part.id]

    def _sampled(self, waiting: Sequence[Part], refused: Sequence[Settled]) -> list[Part]:
        """Try the first record of each part that waits; raises when none fares better.

        The parts double in size, so these records are spread over the batch: a
        destination that takes none of them takes nothing as it is set up, and the
        batch must not end among the dead letters.
        """
        pieces = [piece for part in waiting for piece in reversed(part.cut(1))]
        sample = [piece for piece in reversed(pieces) if len(piece.lines) == 1]
        tried = [*refused]
        for piece in sample:
            outcome = self._settle(piece)
            if not isinstance(outcome, Settled) or not _suspicious([*tried, outcome]):
                return pieces
            tried.append(outcome)
        # What was refused may be taken once the settings are right.
        del self._known[refused[0].part.batch.uid]
        raise all_refused(refused[0].refused[0].reason, sum(len(each.refused) for each in tried))


def _suspicious(settled: Sequence[Settled]) -> bool:
    """Whether some records were refused, all with the same status, and none was taken."""
    refused = [record for each in settled for record in each.refused]
    tried = sum(len(each.part.lines) for each in settled)
    alike = len({record.status for record in refused}) == 1
    return len(refused) == tried >= _SUSPICIOUS and alike


def _refusals(batch: SpooledBatch, settled: Sequence[Settled]) -> list[Refusal]:
    """The refused records, with what the destination said about each."""
    refused = [record for each in settled for record in each.refused]
    raw = batch.lines() if refused else []
    return [
        Refusal(batch=batch.id, index=each.position, raw=raw[each.position], reason=each.reason)
        for each in refused
    ]
