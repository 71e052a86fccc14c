"""Everything of ours that speaks TLS, behind one face."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypedDict

from collector.core.model import Request
from collector.errors import CollectorError
from collector.net.tls import STRICT, Checks
from collector.senders.base import Hold, Sender
from collector.senders.devo import DevoSender
from collector.senders.http import HttpSender
from collector.senders.s3 import S3Sender
from collector.senders.s3_objects import ndjson
from collector.senders.syslog import SyslogSender
from collector.senders.tls import ClientTls
from collector.wire.http import HttpLimits, HttpWire
from collector.wire.stream import StreamLimits
from collector.wire.tls import vendor_context
from collector.wire.websocket import WebSocketWire
from tests.fakes import s3_service
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock
from tests.fakes.raw_server import Peer, RawServer, answer
from tests.fakes.receivers import StreamReceiver

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
    return _streamed(
        context,
        lambda port: DevoSender(
            address="127.0.0.1", port=port, chain=files.ca, log=LOG, **_shared(files)
        ),
    )


def syslog(context: ssl.SSLContext, files: Files) -> Outcome:
    """The syslog output."""
    return _streamed(
        context,
        lambda port: SyslogSender(
            address="127.0.0.1", port=port, ca=files.ca, log=LOG, **_shared(files)
        ),
    )


def http(context: ssl.SSLContext, files: Files) -> Outcome:
    """The HTTP output."""

    def post(server: RawServer) -> None:
        deliver(HttpSender(url=server.url, ca=files.ca, **_shared(files)))

    return _called(context, _answering(answer(b"")), post)


def s3(context: ssl.SSLContext, files: Files) -> Outcome:
    """The S3 output."""

    def put(server: RawServer) -> None:
        tls = ClientTls(**files._asdict())
        settings = s3_service.settings(
            server.url, checksums="when_required", tls=tls, timeout=SECONDS
        )
        deliver(S3Sender(settings, prefix="", partition="day", form=ndjson("none"), hold=Hold()))

    return _called(context, _answering(answer(b"", 'ETag: "1"')), put)


def vendor_http(context: ssl.SSLContext, files: Files) -> Outcome:
    """Calls to the vendor."""

    def call(server: RawServer) -> None:
        limits = HttpLimits(connect_timeout=SECONDS, read_timeout=SECONDS)
        wire = HttpWire(limits, vendor_context(*files))
        try:
            wire.send(Request(method="GET", url=server.url))
        finally:
            wire.close()

    return _called(context, _answering(answer(b"{}")), call)


def vendor_websocket(context: ssl.SSLContext, files: Files) -> Outcome:
    """Streams from the vendor."""

    def serve(peer: Peer) -> None:
        peer.upgrade()
        peer.wait()

    def stream(server: RawServer) -> None:
        limits = StreamLimits(connect_timeout=SECONDS, close_timeout=0.2)
        wire = WebSocketWire(limits, ManualClock(FIRST), vendor_context(*files))
        with wire.open(Request(method="GET", url=server.ws_url)):
            pass

    return _called(context, serve, stream)


class _Shared(TypedDict):
    """What these senders take under the same names."""

    cert: Path | None
    key: Path | None
    key_password: str | None
    checks: Checks
    timeout: float
    clock: ManualClock


def _shared(files: Files) -> _Shared:
    return {
        "cert": files.cert,
        "key": files.key,
        "key_password": files.password,
        "checks": files.checks,
        "timeout": SECONDS,
        "clock": ManualClock(FIRST),
    }


def _streamed(context: ssl.SSLContext, make: Callable[[int], Sender]) -> Outcome:
    """What becomes of records that are sent to a port."""
    with StreamReceiver(context) as server:
        error = attempt(lambda: deliver(make(server.port)))
        return Outcome(error, bool(server.received))


def _called(
    context: ssl.SSLContext, script: Callable[[Peer], None], call: Callable[[RawServer], None]
) -> Outcome:
    """What becomes of a request to a server of that script."""
    with RawServer(script, context) as server:
        return Outcome(attempt(lambda: call(server)), bool(server.heads))


def _answering(answered: bytes) -> Callable[[Peer], None]:
    return lambda peer: peer.send(answered)


OUTPUTS: dict[str, Door] = {"devo": devo, "syslog": syslog, "http": http, "s3": s3}
VENDOR: dict[str, Door] = {"vendor http": vendor_http, "vendor websocket": vendor_websocket}
