"""``collector run --once`` says by its exit code how it went."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.clock import SystemClock
from collector.demo.judge import judge
from collector.persistence.database import FILE_NAME
from collector.simulator import QUIET, Simulator
from tests.fakes.processes import Site, document, eventually, free_port, history, unfinished

OPTIONS = history(2, 60, QUIET)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A vendor with a small history."""
    with Simulator(OPTIONS, SystemClock()) as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, simulator: Simulator) -> Site:
    """A site that works."""
    return Site(tmp_path, document(tmp_path, simulator, OPTIONS))


def test_config(site: Site) -> None:
    """A configuration that cannot be used: 3, with the setting's path, and nothing is made."""
    site.document["globals"]["batch"] = {"max_records": 0}
    assert site.run("--once") == 3
    assert "globals.batch.max_records" in site.log
    assert not site.state.exists()


def test_authentication(site: Site) -> None:
    """A refused API key and a refused token: 4, what to do, and no word of success."""
    site.document["inputs"]["casb"]["credentials"]["api_key"] = "another-key"
    site.document["inputs"]["pod"]["credentials"]["token"] = "another-token"
    assert site.run("--once") == 4
    assert "SetupError" in site.log
    assert site.log.count("ApiError 401") == 3
    assert "has been successfully executed" not in site.log


def test_vendor_unavailable(site: Site) -> None:
    """Nothing listens at the vendor's address: 5."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    site.document["inputs"]["casb"]["endpoints"] = dict.fromkeys(
        ("auth", "alerts", "events"), nowhere
    )
    assert site.run("--once", "--input", "casb") == 5, site.log


@pytest.mark.parametrize("options", [["--once"], []], ids=["once", "lasting"])
def test_the_reader_of_the_console_has_gone(site: Site, options: list[str]) -> None:
    """As ``head`` does: 8, without a word of an error; a closed pipe never comes back."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert printed(site, writing, *options) == 8, site.log
    finally:
        os.close(writing)
    assert "Nobody reads standard output any more" in site.log
    assert "DeliveryError" not in site.log


def test_a_full_disk_behind_the_console(site: Site) -> None:
    """6 and a health event, for records that the next run delivers."""
    site.document["globals"]["stall_limit_in_seconds"] = 0.5
    with Path("/dev/full").open("wb") as full:
        assert printed(site, full.fileno(), "--once") == 6, site.log
    assert "DeliveryError 614: the console cannot be written (No space left on device)" in site.log


def printed(site: Site, output: int, *options: str) -> int:
    """``collector run`` with its records on a console that leads there; the exit code."""
    site.document["outputs"] = {"screen": {"type": "console"}}
    with (site.folder / "collector.log").open("ab") as log:
        command = [*site.command("run"), *options]
        return subprocess.run(command, stdout=output, stderr=log, check=False).returncode


def test_damaged_state(site: Site) -> None:
    """A state file that is none: 7, it is named, kept for a person to see, and not replaced."""
    site.state.mkdir()
    garbage = b"this is no database\n" * 1000
    (site.state / FILE_NAME).write_bytes(garbage)
    assert site.run("--once") == 7
    (kept,) = site.state.glob(f"{FILE_NAME}.damaged-*")
    assert kept.name in site.log
    assert site.run("--once") == 7
    assert kept.read_bytes() == garbage
    assert not (site.state / FILE_NAME).exists()


def test_second_copy(site: Site) -> None:
    """A state folder that another collector uses: 7, and that one is not disturbed."""
    with site.running() as first:
        eventually((site.state / "heartbeat").exists)
        assert site.run("--once") == 7
        assert "another collector is using the state folder" in site.log
        assert first.poll() is None
        first.terminate()
        assert first.wait(10) == 0, site.log


def test_partial(site: Site, simulator: Simulator) -> None:
    """One input is refused and the other is not: 8, and the other's records are delivered."""
    site.document["inputs"]["casb"]["credentials"]["client_secret"] = "another-secret"
    assert site.run("--once") == 8, site.log
    verdicts = judge(simulator.truth, site.out)
    assert [each.service for each in unfinished(verdicts)] == ["alerts", "events"]


def test_usage(site: Site) -> None:
    """An input that the configuration does not have: 3, and the ones it has are named."""
    assert site.run("--once", "--input", "nobody") == 3
    assert "inputs: casb, pod" in site.log


def test_health_follows_the_process(site: Site) -> None:
    """``collector health``: 0 while a collector runs over the state folder, 1 otherwise."""

    def health() -> int:
        return subprocess.run(site.command("health"), check=False, capture_output=True).returncode

    assert health() == 1
    with site.running() as process:
        eventually(lambda: health() == 0)
        process.terminate()
        assert process.wait(10) == 0, site.log
    assert health() == 1
