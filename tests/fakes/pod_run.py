"""The message service in hybrid mode, with one token, over a vendor without a network."""

from __future__ import annotations

from collector.app.jobs import Job
from collector.core.flatten import flattener
from collector.core.model import Micros
from collector.pullers.pod import PodSettings, live_request
from collector.pullers.pod_message import pod_message
from collector.pullers.stream import Streamer, Turns
from tests.fakes.crashes import Run
from tests.fakes.pod_vendor import LiveSession, PodVendor


def streaming(run: Run, vendor: PodVendor, start: Micros) -> Job:
    """The service as the scheduler runs it."""
    settings = PodSettings(
        url="wss://pod.example.com",
        cluster_id="acme",
        tag="pod.message",
        records=flattener("none", ""),
    )
    source = pod_message(settings)
    intake = run.intake(source, start)
    streamer = Streamer(
        source,
        live_request(settings, "message"),
        lambda _request: LiveSession(vendor, run.clock),
        run.puller(source, vendor.hour, intake),
        intake,
        Turns(),
        run.journal(source),
        run.clock,
        run.rng,
    )
    return run.job(lambda: None, streamer.run, intake)
