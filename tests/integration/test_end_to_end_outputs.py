"""Several destinations at once: each gets everything, and none waits for another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from collector.clock import SystemClock
from collector.demo.judge import judge
from collector.simulator import QUIET, Simulator
from tests.fakes.destinations import Authority
from tests.fakes.processes import Site, document, free_port, history, unfinished
from tests.fakes.receivers import HttpReceiver, StreamReceiver, counted_messages, newline_lines

OPTIONS = history(3, 120, QUIET)
_DEVO = re.compile(rb"<14>.{15} \S+ [a-z.]+: ")
_RFC5424 = re.compile(rb"<14>1 \S+ \S+ \S+ - \S+ - ")
KEY = "idempotency-key"


class Receivers:
    """One receiver of each kind, with TLS where there is TLS."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        """Listen until the stack unwinds."""
        self.authority = Authority(folder)
        self.http = stack.enter_context(HttpReceiver())
        self.syslog = stack.enter_context(StreamReceiver(self.authority.server()))
        self.devo = stack.enter_context(
            StreamReceiver(self.authority.server(client_certificates=True))
        )

    def outputs(self) -> dict[str, Any]:
        """The outputs that lead here; events only, for what is compared are events."""
        cert, key = map(str, self.authority.client())
        ca = str(self.authority.ca)
        stream = {"address": "127.0.0.1", "confirm": {"interval_in_seconds": 0.5}}
        return {
            "lake": {"type": "http", "internal": False, "config": {"url": self.http.url}},
            "relay": {
                "type": "syslog",
                "internal": False,
                "config": {
                    **stream,
                    "port": self.syslog.port,
                    "ca": ca,
                    "max_message_bytes": 1_048_576,
                },
            },
            "siem": {
                "type": "devo",
                "internal": False,
                "config": {**stream, "port": self.devo.port, "chain": ca, "cert": cert, "key": key},
            },
        }

    def posted(self) -> list[bytes]:
        """The lines of the batches, each batch counted once, as its idempotency key says."""
        once = {post.headers[KEY]: post.body for post in self.http.accepted}
        return [line for body in once.values() for line in newline_lines(body)]

    def relayed(self) -> list[bytes]:
        """The records that came by syslog."""
        return [_RFC5424.sub(b"", each, 1) for each in counted_messages(self.syslog.received)]

    def sent_to_devo(self) -> list[bytes]:
        """The records that came as Devo's lines."""
        return [_DEVO.sub(b"", each, 1) for each in newline_lines(self.devo.received)]


@pytest.fixture
def receivers(tmp_path: Path) -> Iterator[Receivers]:
    """Receivers that all work."""
    with ExitStack() as stack:
        yield Receivers(tmp_path, stack)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A vendor with a small history."""
    with Simulator(OPTIONS, SystemClock()) as running:
        yield running


def site_with(folder: Path, simulator: Simulator, outputs: dict[str, Any]) -> Site:
    """A site with the file output and these."""
    site = Site(folder, document(folder, simulator, OPTIONS))
    site.document["outputs"]["archive"]["internal"] = False
    site.document["outputs"] |= outputs
    return site


def filed(site: Site) -> list[bytes]:
    """All lines of all files."""
    return [line for body in site.records().values() for line in newline_lines(body)]


def test_every_output_gets_everything(
    tmp_path: Path, receivers: Receivers, simulator: Simulator
) -> None:
    """File, HTTP, syslog over TLS and Devo over TLS hold the same records, each once."""
    site = site_with(tmp_path, simulator, receivers.outputs())
    assert site.run("--once") == 0, site.log
    assert unfinished(judge(simulator.truth, site.out)) == []
    lines = sorted(filed(site))
    assert sorted(receivers.posted()) == lines
    assert sorted(receivers.relayed()) == lines
    assert sorted(receivers.sent_to_devo()) == lines


def test_one_output_down_holds_nobody_back(
    tmp_path: Path, receivers: Receivers, simulator: Simulator
) -> None:
    """The others get everything, the run exits 6, and the next run delivers the rest."""
    outputs = receivers.outputs()
    up = outputs["relay"]["config"]["port"]
    outputs["relay"]["config"]["port"] = free_port()
    site = site_with(tmp_path, simulator, outputs)
    site.document["globals"]["stall_limit_in_seconds"] = 1.5
    assert site.run("--once") == 6, site.log
    lines = sorted(filed(site))
    assert unfinished(judge(simulator.truth, site.out)) == []
    assert (sorted(receivers.posted()), sorted(receivers.sent_to_devo())) == (lines, lines)
    assert site.report().waiting == [("relay", "standard", len(lines))]

    outputs["relay"]["config"]["port"] = up
    assert site.run("--once") == 0, site.log
    assert sorted(receivers.relayed()) == lines
    assert sorted(filed(site)) == lines
