"""Tests of inputs against the simulated vendor, alone and beside a running collector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from collector.app import heartbeat
from collector.app.probing import exit_code
from collector.clock import SystemClock
from collector.core.health import Fault as HealthFault
from collector.core.health import Kind, begun, failed
from collector.core.policy import Usage
from collector.core.times import DAY
from collector.persistence.sqlite import SqliteStore
from collector.probe.findings import Report, Result, Step
from collector.probe.steps import Patience
from collector.probe.verdicts import Trouble
from collector.simulator import Fault, Simulator
from tests.fakes.probing import (
    OPTIONS,
    casb,
    document,
    failure,
    pod,
    probed,
    results,
    seen,
    standing,
    vendor_probed,
)
from tests.fakes.processes import Site, eventually, free_port
from tests.fakes.raw_server import RawServer, answer

SHORT = Patience(step=1.0, total=10.0)
STATUSES = {
    302: Trouble.REDIRECTED,
    400: Trouble.BAD_REQUEST,
    401: Trouble.UNAUTHORIZED,
    403: Trouble.FORBIDDEN,
    404: Trouble.NOT_FOUND,
    409: Trouble.CONFLICT,
    429: Trouble.TOO_MANY,
    503: Trouble.SERVER,
}
EXIT_CODES = {401: 4, 403: 4}

each_status = pytest.mark.parametrize("status", STATUSES)


@pytest.fixture
def vendor() -> Iterator[Simulator]:
    """A vendor without faults."""
    with standing() as running:
        yield running


def faulty(**fault: Any) -> AbstractContextManager[Simulator]:
    """A vendor with one fault."""
    return standing(Fault(**fault))


def state(folder: Path) -> SqliteStore:
    """The state of the configuration under a folder."""
    return SqliteStore.open(folder / "state", SystemClock())


def calls_used(folder: Path) -> int:
    """The calls that stand in the state."""
    with closing(state(folder)) as store:
        return store.usage("casb").calls


def alive(folder: Path) -> None:
    """Leave the state of a collector that runs, with its sign of life."""
    state(folder).close()
    heartbeat.beat(folder / "state", SystemClock().now())


@pytest.mark.parametrize("name", ["casb", "pod"])
def test_all_is_well(tmp_path: Path, vendor: Simulator, name: str) -> None:
    """Every step up to the first answer passes, and the exit code is 0."""
    found = vendor_probed(tmp_path, vendor, name, {})
    assert found.passed
    assert results(found)[Step.ANSWER] is Result.PASSED
    assert exit_code([found]) == 0


@each_status
def test_status_of_the_token_call(tmp_path: Path, status: int) -> None:
    """Each status of CASB's authentication has its row, and no service is called after it."""
    with faulty(service="auth", action="status", status=status) as simulator:
        found = vendor_probed(tmp_path, simulator, "casb", {})
    assert (failure(found).step, failure(found).trouble) == (Step.AUTHENTICATION, STATUSES[status])
    assert exit_code([found]) == EXIT_CODES.get(status, 5)
    assert [call.service for call in simulator.truth.requests] == ["auth"]
    assert results(found)[Step.ANSWER] is Result.NOT_RUN


@each_status
def test_status_of_a_service(tmp_path: Path, status: int) -> None:
    """A service that refuses does not keep the next one from being tested."""
    with faulty(service="alerts", action="status", status=status) as simulator:
        found = vendor_probed(
            tmp_path, simulator, "casb", {"services": {"alerts": {}, "events": {}}}
        )
    assert (failure(found).place, failure(found).trouble) == ("casb#alerts", STATUSES[status])
    assert "casb#events" in [each.place for each in found.findings]


@each_status
def test_status_of_the_handshake(tmp_path: Path, status: int) -> None:
    """Each status of PoD's handshake has its row."""
    with faulty(service="message", action="status", status=status) as simulator:
        found = vendor_probed(tmp_path, simulator, "pod", {})
    assert (failure(found).step, failure(found).trouble) == (Step.AUTHENTICATION, STATUSES[status])
    assert exit_code([found]) == EXIT_CODES.get(status, 5)
    assert results(found)[Step.ANSWER] is Result.NOT_RUN


@pytest.mark.parametrize(("name", "make"), [("casb", casb), ("pod", pod)])
def test_vendor_that_is_not_there(tmp_path: Path, name: str, make: Callable[[str], Any]) -> None:
    """All that follows a refused connection is told as not run, with what failed."""
    scheme = "ws" if name == "pod" else "http"
    inputs = {name: make(f"{scheme}://127.0.0.1:{free_port()}")}
    found = probed(document(tmp_path, inputs), name)
    assert (failure(found).step, failure(found).trouble) == (Step.ADDRESS, Trouble.REFUSED)
    later = [Step.PROXY, Step.TLS, Step.AUTHENTICATION, Step.ANSWER]
    assert [each for each, result in results(found).items() if result is Result.NOT_RUN] == later
    assert seen(found, Step.ANSWER).startswith("because this failed: address of 127.0.0.1:")


@pytest.mark.parametrize("lost", ["auth", "alerts"])
def test_one_host_of_casb_is_not_there(tmp_path: Path, vendor: Simulator, lost: str) -> None:
    """A service behind a host that is away is not run, and the others are; none without a token."""
    endpoints = dict.fromkeys(("auth", "alerts", "events"), vendor.url)
    away = {**endpoints, lost: f"http://127.0.0.1:{free_port()}"}
    services = {"services": {"alerts": {}, "events": {}}, "endpoints": away}
    found = vendor_probed(tmp_path, vendor, "casb", services)
    answers = {each.place: each.result for each in found.findings if each.step is Step.ANSWER}
    others = Result.NOT_RUN if lost == "auth" else Result.PASSED
    assert answers == {"casb#alerts": Result.NOT_RUN, "casb#events": others}


def test_page_for_people(tmp_path: Path) -> None:
    """A page in place of a service's answer is told as such."""
    with faulty(service="alerts", action="html_body") as simulator:
        found = vendor_probed(tmp_path, simulator, "casb", {})
    assert failure(found).trouble is Trouble.UNREADABLE


def test_unanswered_call(tmp_path: Path) -> None:
    """A vendor that takes a call and says nothing is a time-out, for both kinds of input."""
    with RawServer(lambda peer: peer.wait()) as server:
        inputs = {"casb": casb(server.url), "pod": pod(server.ws_url)}
        for name in inputs:
            found = probed(document(tmp_path, inputs), name, patience=Patience(step=0.3))
            assert failure(found).trouble is Trouble.TIMED_OUT
            assert failure(found).step is Step.AUTHENTICATION


def test_unanswered_ping(tmp_path: Path) -> None:
    """A session that stands, but answers no ping, has a row of its own."""
    with faulty(service="message", action="stall") as simulator:
        found = vendor_probed(tmp_path, simulator, "pod", {}, patience=SHORT)
    assert (failure(found).step, failure(found).trouble) == (Step.ANSWER, Trouble.PING)


def test_answered_pings_but_no_record(tmp_path: Path) -> None:
    """A session that stands and gives nothing is a time-out, not a ping's."""

    def serve(peer: Any) -> None:
        peer.upgrade()
        while (frame := peer.frame()) is not None:
            reply = 0x8A if frame[0] == 0x9 else 0x88
            peer.send(bytes([reply, len(frame[1])]), frame[1])

    with RawServer(serve) as server:
        found = probed(document(tmp_path, {"pod": pod(server.ws_url)}), "pod", patience=SHORT)
    assert (failure(found).step, failure(found).trouble) == (Step.ANSWER, Trouble.TIMED_OUT)


@pytest.mark.parametrize("action", ["reset", "eof"])
def test_broken_session(tmp_path: Path, action: str) -> None:
    """A session that breaks off before its first record."""
    with faulty(service="message", action=action) as simulator:
        found = vendor_probed(tmp_path, simulator, "pod", {})
    assert (failure(found).step, failure(found).trouble) == (Step.ANSWER, Trouble.CUT)


def test_empty_hour(tmp_path: Path) -> None:
    """An hour without a record that ends in order proves the connection as well."""
    with faulty(service="message", action="close") as simulator:
        found = vendor_probed(tmp_path, simulator, "pod", {})
    assert "the hour holds no record; the session closed in order" in seen(found, Step.ANSWER)


def test_session_is_finite_and_closed_in_order(tmp_path: Path, vendor: Simulator) -> None:
    """One hour of the archive is asked for, and the session is let go of with a close frame."""
    vendor_probed(tmp_path, vendor, "pod", {"services": {"message": {}, "maillog": {}}})
    asked = [(each.service, each.status, each.mode) for each in vendor.truth.sessions]
    assert asked == [("message", 101, "archive"), ("maillog", 101, "archive")]
    eventually(lambda: [end.code for end in vendor.truth.ends] == [1000, 1000])


def test_second_token_is_tested_too(tmp_path: Path, vendor: Simulator) -> None:
    """Each token gets a session of its own."""
    credentials = {
        "cluster_id": OPTIONS.cluster_id,
        "token": OPTIONS.tokens[0],
        "archive_token": "another-token",
    }
    found = vendor_probed(tmp_path, vendor, "pod", {"credentials": credentials})
    assert failure(found).place == "pod#message (archive_token)"
    assert failure(found).trouble is Trouble.UNAUTHORIZED


def test_live_mode_opens_no_session(tmp_path: Path, vendor: Simulator) -> None:
    """A session might cost the resumed stream; it is opened only when it is asked for."""
    live = {"services": {"message": {"mode": "live"}}}
    found = vendor_probed(tmp_path, vendor, "pod", live)
    assert found.passed
    assert "mode: live" in seen(found, Step.AUTHENTICATION)
    assert vendor.truth.sessions == []
    forced = vendor_probed(tmp_path, vendor, "pod", live, session=True)
    assert results(forced)[Step.ANSWER] is Result.PASSED


def test_calls_are_counted_in_the_state(tmp_path: Path, vendor: Simulator) -> None:
    """A token and a page are two calls of the day's quota."""
    state(tmp_path).close()
    found = vendor_probed(tmp_path, vendor, "casb", {})
    assert calls_used(tmp_path) == 2
    assert "call 2 of today" in seen(found, Step.ANSWER)


def test_calls_beside_a_collector_are_not_counted(tmp_path: Path, vendor: Simulator) -> None:
    """The count is the running collector's own, and the test says that it was not raised."""
    alive(tmp_path)
    found = vendor_probed(tmp_path, vendor, "casb", {})
    assert "not counted against the quota: a collector is running" in seen(found, Step.ANSWER)
    assert calls_used(tmp_path) == 0


def test_used_up_quota(tmp_path: Path, vendor: Simulator) -> None:
    """Nothing is called when the day's calls are used up."""
    today = SystemClock().now() // DAY * DAY
    with closing(state(tmp_path)) as store:
        store.save_usage("casb", Usage(today, 1000, 0))
    found = vendor_probed(tmp_path, vendor, "casb", {})
    assert (failure(found).step, failure(found).trouble) == (Step.AUTHENTICATION, Trouble.QUOTA)
    assert vendor.truth.requests == []


def test_no_calls(tmp_path: Path, vendor: Simulator) -> None:
    """With --no-calls the test ends with TLS."""
    found = vendor_probed(tmp_path, vendor, "casb", {}, calls=False)
    assert found.passed
    assert vendor.truth.requests == []


@pytest.mark.parametrize("sign", ["heartbeat", "lock"])
def test_running_collector_keeps_its_sessions(tmp_path: Path, vendor: Simulator, sign: str) -> None:
    """No session is opened beside a collector that gives signs of life, or owns the state."""
    state(tmp_path).close()
    lock = FileLock(tmp_path / "state" / "collector.lock")
    if sign == "lock":
        lock.acquire()
    else:
        alive(tmp_path)
    found = vendor_probed(tmp_path, vendor, "pod", {})
    lock.release()
    assert found.passed
    assert "a collector is running" in seen(found, Step.AUTHENTICATION)
    assert vendor.truth.sessions == []


def test_reported_error_fails_the_test(tmp_path: Path, vendor: Simulator) -> None:
    """What the running collector says is in the way is told with its cause and remedy."""
    now = SystemClock().now()
    fault = HealthFault(
        kind=Kind.THIRD_PARTY_CONFIG, number=401, cause="the token expired", remedy="get another"
    )
    with closing(state(tmp_path)) as store:
        store.health.save({"pod#message": failed(begun(None, now), "live", fault, now)}, now)
    heartbeat.beat(tmp_path / "state", now)
    found = failure(vendor_probed(tmp_path, vendor, "pod", {}))
    assert (found.step, found.trouble) == (Step.ANSWER, Trouble.REPORTED)
    assert (found.explanation, found.recommendation) == ("the token expired", "get another")


def test_live_session_is_not_disturbed(tmp_path: Path, vendor: Simulator) -> None:
    """Beside a collector that streams, the vendor sees no other session, and no end of its own."""
    streaming = {"pod": pod(vendor.ws_url, services={"message": {"mode": "live"}})}
    written = document(tmp_path, streaming)
    site = Site(tmp_path, written)
    with site.running():
        eventually(lambda: _reported(written))
        before = vendor.truth.sessions
        found = probed(written, "pod")
        assert found.passed
        assert "the running collector reports: collecting" in seen(found, Step.ANSWER)
        assert vendor.truth.sessions == before
        assert [(each.status, each.mode) for each in before] == [(101, "live")]
        assert vendor.truth.ends == []


def _reported(written: dict[str, Any]) -> bool:
    """Whether the collector says by now that it collects."""
    found: Report = probed(written, "pod", session=False)
    answers = [each.seen for each in found.findings if each.step is Step.ANSWER]
    return any("collecting" in each for each in answers)


def test_answers_are_read_as_the_collector_reads_them(tmp_path: Path) -> None:
    """A token answer without a token names the setting that says where it stands."""
    with RawServer(lambda peer: peer.send(answer(b'{"other":"x"}'))) as server:
        found = failure(probed(document(tmp_path, {"casb": casb(server.url)}), "casb"))
    assert "auth_token" in found.explanation
    assert "auth.token_field" in found.recommendation
