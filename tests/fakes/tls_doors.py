"""Everything of ours that speaks TLS, behind one face."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

from collector.core.model import Request
from collector.errors import CollectorError
from collector.net.tls import STRICT, Checks
from collector.senders.base import Hold, Sender
from collector.senders.devo import DevoSender
from collector.senders.http import HttpSender
from collector.senders.s3 import S3Sender
from collector.senders.s3_objects import ndjson
from collector.senders.s3_settings import S3Settings
from collector.senders.syslog import SyslogSender
from collector.senders.tls import ClientTls
from collector.wire.http import HttpLimits, HttpWire
from collector.wire.tls import vendor_context
from collector.wire.websocket import StreamLimits, WebSocketWire
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock
from tests.fakes.raw_server import Peer, RawServer, answer
from tests.fakes.receivers import StreamReceiver
from tests.fakes.s3_service import CREDENTIALS

LOG = logging.getLogger("tests.tls")
SECONDS = 3.0


class Files(NamedTuple):
    """What an operator sets."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    password: str | None = None
    checks: Checks = STRICT


class Outcome(NamedTuple):
    """The error, or None, and whether the server saw anything of ours."""

    error: CollectorError | None
    arrived: bool


Door: TypeAlias = Callable[[ssl.SSLContext, Files], Outcome]


def attempt(action: Callable[[], object]) -> CollectorError | None:
    """The collector's error, if there is one; any other passes through."""
    try:
        action()
    except CollectorError as error:
        return error
    return None


def deliver(sender: Sender) -> None:
    """Send and confirm a few records."""
    try:
        sender.send(batch_of(numbered(1, 3)))
        sender.flush()
    finally:
        sender.close()


def devo(context: ssl.SSLContext, files: Files) -> Outcome:
    """The Devo output."""
    with StreamReceiver(context) as server:
        sender = DevoSender(
            address="127.0.0.1",
            port=server.port,
            chain=files.ca,
            cert=files.cert,
            key=files.key,
            key_password=files.password,
            checks=files.checks,
            timeout=SECONDS,
            clock=ManualClock(FIRST),
            log=LOG,
        )
        return Outcome(attempt(lambda: deliver(sender)), bool(server.received))


def syslog(context: ssl.SSLContext, files: Files) -> Outcome:
    """The syslog output."""
    with StreamReceiver(context) as server:
        sender = SyslogSender(
            address="127.0.0.1",
            port=server.port,
            ca=files.ca,
            cert=files.cert,
            key=files.key,
            key_password=files.password,
            checks=files.checks,
            timeout=SECONDS,
            clock=ManualClock(FIRST),
            log=LOG,
        )
        return Outcome(attempt(lambda: deliver(sender)), bool(server.received))


def http(context: ssl.SSLContext, files: Files) -> Outcome:
    """The HTTP output."""
    with RawServer(lambda peer: peer.send(answer(b"")), context) as server:
        sender = HttpSender(
            url=server.url,
            ca=files.ca,
            cert=files.cert,
            key=files.key,
            key_password=files.password,
            checks=files.checks,
            timeout=SECONDS,
            clock=ManualClock(FIRST),
        )
        return Outcome(attempt(lambda: deliver(sender)), bool(server.heads))


def s3(context: ssl.SSLContext, files: Files) -> Outcome:
    """The S3 output."""
    with RawServer(lambda peer: peer.send(answer(b"", 'ETag: "1"')), context) as server:
        settings = S3Settings(
            bucket="records",
            region="eu-central-1",
            endpoint_url=server.url,
            path_style=True,
            credentials=CREDENTIALS,
            checksums="when_required",
            tls=ClientTls(
                ca=files.ca,
                cert=files.cert,
                key=files.key,
                password=files.password,
                checks=files.checks,
            ),
            timeout=SECONDS,
        )
        sender = S3Sender(settings, prefix="", partition="day", form=ndjson("none"), hold=Hold())
        return Outcome(attempt(lambda: deliver(sender)), bool(server.heads))


def vendor_http(context: ssl.SSLContext, files: Files) -> Outcome:
    """Calls to the vendor."""
    with RawServer(lambda peer: peer.send(answer(b"{}")), context) as server:

        def call() -> None:
            limits = HttpLimits(connect_timeout=SECONDS, read_timeout=SECONDS)
            wire = HttpWire(limits, vendor_context(*files))
            try:
                wire.send(Request(method="GET", url=server.url))
            finally:
                wire.close()

        return Outcome(attempt(call), bool(server.heads))


def vendor_websocket(context: ssl.SSLContext, files: Files) -> Outcome:
    """Streams from the vendor."""

    def serve(peer: Peer) -> None:
        peer.upgrade()
        peer.wait()

    with RawServer(serve, context) as server:

        def call() -> None:
            limits = StreamLimits(connect_timeout=SECONDS, close_timeout=0.2)
            wire = WebSocketWire(limits, ManualClock(FIRST), vendor_context(*files))
            with wire.open(Request(method="GET", url=server.ws_url)):
                pass

        return Outcome(attempt(call), bool(server.heads))


OUTPUTS: dict[str, Door] = {"devo": devo, "syslog": syslog, "http": http, "s3": s3}
VENDOR: dict[str, Door] = {"vendor http": vendor_http, "vendor websocket": vendor_websocket}
