"""The simulator's PoD endpoint, over loopback, against docs/vendor-notes.md, PoD 1 to 9."""

from __future__ import annotations

import array
import fcntl
import gc
import socket
import ssl
import struct
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import pytest
import requests
import trustme
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from collector.core.model import Micros
from collector.core.times import HOUR, isoformat, parse
from collector.simulator import Fault, Simulator, SimulatorOptions, identity
from tests.fakes.clock import ManualClock
from tests.fakes.processes import eventually
from tests.fakes.vendor import START, drain, open_stream, quiet_options, take

Vendor = tuple[Simulator, ManualClock]

HOUR_2 = {
    "sinceTime": "2026-01-01T02:00:00.000+0000",
    "toTime": "2026-01-01T03:00:00.000+0000",
}


@contextmanager
def vendor(
    options: SimulatorOptions | None = None, *faults: Fault, at: float = 4.0
) -> Iterator[Vendor]:
    """A vendor, ``at`` hours into its history."""
    clock = ManualClock(START + round(at * HOUR))
    with Simulator(options or quiet_options(), clock, faults) as simulator:
        yield simulator, clock


def identities(service: str, raws: list[bytes]) -> list[str]:
    """Who the records are, in the order they came."""
    return [identity(service, msgspec.json.decode(raw)) for raw in raws]


def archive(
    simulator: Simulator, service: str = "message", **query: str
) -> tuple[list[bytes], int | None]:
    """A whole archive session."""
    with open_stream(simulator.ws_url, service, **(query or HOUR_2)) as session:
        return drain(session)


def truth_of(simulator: Simulator, service: str, start: Micros, end: Micros) -> set[str]:
    """The records dated in a span, all of which have appeared."""
    emitted = simulator.truth.emitted
    return emitted(service, since=start) - emitted(service, since=end)


def open_and_close(url: str, service: str, **query: str) -> None:
    """A session and its orderly end; raises ``InvalidStatus`` when it is refused."""
    with open_stream(url, service, **query):
        pass


def await_end(simulator: Simulator) -> None:
    """Return when the vendor has noted that the first session ended, and when."""
    eventually(lambda: simulator.truth.ends)


def address_of(simulator: Simulator) -> tuple[str, int]:
    """Where the vendor listens."""
    host, port = simulator.url.removeprefix("http://").split(":")
    return host, int(port)


def raw_session(simulator: Simulator, service: bytes = b"audit") -> socket.socket:
    """A bare socket that asked for a session with the manual's example key."""
    raw = socket.create_connection(address_of(simulator), timeout=5)
    raw.sendall(
        b"GET /v1/stream?cid=example_hosted&type=" + service + b" HTTP/1.1\r\nHost: h\r\n"
        b"Authorization: Bearer simulated-token\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: SGVsbG8sIHdvcmxkIQ==\r\n\r\n"
    )
    return raw


def status_of(open_it: Callable[[], object]) -> int:
    """The status with which a handshake is refused."""
    with pytest.raises(InvalidStatus) as refused:
        open_it()
    return refused.value.response.status_code


# The handshake


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"cid": ""}, 400),
        ({"type": "sendmail"}, 400),
        ({"type": ""}, 400),
        ({"sinceTime": "yesterday"}, 400),
        ({"sinceTime": "2025-11-01T00:00:00Z"}, 400),
        ({"sinceTime": "2026-01-01T02:00:00Z", "toTime": "2026-01-01T01:00:00Z"}, 400),
        ({"toTime": "2026-01-01T01:00:00Z"}, 400),
        ({"cid": "other_hosted"}, 401),
        ({"token": "wrong"}, 401),
        ({"token": "wrong", "sinceTime": "yesterday"}, 400),
    ],
)
def test_handshake_table(query: dict[str, str], status: int) -> None:
    """Refused before the upgrade, in the order of docs/vendor-notes.md, PoD 9, and logged."""
    with vendor() as (simulator, _):
        service = query.get("type", "message")
        rest = {name: value for name, value in query.items() if name != "type"}
        assert status_of(lambda: open_and_close(simulator.ws_url, service, **rest)) == status
        assert [session.status for session in simulator.truth.sessions] == [status]


def test_not_get_and_not_websocket() -> None:
    """Another method is 405, another path or no upgrade 404."""
    with vendor() as (simulator, _):
        assert requests.post(f"{simulator.url}/v1/stream", timeout=5).status_code == 405
        assert requests.get(f"{simulator.url}/v1/stream", timeout=5).status_code == 404
        assert requests.get(f"{simulator.url}/v1/nothing", timeout=5).status_code == 404


def test_key_of_any_length_is_accepted() -> None:
    """The manual's own example key has 13 bytes."""
    with vendor() as (simulator, _), raw_session(simulator) as raw:
        assert raw.recv(1000).startswith(b"HTTP/1.1 101 ")


def test_second_session_of_a_type_is_409_verbatim() -> None:
    """One session per token and type; other types and other tokens are free."""
    with (
        vendor(quiet_options(tokens=("simulated-token", "second"))) as (simulator, _),
        open_stream(simulator.ws_url, "message"),
    ):
        with pytest.raises(InvalidStatus) as refused:
            open_and_close(simulator.ws_url, "message", **HOUR_2)
        answer = refused.value.response
        assert answer.status_code == 409
        assert answer.body == b"Exceeded maximum number of sessions per token\r\n"
        assert answer.headers["Content-Type"] == "text/plain;charset=iso-8859-1"
        assert answer.headers["Content-Length"] == "47"
        open_and_close(simulator.ws_url, "maillog")
        open_and_close(simulator.ws_url, "message", token="second")


def test_archive_may_have_a_slot_of_its_own() -> None:
    """The contrary hint of docs/vendor-notes.md, PoD 3, as an option."""
    options = quiet_options(archive_shares_session=False)
    with vendor(options) as (simulator, _), open_stream(simulator.ws_url, "message"):
        assert archive(simulator)[1] == 1000


def reconnected(simulator: Simulator) -> bool:
    """Whether a session can be had within some tries."""
    for _ in range(100):
        try:
            open_and_close(simulator.ws_url, "audit")
        except InvalidStatus:
            continue
        return True
    return False


def test_closed_and_ended_sessions_are_released_at_once() -> None:
    """After a close frame, and after an end of TCP without one."""
    with vendor(quiet_options(dead_session_seconds=1e6)) as (simulator, _):
        open_and_close(simulator.ws_url, "audit")
        assert reconnected(simulator)
        with open_stream(simulator.ws_url, "audit") as session:
            take(session, 5)
            session.socket.shutdown(socket.SHUT_WR)
            drain(session)
        assert reconnected(simulator)
        assert simulator.truth.ends[0].code == 1000


def test_reset_session_is_held_for_a_while() -> None:
    """409 until dead_session_seconds have passed on the clock."""
    with vendor() as (simulator, clock):
        with raw_session(simulator) as raw:
            raw.recv(1000)
            linger = struct.pack("ii", 1, 0)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        await_end(simulator)
        assert status_of(lambda: open_and_close(simulator.ws_url, "audit")) == 409
        clock.advance(46)
        assert reconnected(simulator)


# Archive


def test_archive_hour_is_complete_and_closed_normally() -> None:
    """Exactly the records dated in the hour, unsorted, then close 1000."""
    with vendor() as (simulator, _):
        raws, code = archive(simulator)
        found = identities("message", raws)
        assert code == 1000
        assert len(found) == len(set(found)) == 600
        expected = truth_of(simulator, "message", START + 2 * HOUR, START + 3 * HOUR)
        assert set(found) == expected
        times = [parse(msgspec.json.decode(raw)["ts"]) for raw in raws]
        assert times != sorted(times)


def test_archive_times_are_rounded_to_whole_hours() -> None:
    """Five minutes asked for is the whole hour given; every spelling is read."""
    with vendor() as (simulator, _):
        whole = sorted(identities("message", archive(simulator)[0]))
        for since, to in (
            ("2026-01-01T02:05:00.000000", "2026-01-01T02:10:00.000000"),
            ("2026-01-01T02:05:00 0000", "2026-01-01T02:10:00+0000"),
            ("2026-01-01T02:05:00.000-0000", "2026-01-01T02:10:00.000-0000"),
            ("2025-12-31T22:05:00-0400", "2025-12-31T22:10:00-0400"),
        ):
            raws, code = archive(simulator, sinceTime=since, toTime=to)
            assert code == 1000
            assert sorted(identities("message", raws)) == whole


def test_archive_holds_nothing_younger_than_its_delay() -> None:
    """A window up to now is incomplete; later it is whole."""
    with vendor() as (simulator, clock):
        last_hour = {
            "sinceTime": isoformat(START + 3 * HOUR),
            "toTime": isoformat(START + 4 * HOUR),
        }
        early = identities("message", archive(simulator, **last_hour)[0])
        assert 250 < len(early) < 350
        clock.advance(1900)
        assert len(archive(simulator, **last_hour)[0]) == 600


def test_archive_without_an_end_goes_up_to_now_and_closes() -> None:
    """``sinceTime`` alone is archive mode, not live."""
    with vendor() as (simulator, _):
        raws, code = archive(simulator, sinceTime=isoformat(START))
        assert code == 1000
        assert 2050 < len(raws) < 2150


def test_late_records_show_on_the_second_read_only() -> None:
    """Some records reach their hour long after the others."""
    options = quiet_options(late_archive_rate=0.2, late_archive_seconds=7200)
    with vendor(options) as (simulator, clock):
        first = identities("message", archive(simulator)[0])
        clock.advance(7200)
        second = identities("message", archive(simulator)[0])
        assert set(first) < set(second)
        assert len(second) == 600


def test_archive_repeats_records() -> None:
    """The duplicate rate of the archive is its own."""
    with vendor(quiet_options(archive_duplicate_rate=0.1)) as (simulator, _):
        found = identities("message", archive(simulator)[0])
        assert len(set(found)) == 600
        assert 630 < len(found) < 700


def test_archive_rate_paces_by_the_clock() -> None:
    """No more comes than the rate allows until the clock moves on."""
    with (
        vendor(quiet_options(archive_rate=10.0)) as (simulator, clock),
        open_stream(simulator.ws_url, "message", **HOUR_2) as session,
    ):
        take(session, 50)
        with pytest.raises(TimeoutError):
            session.recv(timeout=0.2)
        clock.advance(5)
        take(session, 50)
        with pytest.raises(TimeoutError):
            session.recv(timeout=0.2)


# Live


def test_first_live_session_starts_an_hour_back_and_goes_on() -> None:
    """Records of the last hour, then new ones as the clock passes them."""
    with vendor() as (simulator, clock):
        seen = simulator.truth.emitted("message")
        old = simulator.truth.emitted("message", before=clock.now() - HOUR - 1)
        with open_stream(simulator.ws_url, "message") as session:
            first = identities("message", take(session, len(seen - old)))
            assert set(first) == seen - old
            clock.advance(60)
            new = simulator.truth.emitted("message") - seen
            assert new
            assert set(identities("message", take(session, len(new)))) == new


def test_live_times_are_unsorted() -> None:
    """Records come in the order of completion."""
    with vendor() as (simulator, _), open_stream(simulator.ws_url, "message") as session:
        times = [parse(msgspec.json.decode(raw)["ts"]) for raw in take(session, 500)]
        assert times != sorted(times)


def test_live_resumes_within_the_hour_with_an_overlap() -> None:
    """What appeared meanwhile comes, and the last five records once more."""
    with vendor() as (simulator, clock):
        with open_stream(simulator.ws_url, "message") as session:
            first = identities("message", take(session, 600))
        await_end(simulator)
        seen = simulator.truth.emitted("message")
        clock.advance(1800)
        missed = simulator.truth.emitted("message") - seen
        with open_stream(simulator.ws_url, "message") as session:
            second = identities("message", take(session, 5 + len(missed)))
        assert second[:5] == first[-5:]
        assert set(second[5:]) == missed


def test_live_forgets_after_an_hour() -> None:
    """A longer outage leaves a gap that only the archive can fill."""
    with vendor() as (simulator, clock):
        with open_stream(simulator.ws_url, "message") as session:
            take(session, 600)
        await_end(simulator)
        clock.advance(5400)
        start = clock.now() - HOUR
        expected = simulator.truth.emitted("message")
        expected -= simulator.truth.emitted("message", before=start - 1)
        with open_stream(simulator.ws_url, "message") as session:
            assert set(identities("message", take(session, len(expected)))) == expected


def test_silent_client_is_closed_after_the_idle_limit() -> None:
    """A ping keeps the session; silence ends it."""
    with vendor() as (simulator, clock), open_stream(simulator.ws_url, "audit") as session:
        take(session, 60)
        clock.advance(200)
        session.ping().wait(5)
        clock.advance(200)
        session.ping().wait(5)
        clock.advance(301)
        assert drain(session)[1] == 1000


def test_live_duplicates() -> None:
    """Now and then a record comes twice."""
    with (
        vendor(quiet_options(duplicate_rate=0.2)) as (simulator, _),
        open_stream(simulator.ws_url, "message") as session,
    ):
        found = identities("message", take(session, 500))
        assert 350 < len(set(found)) < 480


# Frames


def test_frames_of_every_kind() -> None:
    """Binary, fragmented, empty messages and line ends; the records are the same."""
    options = quiet_options(
        binary_frames=True, trailing_newline=True, fragmented_rate=0.5, empty_message_rate=0.2
    )
    with vendor(options) as (simulator, _):
        raws, code = archive(simulator)
        assert code == 1000
        records = [raw for raw in raws if raw]
        assert len(raws) > len(records) == 600
        assert all(raw.endswith(b"}\n") for raw in records)
        assert len(set(identities("message", records))) == 600


@pytest.mark.parametrize("compression", ["deflate", None])
def test_deflate_is_taken_when_offered_and_not_needed(compression: str | None) -> None:
    """The same records come either way, fragmented and huge ones too."""
    options = quiet_options(huge_record_rate=0.01, fragmented_rate=0.2)
    with vendor(options) as (simulator, _):
        query = "cid=example_hosted&type=message&sinceTime=2026-01-01T02:00:00Z"
        with connect(
            f"{simulator.ws_url}?{query}&toTime=2026-01-01T03:00:00Z",
            additional_headers={"Authorization": "Bearer simulated-token"},
            compression=compression,
            max_size=None,
        ) as session:
            answer = session.response
            offered = answer is not None and "Sec-WebSocket-Extensions" in answer.headers
            raws, code = drain(session)
        assert offered is (compression is not None)
        assert code == 1000
        assert len(set(identities("message", raws))) == 600
        assert max(map(len, raws)) > 1024 * 1024


def test_text_frames_may_not_be_utf8() -> None:
    """A strict client would fail here for ever; the bytes do come."""
    with vendor(quiet_options(invalid_utf8_rate=0.1)) as (simulator, _):
        broken = [raw for raw in archive(simulator)[0] if b"\xff\xfe" in raw]
        assert broken


# Faults


def test_reset_during_live_holds_the_session() -> None:
    """TCP reset after so many records; 409 until the vendor notices."""
    fault = Fault(service="message", action="reset", mode="live", after_records=100)
    with vendor(None, fault) as (simulator, clock):
        with open_stream(simulator.ws_url, "message") as session:
            assert drain(session)[1] is None
        await_end(simulator)
        assert status_of(lambda: open_and_close(simulator.ws_url, "message")) == 409
        clock.advance(46)
        open_and_close(simulator.ws_url, "message")
        assert simulator.truth.ends[0].records == 100


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(service="message", action="eof", after_records=100), None),
        (Fault(service="message", action="close", close_code=1011, after_records=100), 1011),
        (Fault(service="message", action="close", mode="archive", after_records=100), 1000),
    ],
)
def test_archive_cut_short(fault: Fault, code: int | None) -> None:
    """After exactly so many records; the next session is whole, and possible at once."""
    with vendor(None, fault) as (simulator, _):
        raws, found = archive(simulator)
        assert (len(raws), found) == (100, code)
        assert len(archive(simulator)[0]) == 600


def test_stall_is_silence_without_a_pong() -> None:
    """Records stop, pings are not answered, and all goes on when the time is over."""
    fault = Fault(service="message", action="stall", after_records=100, seconds=600)
    with (
        vendor(None, fault) as (simulator, clock),
        open_stream(simulator.ws_url, "message", **HOUR_2) as session,
    ):
        take(session, 100)
        with pytest.raises(TimeoutError):
            session.recv(timeout=0.1)
        assert not session.ping().wait(0.1)
        clock.advance(600)
        assert len(drain(session)[0]) == 500


def test_handshake_faults_come_before_the_upgrade() -> None:
    """A burst of refusals with a status and Retry-After, then a session."""
    faults = (
        Fault(service="audit", action="status", status=409, count=2),
        Fault(service="audit", action="status", status=429, retry_after=9, nth=3),
    )
    with vendor(None, *faults) as (simulator, _):
        refused = [status_of(lambda: open_and_close(simulator.ws_url, "audit")) for _ in range(3)]
        assert refused == [409, 409, 429]
        open_and_close(simulator.ws_url, "audit")
        assert [session.status for session in simulator.truth.sessions] == [409, 409, 429, 101]


# The server


def test_tls() -> None:
    """With a certificate the same port speaks https and wss."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    clock = ManualClock(START + 4 * HOUR)
    with Simulator(quiet_options(), clock, ssl_context=server) as simulator:
        assert simulator.url.startswith("https://")
        with connect(
            f"{simulator.ws_url}?cid=example_hosted&type=audit",
            additional_headers={"Authorization": "Bearer simulated-token"},
            ssl=client,
        ) as session:
            assert len(take(session, 60)) == 60


def test_stop_ends_open_sessions_and_frees_the_port() -> None:
    """A stopped simulator can be replaced by another on the same port, with the same records."""
    clock = ManualClock(START + 4 * HOUR)
    first = Simulator(quiet_options(), clock)
    first.start()
    with open_stream(first.ws_url, "audit") as session:
        before = take(session, 60)
        first.stop()
        drain(session)
    port = int(first.url.rpartition(":")[2])
    with Simulator(quiet_options(), clock, port=port) as second:
        assert second.url == first.url
        with open_stream(second.ws_url, "audit") as again:
            assert take(again, 60) == before


def test_taken_port_is_an_error_at_start() -> None:
    """Start raises instead of leaving a dead thread."""
    clock = ManualClock(START)
    with Simulator(quiet_options(hours=1), clock) as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(OSError, match=r"address"):
            Simulator(quiet_options(hours=1), clock, port=port).start()


@pytest.mark.parametrize(("limit", "dropped"), [(64 * 1024, True), (None, False)])
def test_slow_consumer(limit: int | None, *, dropped: bool) -> None:
    """A client that reads nothing is dropped above the backlog limit, else held back."""
    rates = {"message": 20_000.0}
    options = quiet_options(rates=rates, backlog_limit_bytes=limit, live_memory_seconds=3600.0)
    with vendor(options) as (simulator, clock):
        raw = raw_session(simulator, b"message")
        try:
            eventually(lambda: bool(simulator.truth.sessions))
            clock.advance(600)
            if dropped:
                eventually(lambda: bool(simulator.truth.ends))
                with pytest.raises(ConnectionResetError):
                    read_all(raw)
            else:
                assert simulator.truth.ends == []
                assert read_some(raw) > 1_000_000
        finally:
            raw.close()


def read_all(raw: socket.socket) -> None:
    """Read to the end."""
    while raw.recv(65536):
        pass


def read_some(raw: socket.socket) -> int:
    """Read two million bytes or to the end; how many came."""
    came = 0
    while came < 2_000_000 and (part := raw.recv(65536)):
        came += len(part)
    return came


class WatchedClock(ManualClock):
    """Counts how often the simulator, while it waits, has looked at the time."""

    looks = 0

    def real(self, seconds: float) -> float:
        """Count; between two looks the simulator's loop has heard its sockets."""
        self.looks += 1
        return super().real(seconds)


def test_client_that_leaves_during_a_slow_handshake(caplog: pytest.LogCaptureFixture) -> None:
    """No stack trace; the session is noted with its end, and held like one that was reset."""
    clock = WatchedClock(START + 4 * HOUR)
    fault = Fault(service="audit", action="slow", seconds=30)
    with Simulator(quiet_options(), clock, [fault]) as simulator:
        with raw_session(simulator):
            eventually(lambda: clock.looks)
        seen = clock.looks
        eventually(lambda: clock.looks > seen + 2)
        clock.advance(31)
        await_end(simulator)
        assert [session.status for session in simulator.truth.sessions] == [101]
        assert simulator.truth.ends[0].records == 0
        assert status_of(lambda: open_and_close(simulator.ws_url, "audit")) == 409
    assert caplog.records == []


def test_who_does_not_read_leaves_no_connection_behind() -> None:
    """The vendor that stops lets go of what it could not write, and of the socket."""
    rates = {**quiet_options().rates, "message": 20_000}
    with vendor(quiet_options(rates=rates)) as (simulator, _clock):
        session = raw_session(simulator, b"message&sinceTime=2026-01-01T02:00:00.000%2B0000")
        assert session.recv(1)
        eventually(lambda: waiting(session) > 100_000)
    with session:
        del simulator
        gc.collect()  # a connection that nobody closed would be told here, and is an error


def test_who_connects_at_the_end_leaves_no_connection_behind() -> None:
    """The vendor that stops lets go of those too whom it had just let in."""
    with vendor(quiet_options()) as (simulator, _clock):
        for _ in range(10):
            callers = [socket.create_connection(address_of(simulator)) for _ in range(20)]
            simulator.stop()
            for caller in callers:
                caller.close()
            simulator.start()
        del simulator
    gc.collect()  # a connection that nobody closed would be told here, and is an error


def waiting(session: socket.socket) -> int:
    """The bytes that have come and nobody has read."""
    count = array.array("i", [0])
    fcntl.ioctl(session.fileno(), termios.FIONREAD, count)
    return count[0]
