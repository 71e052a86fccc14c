"""The steps of a PoD cluster: up to TLS always, up to a record where that disturbs nobody.

The vendor gives a token one session of each type (docs/vendor-notes.md, PoD 3), and
resumes a live stream where the token's last session ended (PoD 2).  So no session
is opened beside a running collector, nor for ``mode: live``, which could not fetch from
the archive what the vendor then no longer resumes.  A session that is opened asks for
one hour of the archive, which ends by itself.
"""

from __future__ import annotations

from functools import partial

from pydantic import SecretStr

from collector.app import tls
from collector.app.probing_beside import report
from collector.app.probing_inputs import Ground, place, sessions, take_session
from collector.app.services import micros
from collector.config.pod import PodInput, PodService
from collector.core import times
from collector.core.flatten import flattener
from collector.core.model import Clock, Micros, Window
from collector.core.times import HOUR, floor_hour
from collector.probe.findings import Step
from collector.probe.network import reach
from collector.probe.steps import Failed, Passed, Steps
from collector.probe.verdicts import Trouble
from collector.pullers.pod import PodSettings, archive_request
from collector.setup.pod import PodSetup
from collector.wire.inbox import End
from collector.wire.stream import Stream, StreamLimits
from collector.wire.websocket import WebSocketWire

_FORCE = "--session opens one all the same"
_BESIDE = (
    f"token not tried: a collector is running, and a token has one session of each type; {_FORCE}"
)
_LIVE = (
    "token not tried: mode: live has no archive to ask, and a session might cost the resumed "
    f"stream; {_FORCE}"
)
_READ_SECONDS = 0.5
_CLOSE_SECONDS = 10.0


def take_pod(steps: Steps, name: str, pod: PodInput, ground: Ground) -> None:
    """Take the steps of one input; raises ``Ended`` when the vendor cannot be reached."""
    services = pod.services.enabled()
    with steps.plan(*sessions(name, services)):
        reach(steps, place(pod.endpoint, pod))
    for field, service in services.items():
        assert isinstance(service, PodService)  # noqa: S101 - the model says so
        _Cluster(steps, name, pod, ground).take(field, service)


class _Cluster:
    """The sessions of one cluster, one at a time."""

    def __init__(self, steps: Steps, name: str, pod: PodInput, ground: Ground) -> None:
        self._steps = steps
        self._name = name
        self._pod = pod
        self._ground = ground

    def take(self, field: str, service: PodService) -> None:
        """The steps of one service, as far as they may be taken."""
        source = f"{self._name}#{field}"
        if self._ground.session or not (self._ground.running or service.mode == "live"):
            for name, token in _tokens(self._pod, service).items():
                shown = source if name == "token" else f"{source} ({name})"
                session = partial(self._session, field, service, shown, token)
                self._steps.failure(session)
            return
        why = _BESIDE if self._ground.running else _LIVE
        self._steps.skip(Step.AUTHENTICATION, source, why)
        if self._ground.running:
            self._steps.failure(lambda: self._reported(source))

    def _reported(self, source: str) -> None:
        """What the running collector says, in place of an answer of our own."""

        def ask(_seconds: float) -> Passed[None]:
            told = report(self._ground.folder, source)
            return told or Passed(None, "the running collector does not collect it")

        self._steps.take(Step.ANSWER, source, ask)

    def _session(self, field: str, service: PodService, source: str, token: SecretStr) -> None:
        """Open a session for an hour of the past, wait for what comes first, and close in order."""
        clock = self._ground.clock
        hour = _hour(clock.now(), micros(service.archive_delay_in_seconds))
        opened = partial(self._opened, field, service, hour, token)
        heard = partial(first_answer, clock=clock)
        take_session(self._steps, source, opened, heard)

    def _opened(
        self, field: str, service: PodService, hour: Window, token: SecretStr, seconds: float
    ) -> Passed[Stream]:
        setup = PodSetup(token.get_secret_value())
        request = archive_request(_settings(self._pod, service), field, hour)
        signed = setup.sign(request, setup.grant(None, self._ground.clock.now()))
        stream = self._wire(service, seconds).open(signed)
        return Passed(stream, f"a session for the hour {times.isoformat(hour.start)}")

    def _wire(self, service: PodService, seconds: float) -> WebSocketWire:
        limits = StreamLimits(
            connect_timeout=seconds,
            close_timeout=min(seconds, _CLOSE_SECONDS),
            # So that a ping that nobody answers is noticed before the time is over.
            ping_interval=seconds / 3,
            pong_timeout=seconds / 4,
            idle=0.0,
            max_message=service.max_message_bytes,
            max_records=1,
            max_seconds=min(seconds / 4, _READ_SECONDS),
            compression=service.compression,
        )
        secure = self._pod.endpoint.startswith("wss:")
        return WebSocketWire(
            limits,
            self._ground.clock,
            tls.vendor(self._pod.tls) if secure else None,
            tls.proxy(self._pod.proxy),
            allow_private=self._pod.allow_private_addresses,
        )


def first_answer(stream: Stream, seconds: float, clock: Clock) -> Passed[None]:
    """What came first: a record, or an orderly end of an empty hour; raises ``Failed``."""
    until = clock.monotonic() + seconds
    records: list[bytes] = []
    while stream.lasts and not records and clock.monotonic() < until:
        records = stream.read()
    ended = stream.end
    if ended is None:
        stream.finish()
    if records:
        return Passed(None, f"a record of {len(records[0])} bytes; the session {stream.ended}")
    if ended is End.CLEAN:
        return Passed(None, f"the hour holds no record; the session {stream.ended}")
    if ended is None:
        raise Failed(Trouble.TIMED_OUT, "pings are answered, but neither a record nor an end came")
    trouble = Trouble.PING if ended is End.SILENT else Trouble.CUT
    raise Failed(trouble, f"the session {stream.ended}")


def _tokens(pod: PodInput, service: PodService) -> dict[str, SecretStr]:
    """The tokens that a service uses, by the names of their settings."""
    credentials = pod.credentials
    second = credentials.archive_token
    if second is None or service.mode == "live":
        return {"token": credentials.token}
    if service.mode == "archive":
        return {"archive_token": second}
    return {"token": credentials.token, "archive_token": second}


def _hour(now: Micros, delay: Micros) -> Window:
    """The last hour that the archive has for certain."""
    end = floor_hour(now - delay)
    return Window(end - HOUR, end)


def _settings(pod: PodInput, service: PodService) -> PodSettings:
    return PodSettings(
        url=pod.endpoint,
        cluster_id=pod.credentials.cluster_id,
        tag="",
        records=flattener("none", ""),
        mode=service.mode,
    )
