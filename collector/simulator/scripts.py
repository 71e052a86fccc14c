"""Fault scripts that ship with the collector."""

from __future__ import annotations

from collector.simulator.faults import Fault


def demo_faults() -> list[Fault]:
    """A bad day in small: each common failure of the vendor once or twice.

    Nothing here loses a record for a collector that repeats, resumes and reads
    the archive again.  By numbers of calls and records rather than by the time,
    so that it happens however fast the demo's clock runs.
    """
    return [
        Fault(service="alerts", action="expire_tokens", nth=4),
        Fault(service="alerts", action="status", status=429, retry_after=5, nth=2),
        Fault(
            service="events",
            action="status",
            status=429,
            retry_after=10,
            retry_after_form="date",
            nth=3,
        ),
        Fault(service="alerts", action="status", status=503, nth=6),
        Fault(service="events", action="status", status=503, nth=6),
        Fault(service="events", action="cut_body", nth=8),
        Fault(service="events", action="refuse_cursor", nth=9),
        Fault(service="message", action="status", mode="live", status=409, count=3),
        Fault(service="message", action="reset", mode="live", after_records=50),
        Fault(service="maillog", action="close", mode="live", close_code=1000, after_records=50),
        Fault(service="maillog", action="eof", mode="archive", after_records=20, nth=2),
    ]
