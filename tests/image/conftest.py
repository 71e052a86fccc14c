"""A vendor in a container of its own, and an installation that collects from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.clock import SystemClock
from collector.core import times
from collector.core.times import HOUR, floor_hour
from tests.image.containers import IMAGE, Container, Site, background, eventually, restrictions

PORT = 8080
END = floor_hour(SystemClock().now()) - 2 * HOUR
START = END - 3 * HOUR
"""All records are old enough to be due at once, and no new ones appear."""


@pytest.fixture(scope="session", name="vendor")
def _vendor() -> Iterator[Container]:
    """`collector simulate`, without any network but its own loopback."""
    history = [f"history_start={times.isoformat(START)}", f"history_end={times.isoformat(END)}"]
    chosen = [word for each in history for word in ("--set", each)]
    options = [*restrictions(), "--network", "none", IMAGE]
    with background(*options, "simulate", "--port", str(PORT), *chosen) as container:
        eventually(lambda: "api_key" in container.log(), container.log)
        yield container


@pytest.fixture(name="document")
def _document() -> dict[str, Any]:
    """A configuration for this vendor: all five services into files."""
    here = f"http://127.0.0.1:{PORT}"
    start = {"initial_start_time_in_utc": times.isoformat(START)}
    return {
        "globals": {"id": "4711", "name": "acme"},
        "outputs": {"archive": {"type": "file", "config": {"path": "out"}}},
        "inputs": {
            "casb": {
                "type": "proofpoint_casb",
                "endpoints": dict.fromkeys(("auth", "alerts", "events"), here),
                "rate": {"calls_per_day": 0, "min_interval_in_seconds": 0},
                "credentials": {
                    "api_key": "${CASB_API_KEY}",
                    "client_id": "simulated-client-id",
                    "client_secret": "file:/app/credentials/casb_client_secret",
                },
                "services": {"alerts": start, "events": start},
            },
            "pod": {
                "type": "proofpoint_pod",
                "endpoint": f"ws://127.0.0.1:{PORT}/v1/stream",
                "credentials": {
                    "cluster_id": "example_hosted",
                    "token": "file:../credentials/pod_token",
                },
                "services": {"message": start, "maillog": start, "audit": start},
            },
        },
    }


@pytest.fixture(name="alone")
def _alone(tmp_path: Path, document: dict[str, Any]) -> Iterator[Site]:
    """An installation without a network, with its secrets in the environment and in files."""
    yield from _with_secrets(Site(tmp_path, document))


@pytest.fixture(name="site")
def _site(tmp_path: Path, document: dict[str, Any], vendor: Container) -> Iterator[Site]:
    """The same, beside the vendor."""
    yield from _with_secrets(Site(tmp_path, document, f"container:{vendor.name}"))


def _with_secrets(site: Site) -> Iterator[Site]:
    credentials = site.folder / "credentials"
    (site.folder / "collector.env").write_text("CASB_API_KEY=simulated-api-key\n", "utf-8")
    (credentials / "casb_client_secret").write_text("simulated-client-secret\n", "utf-8")
    (credentials / "pod_token").write_text("simulated-token\n", "utf-8")
    site.as_root("chmod", "-R", "go=rX", "config", "certs", "credentials")
    yield site
    site.close()
