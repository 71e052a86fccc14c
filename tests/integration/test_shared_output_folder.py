"""One folder of output files that several outputs, states or collectors know."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.clock import SystemClock
from collector.simulator import QUIET, Simulator, SimulatorOptions
from tests.fakes.processes import Site, document, eventually, history

RECORDS = 60
SHARED = "mail.proofpoint.pod.message"


class Pair:
    """Two services that write one file, collected one after the other."""

    def __init__(self, folder: Path, simulator: Simulator, options: SimulatorOptions) -> None:
        self._options = options
        self._simulator = simulator
        self._folder = folder

    def site(self, name: str) -> Site:
        """An installation of its own that collects nothing yet."""
        folder = self._folder / name
        folder.mkdir()
        layout = document(folder, self._simulator, self._options)
        del layout["inputs"]["casb"]
        return Site(folder, layout)

    def prepare(self, site: Site, service: str) -> None:
        """Have the site collect this service."""
        services: dict[str, Any] = site.document["inputs"]["pod"]["services"]
        start = next(iter(services.values()))["initial_start_time_in_utc"]
        chosen = {service: {"initial_start_time_in_utc": start, "tag": SHARED}}
        site.document["inputs"]["pod"]["services"] = chosen

    def collect(self, site: Site, service: str) -> int:
        """Collect this service to its end; the lines in the file then."""
        self.prepare(site, service)
        assert site.run("--once") == 0, site.log
        return self.lines(site)

    def lines(self, site: Site) -> int:
        """How many lines stand in the file of both services."""
        path = Path(next(iter(site.document["outputs"].values()))["config"]["path"])
        file = path / f"{SHARED}.ndjson"
        return file.read_bytes().count(b"\n") if file.exists() else 0


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Both services, and a vendor."""
    options = history(6, RECORDS, QUIET)
    with Simulator(options, SystemClock()) as simulator:
        yield Pair(tmp_path, simulator, options)


def test_an_output_renamed_and_renamed_back(pair: Pair) -> None:
    """A configuration that is rolled back costs nothing of what came in between."""
    site = pair.site("one")
    assert pair.collect(site, "message") == RECORDS
    site.document["outputs"] = {"files": site.document["outputs"]["archive"]}
    assert pair.collect(site, "maillog") == 2 * RECORDS
    site.document["outputs"] = {"archive": site.document["outputs"]["files"]}
    assert pair.collect(site, "message") == 2 * RECORDS


def test_a_restored_state(pair: Pair) -> None:
    """A backup of the state costs nothing of what came after it."""
    site = pair.site("one")
    assert pair.collect(site, "message") == RECORDS
    shutil.copytree(site.state, site.folder / "backup")
    assert pair.collect(site, "maillog") == 2 * RECORDS
    shutil.rmtree(site.state)
    shutil.copytree(site.folder / "backup", site.state)
    assert pair.collect(site, "message") == 2 * RECORDS
    assert pair.collect(site, "maillog") >= 2 * RECORDS


def test_two_collectors_at_a_time(pair: Pair) -> None:
    """The second says why it waits; when the first is killed, it goes on behind its records."""
    one, two = pair.site("one"), pair.site("two")
    one.document["outputs"]["archive"]["max_retry_wait_in_seconds"] = 0.2
    two.document["outputs"] = one.document["outputs"]
    pair.prepare(one, "message")
    pair.prepare(two, "maillog")
    with one.running() as first:
        eventually(lambda: pair.lines(one) == RECORDS)
        with two.running():
            eventually(lambda: f"{SHARED}.ndjson is being written by another" in two.log)
            assert pair.lines(one) == RECORDS
            first.kill()
            eventually(lambda: pair.lines(one) == 2 * RECORDS)


def test_two_collectors_in_turn(pair: Pair) -> None:
    """Two states, one folder: each goes on behind the other's records."""
    one, two = pair.site("one"), pair.site("two")
    two.document["outputs"] = one.document["outputs"]
    assert pair.collect(one, "message") == RECORDS
    assert pair.collect(two, "maillog") == 2 * RECORDS
    assert pair.collect(one, "message") == 2 * RECORDS
