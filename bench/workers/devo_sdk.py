"""Sends records one by one with devo-sdk's ``send``, over TLS.

python -m bench.workers.devo_sdk FOLDER PORT RECORDS
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.certificate import Certificate
from bench.meter import spent, tell
from bench.peers import TAG, devo_sender
from bench.records import spooled

_DIFFERENT = 1000


def main(folder: Path, port: int, records: int) -> None:
    """Send so many records."""
    messages = [message.decode() for message in spooled(_DIFFERENT)]
    sender = devo_sender(Certificate.kept(folder), port)
    with spent() as took:
        for number in range(records):
            sender.send(tag=TAG, msg=messages[number % _DIFFERENT])
        sender.close()
    tell(records=records, seconds=took.seconds, cpu=took.cpu)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
