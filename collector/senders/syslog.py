"""Syslog over TCP or TLS: RFC 3164 or 5424, octet counting or newlines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Unpack

from collector.core.model import NO_TIME, Refusal, SpooledBatch
from collector.net.tls import STRICT, Checks
from collector.senders.base import Hold
from collector.senders.framing import (
    Framing,
    Header,
    SyslogFormat,
    framed,
    priority,
    rfc3164_header,
    rfc5424_header,
    truncated,
    visible,
)
from collector.senders.records import event_times
from collector.senders.stream import ConfirmedStream, StreamOptions
from collector.senders.tls import ClientTls, LastingContext

# rsyslog's default; it cuts what is longer and reads the rest as a new record.
_MAX_MESSAGE_BYTES = 8_096
# Encrypted while still in the processor's cache: a tenth less than all of a batch at once.
_JOINED_BYTES = 262_144


class SyslogSender:
    """Sends each record as one syslog message, with its event time in the header.

    Without one the earliest of its batch stands there, or now.

    ``app_name`` (RFC 3164: the tag) is the record's tag and ``msgid`` its
    service unless set.  ``max_message_bytes`` counts the header too; a longer
    message is refused (``dead_letter``) or cut and marked (``truncate``).
    Raises ``ValueError`` for a facility or severity that does not exist.
    """

    def __init__(
        self,
        *,
        address: str,
        port: int,
        protocol: Literal["tcp", "tls"] = "tls",
        format: SyslogFormat = "rfc5424",  # noqa: A002 - the setting's name
        framing: Framing = "octet_counting",
        facility: int = 1,
        severity: int = 6,
        hostname: str = "collector",
        app_name: str | None = None,
        msgid: str | None = None,
        max_message_bytes: int = _MAX_MESSAGE_BYTES,
        oversize: Literal["dead_letter", "truncate"] = "dead_letter",
        ca: Path | None = None,
        cert: Path | None = None,
        key: Path | None = None,
        key_password: str | None = None,
        checks: Checks = STRICT,
        hold: Hold | None = None,
        **stream: Unpack[StreamOptions],
    ) -> None:
        files = ClientTls(ca=ca, cert=cert, key=key, password=key_password, checks=checks)
        self.hold = hold or Hold(seconds=10.0)
        self._priority = priority(facility, severity)
        self._format = format
        self._framing = framing
        self._hostname = hostname
        self._app_name = app_name
        self._msgid = msgid
        self._max_message_bytes = max_message_bytes
        self._oversize = oversize
        self._clock = stream["clock"]
        context = LastingContext(files) if protocol == "tls" else None
        self._stream = ConfirmedStream(host=address, port=port, context=context, **stream)

    def rewind(self, position: str | None) -> None:  # noqa: ARG002 - nothing to go back to
        """Leave the connection that failed; the next one starts afresh."""
        self._stream.drop()

    def send(self, batch: SpooledBatch) -> Sequence[Refusal]:
        """Write the batch; messages over the maximum come back, unless they are cut."""
        header = self._header(batch)
        frame = len(header.before) + len(header.after)
        body, view, spans = batch.body, memoryview(batch.body), list(batch.spans())
        otherwise = self._clock.now() if batch.first == NO_TIME else batch.first
        times = header.times(event_times(body, spans), otherwise)
        refusals: list[Refusal] = []
        pieces: list[bytes | memoryview] = []
        size = 0
        for index, ((start, end), time) in enumerate(zip(spans, times, strict=True)):
            text = visible(body[start:end]) if self._framing == "newline" else view[start:end]
            room = self._max_message_bytes - frame - len(time)
            if len(text) > room:
                if self._oversize == "dead_letter":
                    length = frame + len(time) + len(text)
                    refusals.append(self._too_long(batch, index, body[start:end], length))
                    continue
                text = truncated(bytes(text), room)
            pieces += framed(header, time, text, self._framing)
            size += len(text)
            if size >= _JOINED_BYTES:
                self._stream.send(b"".join(pieces))
                pieces, size = [], 0
        if pieces:
            self._stream.send(b"".join(pieces))
        return refusals

    def flush(self) -> None:
        """Confirm what was sent, by the policy; raises ``Undelivered``."""
        self._stream.confirm()

    def close(self) -> None:
        """Close the connection."""
        self._stream.drop()

    def _header(self, batch: SpooledBatch) -> Header:
        app = self._app_name or batch.tag
        if self._format == "rfc3164":
            return rfc3164_header(self._priority, self._hostname, app)
        msgid = self._msgid or batch.source
        return rfc5424_header(self._priority, self._hostname, app, msgid)

    def _too_long(self, batch: SpooledBatch, index: int, line: bytes, length: int) -> Refusal:
        """Say by how much, and which setting rules it."""
        reason = f"{length} bytes as a syslog message, over max_message_bytes"
        limit = self._max_message_bytes
        return Refusal(batch=batch.id, index=index, raw=line, reason=f"{reason} ({limit})")
