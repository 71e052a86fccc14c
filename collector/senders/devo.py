"""Devo: syslog lines over TLS, optionally as gzip members.

Facts from the public devo-sdk (docs/vendor-notes.md, Devo 5):
``<14>Jan  1 00:00:00 host tag: message`` and LF; the date is a constant because
Devo stamps at arrival; nothing is ever acknowledged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, Unpack

from collector.core.model import NO_TIME, Refusal, SpooledBatch
from collector.net.tls import STRICT, Checks
from collector.senders.base import Hold
from collector.senders.compression import compressed
from collector.senders.framing import name, rfc3164_moment, rfc3164_time
from collector.senders.records import event_times
from collector.senders.stream import ConfirmedStream, StreamOptions
from collector.senders.tls import ClientTls, LastingContext

_PRIORITY = 14
_CONSTANT_TIME = b"Jan  1 00:00:00"
# Devo routes by the tag; any other character could end the header.
_TAG = re.compile(r"[a-z0-9._-]{1,1024}")
# devo-sdk's buffer, flushed as one gzip member.
_MEMBER_BYTES = 19_500


class DevoSender:
    """Sends each record as one line to a Devo entry point or relay.

    ``type`` SSL verifies the server as ``checks`` says, against ``chain`` or the
    system's authorities; TCP is for a relay in the same network.
    """

    def __init__(
        self,
        *,
        address: str,
        port: int = 443,
        type: Literal["SSL", "TCP"] = "SSL",  # noqa: A002 - the name that Devo's users know
        chain: Path | None = None,
        cert: Path | None = None,
        key: Path | None = None,
        key_password: str | None = None,
        checks: Checks = STRICT,
        hostname: str = "collector",
        strict_timestamp: bool = False,
        gzip: bool = False,
        hold: Hold | None = None,
        **stream: Unpack[StreamOptions],
    ) -> None:
        files = ClientTls(ca=chain, cert=cert, key=key, password=key_password, checks=checks)
        self.hold = hold or Hold(seconds=10.0)
        self._hostname = name(hostname, 255)
        self._strict_timestamp = strict_timestamp
        self._gzip = gzip
        self._clock = stream["clock"]
        self._stream = ConfirmedStream(
            host=address,
            port=port,
            context=LastingContext(files) if type == "SSL" else None,
            **stream,
        )

    def rewind(self, position: str | None) -> None:  # noqa: ARG002 - nothing to go back to
        """Leave the connection that failed; the next one starts afresh."""
        self._stream.drop()

    def send(self, batch: SpooledBatch) -> Sequence[Refusal]:
        """Write the batch; a tag that Devo could not route refuses all of it."""
        if not _TAG.fullmatch(batch.tag):
            return _untaggable(batch)
        if self._gzip:
            lines = members(self._lines(batch))
            self._stream.send(b"".join(compressed(part, "gzip") for part in lines))
        elif self._strict_timestamp:
            self._stream.send(b"".join(self._lines(batch)))
        else:
            # A line holds no line end, so the head can go before all of them in one step.
            head = self._head(batch, _CONSTANT_TIME)
            headed = batch.body.replace(b"\n", b"\n" + head)
            self._stream.send(head)
            self._stream.send(memoryview(headed)[: -len(head)])
        return ()

    def flush(self) -> None:
        """Confirm what was sent, by the policy; raises ``Undelivered``."""
        self._stream.confirm()

    def close(self) -> None:
        """Close the connection."""
        self._stream.drop()

    def _lines(self, batch: SpooledBatch) -> list[bytes]:
        if not self._strict_timestamp:
            head = self._head(batch, _CONSTANT_TIME)
            return [head + line + b"\n" for line in batch.lines()]
        first = self._clock.now() if batch.first == NO_TIME else batch.first
        usual = rfc3164_time(first).encode("ascii")
        moments = event_times(batch.body, list(batch.spans()))
        return [
            self._head(batch, rfc3164_moment(moment[:19]) if moment else usual) + line + b"\n"
            for line, moment in zip(batch.lines(), moments, strict=True)
        ]

    def _head(self, batch: SpooledBatch, time: bytes) -> bytes:
        names = f" {self._hostname} {batch.tag}: ".encode("ascii")
        return b"<%d>%b%b" % (_PRIORITY, time, names)


def members(lines: Sequence[bytes]) -> Iterator[bytes]:
    """The lines in groups, each just past devo-sdk's buffer size, in order."""
    group: list[bytes] = []
    size = 0
    for line in lines:
        group.append(line)
        size += len(line)
        if size >= _MEMBER_BYTES:
            yield b"".join(group)
            group, size = [], 0
    if group:
        yield b"".join(group)


def _untaggable(batch: SpooledBatch) -> list[Refusal]:
    """Refuse every record of a batch whose tag Devo does not allow."""
    reason = f"Devo tags hold only a-z 0-9 . _ - and this one is {batch.tag[:100]!r}"
    return [
        Refusal(batch=batch.id, index=index, raw=line, reason=reason)
        for index, line in enumerate(batch.lines())
    ]
