"""SIGTERM: persist, say goodbye to the vendor, and exit; a second one exits at once."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from collector.clock import SystemClock
from collector.core.times import isoformat
from collector.demo.judge import judge
from collector.simulator import Fault, Simulator, SimulatorOptions
from tests.fakes.forks import Process
from tests.fakes.processes import (
    ROOT,
    Site,
    document,
    eventually,
    heeding_ctrl_c,
    history,
    unfinished,
)

LIMIT = 10.0
"""Real seconds; generous, for a busy machine: what is promised is two."""

STREAMS = {"message", "maillog", "audit"}


def up_to_now(**changed: Any) -> SimulatorOptions:
    """A vendor whose records go on while the test runs."""
    return history(2, 400, ended=0, **changed)


def live(site: Site) -> Site:
    """The same site, with the PoD services on the live stream alone."""
    for service in site.document["inputs"]["pod"]["services"].values():
        service["mode"] = "live"
    return site


def opened(simulator: Simulator) -> set[str]:
    """The services that have had a live session."""
    accepted = [each for each in simulator.truth.sessions if each.status == 101]
    return {each.service for each in accepted if each.mode == "live"}


def ended_by_another(process: Process) -> bool:
    """Send one more SIGTERM; whether it has ended the process."""
    process.terminate()
    return process.poll() is not None


def test_stop_closes_the_sessions(tmp_path: Path) -> None:
    """Exit 0, every live session ended by a close frame (1000), and no service is left behind."""
    options = up_to_now()
    with Simulator(options, SystemClock()) as simulator:
        site = live(Site(tmp_path, document(tmp_path, simulator, options)))
        with site.running() as process:
            eventually(lambda: opened(simulator) == STREAMS)
            process.terminate()
            assert process.wait(LIMIT) == 0, site.log
        eventually(lambda: len(simulator.truth.ends) == len(STREAMS))
        assert {each.service: each.code for each in simulator.truth.ends} == dict.fromkeys(
            STREAMS, 1000
        )
    assert {each.source for each in site.report().services} >= {f"pod#{name}" for name in STREAMS}
    assert not (site.state / "heartbeat").exists()


def test_stop_while_the_vendor_hangs(tmp_path: Path) -> None:
    """A call that is not answered and a stream that stalls do not hold the exit up."""
    options = up_to_now()
    faults = [
        Fault(service="alerts", action="slow", seconds=600, count=100),
        Fault(service="message", action="stall", seconds=600, count=100),
    ]
    with Simulator(options, SystemClock(), faults) as simulator:
        site = live(Site(tmp_path, document(tmp_path, simulator, options)))
        with site.running() as process:
            eventually(lambda: opened(simulator) == STREAMS)
            process.terminate()
            assert process.wait(LIMIT) == 0, site.log


def test_second_signal_exits_at_once(tmp_path: Path) -> None:
    """While the first stop still waits for a hanging vendor, a second one does not."""
    options = up_to_now()
    hangs = Fault(service="alerts", action="slow", seconds=600, count=100)
    with Simulator(options, SystemClock(), [hangs]) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        heartbeat = site.state / "heartbeat"
        with site.running("--service", "alerts") as process:
            eventually(heartbeat.exists)
            eventually(lambda: "Retrieving/sending alerts" in site.log)
            process.terminate()
            eventually(lambda: not heartbeat.exists())
            eventually(lambda: ended_by_another(process), look=0.05)
            assert process.wait(LIMIT) == 128 + signal.SIGTERM, site.log


@pytest.mark.parametrize("echo", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("options", "code"), [((), 0), (("--once",), 8)])
def test_signal_that_comes_twice_is_one_request(
    tmp_path: Path, echo: signal.Signals, options: tuple[str, ...], code: int
) -> None:
    """GNU timeout signals its child and then its group: the stop is in order all the same."""
    records = up_to_now()
    hangs = Fault(service="alerts", action="slow", seconds=600, count=100)
    with Simulator(records, SystemClock(), [hangs]) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, records))
        with site.running("--service", "alerts", *options) as process:
            eventually(lambda: "Retrieving/sending alerts" in site.log)
            process.terminate()
            process.send_signal(echo)
            assert process.wait(LIMIT) == code, site.log
    assert "The collector has stopped" in site.log
    assert not {"heartbeat", "running"} & {path.name for path in site.state.iterdir()}


def test_second_signal_ends_what_does_not_stop() -> None:
    """It comes when no echo of the first can come any more, and waits for nothing."""
    program = (
        "import threading\n"
        "from collector.clock import SystemClock\n"
        "from collector.cli.process import stop_on_signals\n"
        "stop_on_signals(SystemClock(), [lambda: print('at once', flush=True)])\n"
        "print('ready', flush=True)\n"
        "threading.Event().wait()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            eventually(lambda: ended_by_another(process), look=0.05)
        finally:
            process.kill()
        assert process.returncode == 128 + signal.SIGTERM
        assert process.stdout.read() == b"at once\n"


def test_stop_while_the_destination_is_down(tmp_path: Path) -> None:
    """Exit 0; what was taken waits in the state, and the next run delivers it."""
    options = history(hours=3, records=300)
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        (tmp_path / "out").touch()  # a file where the folder should be
        with site.running("--input", "casb") as process:
            eventually(lambda: site.log.count("The data is up to date!") == 2)
            process.terminate()
            assert process.wait(LIMIT) == 0, site.log
        waiting = sum(count for _, lane, count in site.report().waiting if lane == "standard")
        assert waiting > 0
        told = f"The collector has stopped; {waiting} records wait for delivery, and [1-9][0-9]* "
        assert re.search(f"{told}internal ones\n", site.log), site.log
        (tmp_path / "out").unlink()
        assert site.run("--once") == 0, site.log
        assert unfinished(judge(simulator.truth, site.out)) == []


def test_one_shot_run_is_interrupted(tmp_path: Path) -> None:
    """A one-shot run that is stopped has done a part (8), and the next run does the rest."""
    options = history(hours=4, records=400)
    slow = Fault(service="message", action="stall", mode="archive", seconds=600)
    with Simulator(options, SystemClock(), [slow]) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        with site.running("--once") as process:
            eventually(lambda: any(each.service == "message" for each in simulator.truth.sessions))
            process.terminate()
            assert process.wait(LIMIT) == 8, site.log
        assert site.run("--once") == 0, site.log
        assert unfinished(judge(simulator.truth, site.out)) == []


@pytest.mark.parametrize(("service", "others"), [("alerts", 4), ("auth", 3), ("audit", 4)])
def test_one_shot_run_is_interrupted_while_the_vendor_hangs(
    tmp_path: Path, service: Any, others: int
) -> None:
    """No answer holds the exit up, and it says that not all was done (8)."""
    options = history(hours=2, records=60)
    hangs = Fault(service=service, action="slow", seconds=600, count=100)
    with Simulator(options, SystemClock(), [hangs]) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        with site.running("--once") as process:
            eventually(lambda: site.log.count("The data is up to date!") == others)
            process.terminate()
            assert process.wait(LIMIT) == 8, site.log
        assert not (site.state / "heartbeat").exists()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_backfill_is_interrupted_while_the_vendor_hangs(
    tmp_path: Path, sign: signal.Signals
) -> None:
    """It ends by itself, says that not all was done (8), and nothing goes on without its log."""
    options = history(hours=2, records=60)
    hangs = Fault(service="audit", action="slow", seconds=600, count=100)
    with Simulator(options, SystemClock(), [hangs]) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        assert site.run("--once", "--input", "casb") == 0, site.log
        log = site.state / "reading.log"
        begin, end = isoformat(options.history_start), isoformat(options.history_end)
        words = ("backfill", "--from", begin, "--to", end, "--service", "audit", "--yes")
        command = [*site.command("backfill")[:3], *words, "--config", str(site.config)]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
            eventually(lambda: log.exists() and "Retrieving/sending audit" in log.read_text())
            process.send_signal(sign)
            _, told = process.communicate(timeout=LIMIT)
        assert process.returncode == 8, told
        assert "Interrupted; 2 of 2 hours were not read." in told
        assert "could not be written" not in told


def test_connection_test_is_interrupted_while_the_vendor_hangs(tmp_path: Path) -> None:
    """Ctrl-C ends it, whatever it waits for."""
    options = history(hours=1, records=1)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        Simulator(options, SystemClock()) as simulator,
    ):
        port = silent.getsockname()[1]
        made = document(tmp_path, simulator, options)
        made["inputs"]["pod"]["endpoint"] = f"ws://127.0.0.1:{port}/v1/stream"
        site = Site(tmp_path, made)
        command = heeding_ctrl_c("test", "pod", "--config", str(site.config))
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            peers = [silent.accept()[0] for _ in range(2)]  # the address alone, and the handshake
            assert peers[1].recv(1000)
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=LIMIT)
            for peer in peers:
                peer.close()
        assert process.returncode == 8, told
        assert "Traceback" not in told


def test_signal_that_finds_the_clock_busy() -> None:
    """A signal also stops a program whose main thread is looking at the clock just then."""
    program = (
        "from collector.clock import SystemClock\n"
        "from collector.cli.process import stop_on_signals\n"
        "clock = SystemClock()\n"
        "stop_on_signals(clock)\n"
        "print('ready', flush=True)\n"
        "while not clock.sleep(0): pass\n"
    )
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            process.terminate()
            try:
                assert process.wait(LIMIT) == 0
            finally:
                process.kill()
