"""S3: objects of many batches, cut by tag and hour, overwritten and never doubled by a resend."""

from __future__ import annotations

from collections.abc import Sequence

from collector.core.model import Refusal, SpooledBatch
from collector.senders.base import Hold
from collector.senders.s3_objects import Form, Objects, Partition, rows
from collector.senders.s3_settings import S3Settings
from collector.senders.s3_store import S3Store


class S3Sender:
    """Holds batches, and writes them as objects at each flush.

    Nothing is confirmed while it is only held: ``flush`` returns once the endpoint has
    every object.  A crash before loses what was held here, not what is in the spool.
    """

    def __init__(
        self,
        settings: S3Settings,
        *,
        prefix: str,
        partition: Partition,
        form: Form,
        hold: Hold,
    ) -> None:
        self.hold = hold
        self._form = form
        self._store = S3Store(settings)
        self._objects = Objects(prefix, partition, form.suffix)

    def rewind(self, position: str | None) -> None:  # noqa: ARG002 - the names say enough
        """Forget what is held; credentials and certificate files are read anew."""
        self.close()

    def send(self, batch: SpooledBatch) -> Sequence[Refusal]:
        """Hold the batch's records; those that the format cannot hold come back."""
        refusals = []
        for row in rows(batch):
            reason = self._form.refuses(row.line)
            if reason is None:
                self._objects.add(row)
            else:
                refusals.append(
                    Refusal(batch=batch.id, index=row.position, raw=row.line, reason=reason)
                )
        return refusals

    def flush(self) -> None:
        """Write every object; raises ``Undelivered`` when the endpoint does not take one."""
        for name, held in self._objects:
            self._store.put(name, self._form.encode(held), self._form.content_type)
        self._objects.clear()

    def close(self) -> None:
        """Forget what is held, and close the connections."""
        self._objects.clear()
        self._store.close()
