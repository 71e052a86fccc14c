"""Syslog over TCP or TLS: RFC 3164 or 5424, octet counting or newlines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
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
from collector.senders.tls import client_context

# rsyslog's default; it cuts what is longer and reads the rest as a new record.
_MAX_MESSAGE_BYTES = 8_096


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
        files = {"ca": ca, "cert": cert, "key": key}
        context = partial(client_context, **files, password=key_password, checks=checks)
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
        tls = context if protocol == "tls" else None
        self._stream = ConfirmedStream(host=address, port=port, context=tls, **stream)

    def rewind(self, position: str | None) -> None:  # noqa: ARG002 - nothing to go back to
        """Leave the connection that failed; the next one starts afresh."""
        self._stream.drop()

    def send(self, batch: SpooledBatch) -> Sequence[Refusal]:
        """Write the batch; messages over the maximum come back, unless they are cut."""
        header = self._header(batch)
        usual = header.at(self._clock.now() if batch.first == NO_TIME else batch.first)
        refusals: list[Refusal] = []
        pieces: list[bytes | memoryview] = []
        body, view = batch.body, memoryview(batch.body)
        spans = list(batch.spans())
        for index, moment in enumerate(event_times(body, spans)):
            start, end = spans[index]
            head = usual if moment is None else header.of(moment)
            room = self._max_message_bytes - len(head)
            text = visible(body[start:end]) if self._framing == "newline" else view[start:end]
            if len(text) <= room:
                pieces += framed(head, text, self._framing)
            elif self._oversize == "truncate":
                pieces += framed(head, truncated(bytes(text), room), self._framing)
            else:
                length = len(head) + len(text)
                refusals.append(self._too_long(batch, index, body[start:end], length))
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
