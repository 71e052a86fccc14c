"""Connection tests against servers on loopback."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from collector.app.probing import Choice, Prober
from collector.clock import SystemClock
from collector.probe.findings import Finding, Report, Result, Step
from collector.probe.steps import Patience
from collector.probe.verdicts import Trouble
from collector.simulator import Fault, Simulator, SimulatorOptions
from tests.fakes import config
from tests.fakes.pki import Issued, Pki
from tests.fakes.processes import history

OPTIONS: SimulatorOptions = history(6, 60, dict.fromkeys(("alert_burst",), 0), ended=0)
"""A vendor with records in every hour up to now."""
PATIENCE = Patience(step=5.0, total=60.0)


@contextmanager
def standing(*faults: Fault, context: ssl.SSLContext | None = None) -> Iterator[Simulator]:
    """A vendor that stops only when it has taken every connection that was made to it.

    A test connects and hangs up; what a server has not taken yet when it stops is left open.
    """
    with Simulator(OPTIONS, SystemClock(), faults, ssl_context=context) as running:
        yield running
        place = running.url.rpartition("/")[2]
        anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anybody.check_hostname = False
        anybody.verify_mode = ssl.CERT_NONE
        last = HTTPSConnection(place, context=anybody) if context else HTTPConnection(place)
        with closing(last):
            last.request("GET", "/")
            last.getresponse().read()


def casb(base: str, **changed: Any) -> dict[str, Any]:
    """A CASB input with one service; its calls may follow each other at once."""
    return {
        "type": "proofpoint_casb",
        "endpoints": dict.fromkeys(("auth", "alerts", "events"), base),
        "credentials": {
            "api_key": OPTIONS.api_key,
            "client_id": OPTIONS.client_id,
            "client_secret": OPTIONS.client_secret,
        },
        "rate": {"min_interval_in_seconds": 0},
        "proxy": "none",
        "services": {"alerts": {}},
        **changed,
    }


def pod(url: str, **changed: Any) -> dict[str, Any]:
    """A PoD input with one service."""
    return {
        "type": "proofpoint_pod",
        "endpoint": url,
        "credentials": {"cluster_id": OPTIONS.cluster_id, "token": OPTIONS.tokens[0]},
        "proxy": "none",
        "services": {"message": {}},
        **changed,
    }


def document(
    folder: Path, inputs: dict[str, Any] | None = None, outputs: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A configuration whose state and files lie in a folder."""
    state = {"config": {"directory_name": str(folder / "state")}}
    return {
        "globals": {"id": "4711", "name": "acme", "persistence": state},
        "outputs": outputs or {"files": {"type": "file", "config": {"path": str(folder / "out")}}},
        "inputs": inputs or {"casb": casb("http://127.0.0.1:9")},
    }


def probed(document: dict[str, Any], name: str, **choice: Any) -> Report:
    """What the test of one input or output finds."""
    wanted = Choice(**({"patience": PATIENCE} | choice))
    (found,) = Prober(config.settings(document), SystemClock(), wanted).run([name])
    return found


def vendor_probed(
    folder: Path, simulator: Simulator, name: str, changed: dict[str, Any], **choice: Any
) -> Report:
    """What the test of the simulator's ``casb`` or ``pod`` finds."""
    made = casb(simulator.url, **changed) if name == "casb" else pod(simulator.ws_url, **changed)
    return probed(document(folder, {name: made}), name, **choice)


def failure(found: Report) -> Finding:
    """The one step that failed."""
    (failed,) = [each for each in found.findings if each.result is Result.FAILED]
    return failed


def results(found: Report) -> dict[Step, Result]:
    """How the steps of each kind went; the last of a kind counts."""
    return {each.step: each.result for each in found.findings}


def seen(found: Report, step: Step) -> str:
    """What was seen at the last step of a kind."""
    return [each.seen for each in found.findings if each.step is step][-1]


BAD: dict[Trouble, Callable[[Pki], Issued]] = {
    Trouble.TLS_NAME: lambda pki: pki.issue(issuer=pki.ca, names=["other.example.com"]),
    Trouble.TLS_AUTHORITY: lambda pki: pki.issue(),
    Trouble.TLS_DATES: lambda pki: pki.issue(issuer=pki.ca, starts=-9, ends=-1),
}
"""Certificates for another name, of an unknown authority, and expired."""


def secure(issued: Issued) -> ssl.SSLContext:
    """A server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.cert, issued.key)
    return context


def resolving(monkeypatch: pytest.MonkeyPatch, *own: str) -> None:
    """A resolver that asks nobody: ``own`` names are this machine, and ``.invalid`` ones nobody."""
    real: Callable[..., Any] = socket.getaddrinfo

    def known(host: Any, *rest: Any, **options: Any) -> Any:
        if str(host).endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real("127.0.0.1" if host in own else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", known)
