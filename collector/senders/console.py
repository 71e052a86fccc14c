"""The console: one record a line, or indented for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

import msgspec

from collector.core.model import Refusal, SpooledBatch
from collector.errors import ReaderGone, Undelivered
from collector.net.causes import causes
from collector.senders.base import Hold
from collector.senders.error_numbers import STREAM_CLOSED


class ConsoleSender:
    """Writes records to a binary stream, such as ``sys.stdout.buffer``."""

    def __init__(self, *, stream: IO[bytes], pretty: bool = False) -> None:
        self.hold = Hold()
        self._stream = stream
        self._pretty = pretty

    def rewind(self, position: str | None) -> None:
        """A terminal takes nothing back: what was not confirmed is shown again."""

    def send(self, batch: SpooledBatch) -> Sequence[Refusal]:
        """Write the records; raises ``Undelivered``, and ``ReaderGone`` when nobody reads them."""
        text = b"".join(map(indented, batch.lines())) if self._pretty else batch.body
        try:
            self._stream.write(text)
        except (OSError, ValueError) as error:
            raise _unwritten(error) from error
        return ()

    def flush(self) -> None:
        """Push what the stream still holds to the reader."""
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise _unwritten(error) from error

    def close(self) -> None:
        """Leave the stream open: it belongs to the program."""


def indented(line: bytes) -> bytes:
    """The record over several lines; one that is not JSON stays as it is."""
    try:
        return msgspec.json.format(line, indent=2) + b"\n"
    except msgspec.DecodeError:
        return line + b"\n"


def _unwritten(error: OSError | ValueError) -> Undelivered | ReaderGone:
    """A pipe whose reader is gone, a full disk, or (``ValueError``) a stream closed on our side."""
    if any(isinstance(each, BrokenPipeError) for each in causes(error)):
        return ReaderGone()
    return Undelivered(
        STREAM_CLOSED,
        f"the console cannot be written ({error})",
        "see to where it leads (a full disk, perhaps), or use another output",
    )
