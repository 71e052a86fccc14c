"""A sender whose secrets may be replaced while we run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collector.app.credentials import Credentials
from collector.config.models import Settings
from collector.config.outputs import Output
from collector.core.model import Refusal, SpooledBatch
from collector.errors import ConfigError
from collector.logs import ComponentLogger
from collector.senders.base import Sender


class RenewingSender:
    """Satisfies ``senders.base.Sender`` by one that is made anew when its secrets change.

    They are read again after every failure, when nothing sent waits for its
    confirmation.  New ones that were never taken give way to the former for one try.
    Called by one thread, which ``credentials`` belong to.
    """

    def __init__(
        self,
        credentials: Credentials[Output],
        make: Callable[[Output], Sender],
        log: ComponentLogger,
    ) -> None:
        self._credentials = credentials
        self._make = make
        self._log = log
        self._output = credentials.used
        self._change = self._proven = credentials.changes
        self._sender = make(self._output)
        self._started = False
        self.hold = self._sender.hold

    def rewind(self, position: str | None) -> None:
        """After a failure, with the secrets as they are configured now."""
        if self._started:
            self._look()
        self._started = True
        self._sender.rewind(position)

    def send(self, batch: SpooledBatch) -> Sequence[Refusal]:
        """Hand over one batch."""
        return self._sender.send(batch)

    def flush(self) -> str | None:
        """Return once the destination has all: the secrets in use are right."""
        position = self._sender.flush()
        self._proven = self._change
        self._credentials.worked(self._change)
        return position

    def close(self) -> None:
        """Let go of the destination."""
        self._sender.close()

    def _look(self) -> None:
        if self._change != self._proven:
            self._credentials.refused(self._change)
        self._change = self._credentials.look()
        if self._credentials.used == self._output:
            return
        self._log.info("The secrets of the output were replaced: trying the others")
        self._output = self._credentials.used
        self._sender.close()
        self._sender = self._make(self._output)
        self.hold = self._sender.hold


def rereading_secrets_only(
    reread: Callable[[], Settings], name: str, started: Output
) -> Callable[[], Output | None]:
    """The output as it is configured now; None where more than its secrets has changed.

    Everything else takes effect with a restart.
    """

    def look() -> Output | None:
        try:
            found = reread().outputs.get(name)
        except ConfigError:
            return None
        if found is None or found.model_dump_json() != started.model_dump_json():
            return None  # dumped, all secrets look the same
        return found

    return look
