"""A generic WebSocket stream: settings to its one service."""

from __future__ import annotations

import math
import ssl
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from uuid import uuid4

import msgspec
from pydantic import SecretStr

from collector.app import tls
from collector.app.acceptance import Acceptance, nothing_to_ask
from collector.app.credentials import Credentials, configured
from collector.app.services import Parts, ServiceJob, Wiring, record_bounds
from collector.codecs.framing import framing
from collector.codecs.moments import MOMENTS
from collector.codecs.registry import CODECS, again, made
from collector.config.inputs import Service
from collector.config.models import AnyInput
from collector.config.websocket import WebSocketCredentials, WebSocketInput, WebSocketStream
from collector.core.flatten import flattener
from collector.core.model import Clock, Micros, Request
from collector.core.times import DAY
from collector.errors import SessionEnded, Stopped, VendorUnavailable
from collector.logs import component_logger
from collector.pipeline import paths
from collector.pullers import gaps
from collector.pullers.base import Source
from collector.pullers.framed import FramedSession
from collector.pullers.stream import Streamer, Turns
from collector.pullers.websocket_stream import (
    Fields,
    WebSocketSettings,
    stream_request,
    websocket_stream,
)
from collector.wire.retry import Patience, patiently
from collector.wire.stream import Stream, StreamLimits
from collector.wire.websocket import WebSocketWire

_NOTHING_OWED = Turns(memory=36_500 * DAY, slack=0, resumes=False)
"""Each session follows the one before, for what lies between them can never be fetched."""
_LOST = 311
"""The number of the fault that records were missed for good."""


class Secrets(msgspec.Struct, frozen=True):
    """What may be replaced while we run."""

    credentials: WebSocketCredentials
    initial_message: SecretStr | None

    def __repr__(self) -> str:
        return "Secrets(***)"


def websocket_services(wiring: Wiring, name: str, settings: WebSocketInput) -> list[ServiceJob]:
    """The stream as a service; none for a run that ends, because a stream does not."""
    if wiring.once:
        log = component_logger("InputProcess", f"InputThread({settings.type},{name})")
        log.warning("A stream has nothing that is due: %s is not read by a run that ends", name)
        return []
    return [
        _service(wiring, name, settings, service)
        for service in wiring.chosen(settings).values()
        if isinstance(service, WebSocketStream)
    ]


def websocket_source(settings: WebSocketInput, service: Service) -> Source:
    """The source that the service's settings describe."""
    assert isinstance(service, WebSocketStream)  # noqa: S101 - the model says so
    return websocket_stream(
        WebSocketSettings(
            tag=service.tag,
            records=flattener("none", ""),
            decode=CODECS[service.codec](service.max_record_bytes),
            decode_again=again(service.codec, service.max_record_bytes),
            decode_made=made(service.codec, service.max_record_bytes),
            new_session=_new_session,
            id_of=None if service.id_field is None else _finder(service.id_field),
            time_of=None if service.time_field is None else _moment(service),
            deduplicate=service.deduplicate,
            bounds=record_bounds(settings.json_limits),
        )
    )


def _service(
    wiring: Wiring, name: str, settings: WebSocketInput, service: WebSocketStream
) -> ServiceJob:
    parts = Parts(wiring, name, settings.type, websocket_source(settings, service), service)
    used = Secrets(settings.credentials, service.initial_message)
    credentials = Credentials(used, configured(wiring.reread, name, _secrets))
    acceptance = Acceptance()
    streamer = Streamer(
        parts.source,
        stream_request(settings.uri),
        _Opening(wiring, settings, service, credentials, parts, acceptance),
        None,
        parts.intake,
        _NOTHING_OWED,
        parts.live_journal,
        wiring.clock,
        wiring.rng,
    )
    return parts.job(nothing_to_ask, streamer.run, credentials, lasting=True, acceptance=acceptance)


class _Opening:
    """Opens sessions, for as long as it takes, and tells what was missed before each."""

    def __init__(
        self,
        wiring: Wiring,
        settings: WebSocketInput,
        service: WebSocketStream,
        credentials: Credentials[Secrets],
        parts: Parts,
        acceptance: Acceptance,
    ) -> None:
        self._clock = wiring.clock
        self._rng = wiring.rng
        self._at_once = wiring.settings.globals.batch.max_records
        self._limits = _limits(wiring, service)
        self._tls = context(settings)
        self._settings = settings
        self._service = service
        self._credentials = credentials
        self._parts = parts
        self._acceptance = acceptance

    def __call__(self, request: Request) -> FramedSession:
        journal = self._parts.live_journal
        patience = Patience(attempts=0, cap=60.0)
        open_ = partial(self._open, request)
        stream = patiently(open_, patience, self._clock, self._rng, journal.waiting)
        self._acceptance.given()
        try:
            self._resume()
        except BaseException:
            stream.abandon()
            raise
        cut = self._service.framing
        frames = framing(
            cut.method,
            self._service.max_record_bytes,
            (cut.delimiter or "").encode(),
            spans=cut.spans_messages,
        )
        return FramedSession(stream, frames, self._clock, _new_session(), self._at_once)

    def _open(self, request: Request) -> Stream:
        secrets = self._credentials.used
        return open_stream(
            self._settings, self._service, secrets, request, self._limits, self._tls, self._clock
        )

    def _resume(self) -> None:
        """Tell the ledger, the log and the source's health of what was missed until now."""
        intake = self._parts.intake
        now = self._clock.now()
        dated = self._parts.source.dated
        gap = gaps.before(intake.checkpoint, now, dated=dated)
        entries = gaps.session_entries(intake.checkpoint, now, intake.account, dated=dated)
        intake.advance(lambda checkpoint: gaps.resumed(checkpoint, now, dated=dated), entries)
        if gap is not None:
            cause = f"{gaps.spelled(gap)}: what was sent then is lost"
            remedy = "see above why the session ended; only the sender can send it again"
            self._parts.live_journal.missed(SessionEnded(_LOST, cause, remedy))


def open_stream(
    settings: WebSocketInput,
    service: WebSocketStream,
    secrets: Secrets,
    request: Request,
    limits: StreamLimits,
    context: ssl.SSLContext | None,
    clock: Clock,
) -> Stream:
    """A session, greeted and answered; raises what ``WebSocketWire.open`` does, and ``Stopped``."""
    message = tls.revealed(secrets.initial_message)
    wire = WebSocketWire(
        limits,
        clock,
        context,
        tls.proxy(settings.proxy),
        greeting=message,
        allow_private=settings.allow_private_addresses,
    )
    stream = wire.open(signed(request, secrets.credentials))
    seconds = service.initial_message_timeout_in_seconds
    if message is None or not seconds or stream.hears(clock.real(seconds)):
        return stream
    stream.abandon()
    if clock.stopping():
        raise Stopped
    raise VendorUnavailable(
        500,
        f"nothing came within {seconds:g} seconds after the initial message",
        "check initial_message; initial_message_timeout_in_seconds: 0 waits for nothing",
    )


def signed(request: Request, credentials: WebSocketCredentials) -> Request:
    """The request with all that says who asks."""
    secret = SecretStr.get_secret_value
    headers = {name: secret(value) for name, value in credentials.headers.items()}
    if credentials.strategy == "bearer" and credentials.token is not None:
        headers["Authorization"] = f"Bearer {secret(credentials.token)}"
    if credentials.user is not None and credentials.password is not None:
        pair = f"{secret(credentials.user)}:{secret(credentials.password)}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    parameters = {name: secret(value) for name, value in credentials.parameters.items()}
    return msgspec.structs.replace(
        request,
        headers={**request.headers, **headers},
        params={**request.params, **parameters},
    )


def _secrets(found: AnyInput) -> Secrets | None:
    if not isinstance(found, WebSocketInput) or found.services.stream is None:
        return None
    return Secrets(found.credentials, found.services.stream.initial_message)


def _new_session() -> str:
    return uuid4().hex


def _finder(field: str) -> Callable[[Fields], object]:
    path = paths.parse(field)
    return lambda fields: paths.find(fields, path)


def _moment(service: WebSocketStream) -> Callable[[Fields], Micros]:
    find, moment = _finder(service.time_field or ""), MOMENTS[service.time_format]
    return lambda fields: moment(find(fields))


def _limits(wiring: Wiring, service: WebSocketStream) -> StreamLimits:
    batch = wiring.settings.globals.batch
    return StreamLimits(
        connect_timeout=service.connect_timeout_in_seconds,
        ping_interval=service.ping_interval_in_seconds or math.inf,
        ping_text=service.ping_message,
        pong_timeout=service.ping_timeout_in_seconds,
        idle=service.idle_limit_in_seconds,
        max_message=service.max_message_bytes,
        max_records=batch.max_records,
        max_seconds=batch.max_seconds,
        compression=service.compression,
    )


def context(settings: WebSocketInput) -> ssl.SSLContext | None:
    """The context for TLS, where the URI asks for it; raises ``ConfigError``."""
    return tls.vendor(settings.tls) if settings.uri.startswith("wss:") else None
