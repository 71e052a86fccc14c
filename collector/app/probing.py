"""``collector test``: inputs and outputs, one after the other, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import msgspec

from collector import logs
from collector.app.outcome import Outcome
from collector.app.outputs import sender
from collector.app.probing_beside import alone, is_running
from collector.app.probing_casb import take_casb
from collector.app.probing_inputs import Ground
from collector.app.probing_inputs import explain as explain_input
from collector.app.probing_outputs import explain as explain_output
from collector.app.probing_outputs import take_output
from collector.app.probing_pod import take_pod
from collector.app.probing_websocket import take_websocket
from collector.config.casb import CasbInput
from collector.config.models import Settings
from collector.config.names import unknown
from collector.config.outputs import ConsoleOutput, FileOutput, Output
from collector.config.pod import PodInput
from collector.config.secured import secrets_of
from collector.config.websocket import WebSocketInput
from collector.core import times
from collector.core.model import Clock, Frozen, SpooledBatch
from collector.errors import (
    AuthenticationError,
    CollectorError,
    ConfigError,
    Undelivered,
    VendorUnavailable,
)
from collector.logs import component_logger
from collector.probe.findings import Finding, Report, Subject
from collector.probe.products import table
from collector.probe.steps import Patience, Steps
from collector.probe.verdicts import Side, Trouble
from collector.redaction import Redactor

_DENIED = frozenset({Trouble.UNAUTHORIZED, Trouble.FORBIDDEN})


class Choice(Frozen, frozen=True):
    """How far a test goes.

    ``calls``: ask CASB.  ``session``: open PoD sessions even beside a running collector.
    ``probe``: send a record through outputs; None: through those that take internal ones.
    """

    patience: Patience = Patience()
    calls: bool = True
    session: bool = False
    probe: bool | None = None


class Prober:
    """Tests the connections of one configuration.

    ``tell`` hears of each step when it begins and when it has ended.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        choice: Choice,
        tell: Callable[[Subject, Finding], None] = lambda _subject, _finding: None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._choice = choice
        self._tell = tell
        self._redactor = Redactor(_secrets(settings))

    def run(self, names: Sequence[str] = ()) -> list[Report]:
        """Test the inputs and outputs of these names, or all that are enabled.

        Raises ``ConfigError`` for a name that is not configured, and ``StateError``
        when another test is running over the same state.
        """
        subjects = chosen(self._settings, names)
        until = self._clock.monotonic() + self._choice.patience.total
        with alone(self._settings.state_folder):
            return [self._tested(subject, until) for subject in subjects]

    def _tested(self, subject: Subject, until: float) -> Report:
        incoming = subject.kind == Side.VENDOR
        rows = table(Side(subject.kind), subject.type)
        steps = Steps(
            rows,
            self._choice.patience,
            until,
            self._clock,
            explain=explain_input if incoming else partial(explain_output, rows),
            tell=partial(self._tell, subject),
            clean=self._redactor.redact,
        )
        steps.failure(partial(self._input if incoming else self._output, steps, subject.name))
        return Report(subject=subject, findings=tuple(steps.findings))

    def _input(self, steps: Steps, name: str) -> None:
        match self._settings.inputs[name]:
            case CasbInput() as casb:
                take_casb(steps, name, casb, self._ground())
            case PodInput() as pod:
                take_pod(steps, name, pod, self._ground())
            case WebSocketInput() as websocket:
                take_websocket(steps, name, websocket, self._ground())

    def _ground(self) -> Ground:
        where = self._settings.state_folder
        return Ground(
            clock=self._clock,
            folder=where,
            running=is_running(where, self._clock),
            calls=self._choice.calls,
            session=self._choice.session,
            learn=self._learn,
        )

    def _output(self, steps: Steps, name: str) -> None:
        output = self._settings.outputs[name]
        log = component_logger("OutputProcess", f"ConnectionTest({output.type},{name})")
        take_output(
            steps, name, output, self._record(output), lambda: sender(output, self._clock, log)
        )

    def _record(self, output: Output) -> SpooledBatch | str:
        """What is sent to an output, or why nothing is."""
        if isinstance(output, ConsoleOutput):
            return "the standard output needs no test"
        if self._choice.probe is False:
            return "--no-probe"
        if self._choice.probe is None and not output.internal:
            return "internal: false; --probe sends a record all the same"
        tag = self._settings.globals.internal_tag
        # A running collector has the file of the internal tag, and counts its bytes.
        return self._batch(f"{tag}.test" if isinstance(output, FileOutput) else tag)

    def _batch(self, tag: str) -> SpooledBatch:
        """One internal record that says what it is."""
        now = self._clock.now()
        record = {
            "type": "connection_test",
            "time": times.isoformat(now),
            "collector_id": self._settings.globals.id,
            "collector_name": self._settings.globals.name,
            "message": "a test of this output, made by `collector test`; it holds no log data",
        }
        return SpooledBatch(
            id=0,
            uid=f"test-{uuid4().hex}",
            source="collector",
            tag=tag,
            lane="internal",
            mode="test",
            count=1,
            body=msgspec.json.encode(record) + b"\n",
            first=now,
            last=now,
        )

    def _learn(self, token: str) -> None:
        self._redactor.learn(token)
        logs.learn(token)


def chosen(settings: Settings, names: Sequence[str]) -> list[Subject]:
    """The subjects of these names, or all that are enabled; raises ``ConfigError``."""
    inputs = {
        name: Subject(kind=Side.VENDOR, name=name, type=each.type)
        for name, each in settings.inputs.items()
        if each.enabled or name in names
    }
    outputs = {
        name: Subject(kind=Side.DESTINATION, name=name, type=each.type)
        for name, each in settings.outputs.items()
    }
    strange = sorted(set(names) - set(inputs) - set(outputs))
    if strange:
        known: dict[str, Iterable[str]] = {"inputs": settings.inputs, "outputs": outputs}
        raise unknown("input or output", strange, known)
    subjects = [*inputs.values(), *outputs.values()]
    return [each for each in subjects if not names or each.name in names]


def exit_code(tested: Sequence[Report]) -> int:
    """The one number for all of it (``app.outcome``); 0 only when all passed."""
    outcome = Outcome()
    for each in tested:
        name = f"{each.subject.kind} {each.subject.name}"
        if each.trouble is not None:
            outcome.failed(name, _error(each.subject, each.trouble))
        elif each.cut_short:
            outcome.interrupted()
        else:
            outcome.succeeded(name)
    return outcome.exit_code()


def _error(subject: Subject, failed: Finding) -> CollectorError:
    """The failure as the error that a run would end with."""
    what = (0, failed.explanation, failed.recommendation)
    if subject.kind == Side.DESTINATION:
        return Undelivered(*what)
    if failed.trouble is Trouble.FILES:
        return ConfigError(*what)
    return AuthenticationError(*what) if failed.trouble in _DENIED else VendorUnavailable(*what)


def _secrets(settings: Settings) -> list[str]:
    """All secrets; of a URL that is one, the parts too by which an answer may name it."""
    secrets = secrets_of(settings)
    urls = [urlsplit(each) for each in secrets if each.startswith(("http://", "https://"))]
    parts = [(url.path, url.path.rpartition("/")[2], url.query) for url in urls]
    values = [value for url in urls for _, value in parse_qsl(url.query)]
    return [each for each in (*secrets, *chain.from_iterable(parts), *values) if each]
