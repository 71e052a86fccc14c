"""``collector status`` and the internal lane, against the simulator."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from collector.cli import application
from collector.clock import SystemClock
from collector.errors import StateError
from collector.persistence.health import HealthReader
from collector.simulator import QUIET, Fault, Simulator
from tests.fakes.processes import Site, document, eventually, free_port, history, started

OPTIONS = history(2, 60, QUIET)
SOURCES = {"casb#alerts", "casb#events", "pod#message", "pod#maillog", "pod#audit"}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A vendor with a small history."""
    with Simulator(OPTIONS, SystemClock()) as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, simulator: Simulator) -> Site:
    """A site that works."""
    return Site(tmp_path, document(tmp_path, simulator, OPTIONS))


def asked(site: Site, name: str, *options: str) -> tuple[int, str, str]:
    """``collector NAME``: the exit code, standard output and standard error."""
    done = CliRunner().invoke(application(), [name, "--config", str(site.config), *options])
    return done.exit_code, done.stdout, done.stderr


def status(site: Site) -> tuple[int, dict[str, Any]]:
    """``collector status --json``: the exit code and what it says."""
    code, text, told = asked(site, "status", "--json")
    assert text, told
    found: dict[str, Any] = json.loads(text)
    return code, found


def watched(site: Site) -> int:
    """``collector status --watch`` until it has shown something and is interrupted."""
    seen = site.folder / "watched.json"
    with started([*site.command("status"), "--watch", "--json"], seen) as process:
        eventually(lambda: '"healthy": true' in seen.read_text(encoding="utf-8"))
        process.send_signal(signal.SIGINT)
        return process.wait(10)


def states(found: dict[str, Any]) -> dict[str, str]:
    """The state of each source."""
    return {each["source"]: each["state"] for each in found["sources"]}


def last_data(site: Site) -> dict[str, str | None]:
    """When the last record of each source came; empty while there is no state yet."""
    if not stored(site):
        return {}
    return {each["source"]: each["last_data"] for each in status(site)[1]["sources"]}


def stored(site: Site) -> dict[str, str]:
    """The state of each source, read beside the collector; empty while there is no state yet."""
    try:
        with HealthReader(site.state) as reader:
            rows = reader.read()
    except StateError:
        return {}
    return {row.subject: row.health.state for row in rows if "#" in row.subject}


def announced(site: Site, kind: str) -> list[dict[str, Any]]:
    """The collector's own records of one type, in order."""
    path = site.out / "devo.collectors.out.ndjson"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [record for record in map(json.loads, lines) if record["type"] == kind]


def test_a_refused_source_and_its_recovery(site: Site) -> None:
    """A wrong secret is a ThirdPartyConfig event of two sources; the others are well; then all."""
    secret = site.document["inputs"]["casb"]["credentials"]["client_secret"]
    site.document["inputs"]["casb"]["credentials"]["client_secret"] = "another-secret"
    assert site.run("--once") == 8, site.log
    code, found = status(site)
    assert (code, found["healthy"], found["running"]) == (8, False, False)
    assert {each["subject"] for each in found["events"]} == {"casb#alerts", "casb#events"}
    assert {each["event"] for each in found["events"]} == {"ThirdPartyConfig"}
    assert all(each["remedy"] and each["count"] >= 1 for each in found["events"])
    assert "another-secret" not in json.dumps(found)
    opened = [each for each in announced(site, "health_event") if each["status"] == "opened"]
    assert {each["subject"] for each in opened} == {"casb#alerts", "casb#events"}

    site.document["inputs"]["casb"]["credentials"]["client_secret"] = secret
    assert site.run("--once") == 0, site.log
    code, found = status(site)
    assert (code, found["healthy"], found["events"]) == (0, True, [])
    assert states(found) == dict.fromkeys(SOURCES, "stopped")
    assert all(each["last_data"] for each in found["sources"])


def test_beside_a_running_collector(site: Site) -> None:
    """Every source collects; an orderly stop leaves them stopped, a kill does not."""
    with site.running() as process:
        eventually((site.state / "heartbeat").exists)
        eventually(lambda: stored(site) == dict.fromkeys(SOURCES, "collecting"), look=0.1)
        code, found = status(site)
        assert (code, found["running"], found["ended_in_order"]) == (0, True, True)
        _, text, _ = asked(site, "status")
        assert "Running" in text
        assert "pod#message" in text
        assert watched(site) == 0
        process.terminate()
        assert process.wait(10) == 0, site.log
    code, found = status(site)
    assert (code, found["running"]) == (0, False)
    assert states(found) == dict.fromkeys(SOURCES, "stopped")
    told = [each["state"] for each in announced(site, "source_state")]
    assert {"authenticated", "collecting"} <= set(told)


def test_a_run_that_was_killed(site: Site) -> None:
    """It is told by ``status``, by the log of the next start, and on the internal lane."""
    with site.running() as process:
        eventually((site.state / "running").exists)
        eventually((site.state / "heartbeat").exists)
        process.kill()
        process.wait(10)
    code, found = status(site)
    assert (code, found["running"], found["ended_in_order"]) == (8, False, False)
    (site.state / "heartbeat").unlink()  # as if it were a minute and a half later
    assert status(site)[0] == 8
    assert site.run("--once") == 0, site.log
    assert "InternalError 6: the last run" in site.log
    (event,) = [each for each in announced(site, "health_event") if each["status"] == "opened"]
    assert (event["subject"], event["event"]) == ("collector", "FirstPartyGeneric")
    assert not (site.state / "running").exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_beside_a_one_shot_run(tmp_path: Path, workers: int) -> None:
    """It is seen at work, with what has come so far; a kill is told at once."""
    slow = Fault(service="message", action="stall", mode="archive", seconds=600)
    with Simulator(OPTIONS, SystemClock(), [slow]) as simulator:
        made = document(tmp_path, simulator, OPTIONS)
        made["globals"] |= {"workers": workers}
        site = Site(tmp_path, made, afresh=True)
        with site.running("--once") as process:
            eventually(lambda: last_data(site).get("pod#maillog"), look=0.1)
            code, found = status(site)
            assert (code, found["running"], found["one_shot"]) == (0, True, True)
            # A worker process that has nothing more to do rests before the others.
            assert states(found)["pod#maillog"] in {"collecting", "stopped"}
            assert last_data(site)["pod#message"] is None
            assert "Running (one-shot)" in asked(site, "status")[1]
            assert asked(site, "health")[0] == 0
            process.kill()
            process.wait(10)
    code, found = status(site)
    assert (code, found["running"], found["ended_in_order"]) == (8, False, False)


def test_metrics(site: Site) -> None:
    """Services, senders, spool and process, each with what Devo's statistics name."""
    assert site.run("--once") == 0, site.log
    services = {each["source"]: each for each in announced(site, "service_metrics")}
    assert set(services) == SOURCES
    assert {each["health"] for each in services.values()} == {"collecting"}
    (sender, *_) = announced(site, "sender_metrics")
    assert {"senders_available", "waiting", "sent_total", "sent_since", "since"} <= set(sender)
    (process,) = announced(site, "process_metrics")
    assert process["memory_peak_bytes"] > 1024 * 1024


def test_warnings_leave_the_exit_code(site: Site) -> None:
    """``check`` prints them, in both forms; ``run`` logs them."""
    site.document["inputs"]["pod"]["services"]["audit"]["mode"] = "live"
    code, text, told = asked(site, "check")
    assert (code, "valid" in text) == (0, True)
    assert "1 warning" in told
    assert "inputs.pod.services.audit.mode" in told
    code, text, _ = asked(site, "check", "--json")
    found = json.loads(text)
    assert (code, found["valid"]) == (0, True)
    assert [each["path"] for each in found["warnings"]] == ["inputs.pod.services.audit.mode"]
    assert site.run("--once", "--input", "casb") == 0
    assert "inputs.pod.services.audit.mode: an outage" in site.log


def test_a_source_that_is_given_up(tmp_path: Path) -> None:
    """After so long in error a live source is tried no more, and says how to go on."""
    faults = [Fault(service="message", action="status", status=503, count=100_000)]
    with Simulator(OPTIONS, SystemClock(), faults) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, OPTIONS))
        site.document["globals"]["give_up_after_in_minutes"] = 0.02
        site.document["inputs"]["pod"]["services"] = {"message": {"mode": "live"}}
        del site.document["inputs"]["casb"]
        with site.running() as process:
            eventually(lambda: "given up after" in site.log, look=0.1)
            process.terminate()
            assert process.wait(10) == 0, site.log
        code, found = status(site)
        assert (code, states(found)) == (8, {"pod#message": "stopped"})
        assert {each["number"] for each in found["events"]} == {503, 310}


def test_a_vendor_that_cannot_be_reached_is_told_at_once(site: Site) -> None:
    """By both services of an input whose one token cannot be had, before the second try."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    casb = site.document["inputs"]["casb"]
    casb["endpoints"] = dict.fromkeys(("auth", "alerts", "events"), nowhere)
    casb["rate"] |= {"retry_base_in_seconds": 300, "retry_cap_in_seconds": 300}
    with site.running("--input", "casb") as process:
        eventually(lambda: set(stored(site).values()) == {"error"}, look=0.1)
        code, found = status(site)
        assert (code, found["running"], len(found["events"])) == (8, True, 2)
        assert {each["event"] for each in found["events"]} == {"ThirdPartyGeneric"}
        assert site.log.count("ApiError 500: the vendor could not be reached") == 2
        process.terminate()
        assert process.wait(10) == 0, site.log


def test_an_interrupted_one_shot_run_tells_what_came(tmp_path: Path) -> None:
    """The data of a run that nobody has looked at yet is noted when it stops."""
    slow = Fault(service="message", action="stall", mode="archive", seconds=600)
    with Simulator(OPTIONS, SystemClock(), [slow]) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, OPTIONS))
        with site.running("--once") as process:
            eventually((site.out / "mail.proofpoint.pod.maillog.ndjson").exists)
            process.terminate()
            assert process.wait(10) == 8, site.log
    assert last_data(site)["pod#maillog"] is not None
    assert last_data(site)["pod#message"] is None
