"""The steps of a generic stream: up to TLS always, up to a message where that is asked for.

A stream gives what it has once, and maybe to one reader at a time: what a test is given,
the collector is not.  So no session is opened unless the operator says so.
"""

from __future__ import annotations

from functools import partial

from collector.app.probing_inputs import Ground, place, sessions, take_session
from collector.app.websocket import Secrets, context, open_stream
from collector.config.websocket import WebSocketInput, WebSocketStream
from collector.probe.findings import Step
from collector.probe.network import reach
from collector.probe.steps import Failed, Passed, Steps
from collector.probe.verdicts import Trouble
from collector.pullers.websocket_stream import stream_request
from collector.wire.stream import Stream, StreamLimits

_ONCE = (
    "credentials not tried: that takes a session, and a stream gives each record once, so that "
    "what a test hears is lost; --session opens one"
)
_CLOSE_SECONDS = 10.0
_LISTENED = 2.0
"""Real seconds that a test waits for a message; a good stream may be silent for longer."""


def take_websocket(steps: Steps, name: str, settings: WebSocketInput, ground: Ground) -> None:
    """Take the steps of one input; raises ``Ended`` when the server cannot be reached."""
    services = settings.services.enabled()
    with steps.plan(*sessions(name, services)):
        reach(steps, place(settings.uri, settings))
    for field, service in services.items():
        assert isinstance(service, WebSocketStream)  # noqa: S101 - the model says so
        source = f"{name}#{field}"
        if ground.session:
            opened = partial(_opened, settings, service, ground)
            steps.failure(partial(take_session, steps, source, opened, _heard))
        else:
            steps.skip(Step.AUTHENTICATION, source, _ONCE)


def _opened(
    settings: WebSocketInput, service: WebSocketStream, ground: Ground, seconds: float
) -> Passed[Stream]:
    limits = StreamLimits(
        connect_timeout=seconds,
        close_timeout=min(seconds, _CLOSE_SECONDS),
        max_message=service.max_message_bytes,
        compression=service.compression,
    )
    secrets = Secrets(settings.credentials, service.initial_message)
    request = stream_request(settings.uri)
    stream = open_stream(
        settings, service, secrets, request, limits, context(settings), ground.clock
    )
    return Passed(stream, "a session")


def _heard(stream: Stream, seconds: float) -> Passed[None]:
    """Whether a message came, which need not be; raises ``Failed`` when the session ended."""
    if stream.hears(min(seconds, _LISTENED)):
        return Passed(None, "a message came")
    if not stream.lasts:
        raise Failed(Trouble.CUT, f"the session {stream.ended}")
    return Passed(None, "the session stands; no message has come yet")
