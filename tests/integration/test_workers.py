"""Several worker processes behave as one program: nothing lost or doubled, one stop, one code."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.clock import SystemClock
from collector.demo.judge import TAGS, judge
from collector.simulator import Fault, Simulator, SimulatorOptions
from tests.fakes.forks import Process
from tests.fakes.processes import Site, document, eventually, history, unfinished

LIMIT = 10.0
"""Real seconds; generous, for a busy machine: what is promised is two."""


def shared(folder: Path, simulator: Simulator, options: SimulatorOptions, workers: int = 2) -> Site:
    """A site of five services spread over workers, which commit what they have at once."""
    made = document(folder, simulator, options)
    made["globals"] |= {"workers": workers, "batch": {"max_seconds": 0.2}}
    return Site(folder, made, afresh=True)


def started(site: Site) -> list[tuple[int, int]]:
    """The workers that were started so far: number and process id."""
    found = re.findall(r"Worker (\d+) is process (\d+)", site.log)
    return [(int(number), int(pid)) for number, pid in found]


def alive(pid: int) -> bool:
    """Whether the process runs; a worker whose supervisor died is nobody's child of ours."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def owners(site: Site) -> dict[str, set[str]]:
    """The worker processes whose log lines speak of a service's pulls."""
    found: dict[str, set[str]] = {}
    for worker, service in re.findall(
        r"InputProcess-(\d)::\w+Puller\(\w+,\w+,(\w+),predefined\) -> Pull Started", site.log
    ):
        found.setdefault(service, set()).add(worker)
    return found


def test_one_shot_run(tmp_path: Path) -> None:
    """Two workers take all five services, each service in one of them; all of it is delivered."""
    options = history(hours=4, records=400)
    with Simulator(options, SystemClock()) as simulator:
        site = shared(tmp_path, simulator, options)
        assert site.run("--once") == 0, site.log
        assert unfinished(judge(simulator.truth, site.out)) == []
    assert sorted(number for number, _pid in started(site)) == [1, 2]
    assert owners(site) == {
        "alerts": {"1"},
        "events": {"1"},
        "message": {"2"},
        "maillog": {"1"},
        "audit": {"2"},
    }
    assert_told_once(site)


def assert_told_once(site: Site) -> None:
    """Each service is told of by its worker, the output by the supervisor, each process alone."""
    lines = (site.out / "devo.collectors.out.ndjson").read_bytes().splitlines()
    records = [json.loads(line) for line in lines]
    told = [each["source"] for each in records if each["type"] == "service_metrics"]
    assert sorted(told) == ["casb#alerts", "casb#events", "pod#audit", "pod#maillog", "pod#message"]
    processes = [each.get("worker", 0) for each in records if each["type"] == "process_metrics"]
    assert sorted(processes) == [0, 1, 2]
    assert {each["output"] for each in records if each["type"] == "sender_metrics"} == {"archive"}


STALL = Fault(service="message", action="stall", mode="archive", seconds=600, after_records=60)
"""Holds a worker up in the middle of an hour, once."""


def stalled(site: Site) -> bool:
    """Whether the stalled session's records were delivered: they are all that it gave."""
    return TAGS["message"] in site.records()


def test_killed_worker_is_started_again(tmp_path: Path) -> None:
    """SIGKILL in the middle of its work: told with its cause, and nothing is lost or doubled."""
    options = history(hours=6, records=900)
    with Simulator(options, SystemClock(), [STALL]) as simulator:
        site = shared(tmp_path, simulator, options)
        with site.running() as process:
            eventually(lambda: stalled(site))
            os.kill(dict(started(site))[2], signal.SIGKILL)
            eventually(lambda: unfinished(judge(simulator.truth, site.out)) == [])
            process.terminate()
            assert process.wait(LIMIT) == 0, site.log
        assert unfinished(judge(simulator.truth, site.out)) == []
    assert sorted(number for number, _pid in started(site)) == [1, 2, 2]
    assert "worker 2 was ended by SIGKILL; it is started again in 0.5 seconds" in site.log


def test_killed_supervisor(tmp_path: Path) -> None:
    """Its workers end by themselves, and a new start goes on: nothing is lost or doubled."""
    options = history(hours=6, records=900)
    with Simulator(options, SystemClock(), [STALL]) as simulator:
        site = shared(tmp_path, simulator, options)
        with site.running() as process:
            eventually(lambda: stalled(site))
            process.kill()
            process.wait(LIMIT)
            eventually(lambda: not any(alive(pid) for _number, pid in started(site)))
        assert site.run("--once") == 0, site.log
        assert unfinished(judge(simulator.truth, site.out)) == []


def test_stop_in_order(tmp_path: Path) -> None:
    """SIGTERM: exit 0, live sessions of all workers are closed, no process and no sign is left."""
    options = history(2, 400, ended=0)
    with Simulator(options, SystemClock()) as simulator:
        site = shared(tmp_path, simulator, options)
        for service in site.document["inputs"]["pod"]["services"].values():
            service["mode"] = "live"
        with site.running() as process:
            eventually(lambda: site.log.count("Live session is open") == 3)
            process.terminate()
            assert process.wait(LIMIT) == 0, site.log
        eventually(lambda: len(simulator.truth.ends) == 3)
        assert {each.code for each in simulator.truth.ends} == {1000}
    assert not any(alive(pid) for _number, pid in started(site))
    assert not {"heartbeat", "running"} & {path.name for path in site.state.iterdir()}
    assert "The collector has stopped" in site.log


def ended_by_another(process: Process) -> bool:
    """Send one more SIGTERM; whether it has ended the process."""
    process.terminate()
    return process.poll() is not None


def test_second_signal_ends_all_at_once(tmp_path: Path) -> None:
    """While a worker still waits for a vendor that hangs, the second signal ends it, too."""
    options = history(2, 400, ended=0)
    hangs = Fault(service="alerts", action="slow", seconds=600, count=100)
    with Simulator(options, SystemClock(), [hangs]) as simulator:
        site = shared(tmp_path, simulator, options)
        heartbeat = site.state / "heartbeat"
        with site.running("--input", "casb") as process:
            eventually(heartbeat.exists)
            eventually(lambda: "Retrieving/sending alerts" in site.log)
            process.terminate()
            eventually(lambda: not heartbeat.exists())
            eventually(lambda: ended_by_another(process), look=0.05)
            assert process.wait(LIMIT) == 128 + signal.SIGTERM, site.log
        eventually(lambda: not any(alive(pid) for _number, pid in started(site)))


def test_one_shot_run_is_interrupted(tmp_path: Path) -> None:
    """A part is done (8), and the next run does the rest."""
    options = history(hours=4, records=400)
    slow = Fault(service="message", action="stall", mode="archive", seconds=600)
    with Simulator(options, SystemClock(), [slow]) as simulator:
        site = shared(tmp_path, simulator, options)
        with site.running("--once") as process:
            eventually(lambda: any(each.service == "message" for each in simulator.truth.sessions))
            process.terminate()
            assert process.wait(LIMIT) == 8, site.log
        assert site.run("--once") == 0, site.log
        assert unfinished(judge(simulator.truth, site.out)) == []


def test_exit_codes_are_those_of_one_program(tmp_path: Path) -> None:
    """Credentials refused to one worker, all well in the other: partial (8)."""
    options = history(hours=2, records=60)
    with Simulator(options, SystemClock()) as simulator:
        site = shared(tmp_path, simulator, options)
        site.document["inputs"]["casb"]["credentials"]["api_key"] = "another-key"
        assert site.run("--once") == 8, site.log


def test_unusable_configuration_stops_all(tmp_path: Path) -> None:
    """What only shows when a worker makes its services ends the program with that code (3)."""
    options = history(hours=2, records=60)
    with Simulator(options, SystemClock()) as simulator:
        site = shared(tmp_path, simulator, options)
        bad = tmp_path / "ca.pem"
        bad.write_text("no certificate", encoding="ascii")
        site.document["inputs"]["casb"]["tls"] = {"ca": str(bad)}
        assert site.run() == 3, site.log
    assert not any(alive(pid) for _number, pid in started(site))


CHANGES: dict[str, Callable[[str], str]] = {
    "half written": lambda whole: whole[: len(whole) // 2],
    "an output renamed": lambda whole: whole.replace("archive", "elsewhere"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_configuration_that_is_being_changed_stops_nothing(tmp_path: Path, kind: str) -> None:
    """A worker that dies meanwhile is started again once the file is what it was.

    Until then its records would be owed to an output that the supervisor does not serve.
    A worker that meets such a file at its first start would end the program, so both
    must have begun to pull before it is changed.
    """
    options = history(hours=4, records=400)
    with Simulator(options, SystemClock(), [STALL]) as simulator:
        site = shared(tmp_path, simulator, options)
        with site.running() as process:
            eventually(lambda: stalled(site) and len(set().union(*owners(site).values())) == 2)
            path = tmp_path / "config.yaml"
            whole = path.read_text(encoding="utf-8")
            assert CHANGES[kind](whole) != whole
            path.write_text(CHANGES[kind](whole), encoding="utf-8")
            os.kill(dict(started(site))[2], signal.SIGKILL)
            eventually(lambda: "ended by exit code 3" in site.log or process.poll() is not None)
            assert process.poll() is None, site.log
            path.write_text(whole, encoding="utf-8")
            eventually(lambda: not unfinished(judge(simulator.truth, site.out)))
            process.terminate()
            assert process.wait(LIMIT) == 0, site.log


def test_settings_of_one_process_start_no_other(tmp_path: Path) -> None:
    """With one worker nothing is started, and no line names one."""
    options = history(hours=2, records=60)
    with Simulator(options, SystemClock()) as simulator:
        site = shared(tmp_path, simulator, options, workers=1)
        assert site.run("--once") == 0, site.log
    assert started(site) == []
    assert "Process-" not in site.log
