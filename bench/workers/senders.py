"""Sends batches by one of the product's senders.

    python -m bench.workers.senders OUTPUT BATCHES

OUTPUT is the output's settings, as JSON; a batch holds 1000 messages of 2 KB, with the
metadata that the collector adds.
"""

from __future__ import annotations

import json
import sys

from pydantic import TypeAdapter

from bench.meter import spent, tell
from bench.records import spooled
from collector.app.outputs import sender
from collector.clock import SystemClock
from collector.config.outputs import Output
from collector.core.model import SpooledBatch
from collector.logs import component_logger

_RECORDS = 1000
_FLUSH_EVERY = 20


def batch(number: int, body: bytes) -> SpooledBatch:
    """A batch as it comes from the spool."""
    return SpooledBatch(
        id=number,
        uid=f"bench-{number}",
        source="pod#message",
        tag="mail.proofpoint.pod.message",
        lane="standard",
        mode="archive",
        count=_RECORDS,
        body=body,
        first=0,
        last=3_599_000_000,
    )


def main(settings: str, batches: int) -> None:
    """Send and confirm; a refused record is an error."""
    output: Output = TypeAdapter(Output).validate_python(json.loads(settings))
    sending = sender(output, SystemClock(), component_logger("Bench", "sender"))
    body = b"".join(line + b"\n" for line in spooled(_RECORDS))
    sending.rewind(None)
    with spent() as took:
        for number in range(1, batches + 1):
            if sending.send(batch(number, body)):
                raise AssertionError("records were refused")
            if number % _FLUSH_EVERY == 0:
                sending.flush()
        sending.flush()
    sending.close()
    tell(records=batches * _RECORDS, seconds=took.seconds, cpu=took.cpu)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
