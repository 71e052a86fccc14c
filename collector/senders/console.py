"""The console: one record a line, or indented for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

import msgspec

from collector.core.model import Refusal, SpooledBatch
from collector.errors import Undelivered
from collector.senders.base import Hold
from collector.senders.failures import STREAM_CLOSED


class ConsoleSender:
    """Writes records to a binary stream, such as ``sys.stdout.buffer``."""

    def __init__(self, *, stream: IO[bytes], pretty: bool = False) -> None:
        self.hold = Hold()
        self._stream = stream
        self._pretty = pretty

    def rewind(self, position: str | None) -> None:
        """A terminal takes nothing back: what was not confirmed is shown again."""

    def send(self, batch: SpooledBatch) -> Sequence[Refusal]:
        """Write the records; raises ``Undelivered`` when nobody reads them."""
        text = b"".join(map(indented, batch.lines())) if self._pretty else batch.body
        try:
            self._stream.write(text)
        except (OSError, ValueError) as error:
            raise _closed(error) from error
        return ()

    def flush(self) -> None:
        """Push what the stream still holds to the reader."""
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise _closed(error) from error

    def close(self) -> None:
        """Leave the stream open: it belongs to the program."""


def indented(line: bytes) -> bytes:
    """The record over several lines; one that is not JSON stays as it is."""
    try:
        return msgspec.json.format(line, indent=2) + b"\n"
    except msgspec.DecodeError:
        return line + b"\n"


def _closed(error: OSError | ValueError) -> Undelivered:
    """A pipe whose reader is gone, or (``ValueError``) a stream closed on our side."""
    return Undelivered(
        STREAM_CLOSED,
        f"the console cannot be written ({type(error).__name__})",
        "keep the reader of the collector's output running, or use another output",
    )
