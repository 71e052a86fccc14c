"""The same job in the manner of public integrations: their structure, written anew.

    python -m bench.peers NAME FOLDER URL PORT

sentinel          websocket-client; decoded, gathered, 2000 a POST over a new connection
sentinel-tuned    the same with the C helper ``wsaccel``, which it does not ship with
xsiam             websockets in a thread; decoded, the time parsed, gathered, posted
devo              websocket-client with the helper; decoded, known ids dropped, encoded,
                  one ``send`` of devo-sdk a record, a state file now and then

None of them is durable or confirms anything.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.certificate import HOST, Certificate

TAG = "mail.proofpoint.pod.message"
_GATHERED = 2000
_STATE_EVERY = 1000

Record = dict[str, Any]


def _plain_messages(certificate: Certificate, url: str) -> Iterator[str | bytes]:
    import websocket  # noqa: PLC0415 - after ``main`` has decided on its helper

    socket = websocket.create_connection(url, sslopt={"ca_certs": str(certificate.ca)})
    while message := socket.recv():
        yield message


def _threaded_messages(certificate: Certificate, url: str) -> Iterator[str | bytes]:
    from websockets.sync.client import connect  # noqa: PLC0415 - this peer's alone

    with connect(url, ssl=certificate.client()) as socket:
        yield from socket


def _posted(records: Iterator[Record], certificate: Certificate, port: int) -> None:
    """Gather and post, over a new connection each time."""
    gathered: list[Record] = []
    for record in records:
        gathered.append(record)
        if len(gathered) == _GATHERED:
            _post(gathered, certificate, port)
            gathered = []
    if gathered:
        _post(gathered, certificate, port)


def _post(records: list[Record], certificate: Certificate, port: int) -> None:
    import requests  # noqa: PLC0415 - one peer does without

    requests.post(
        f"https://{HOST}:{port}/api/logs",
        data=json.dumps(records),
        headers={"Content-Type": "application/json"},
        verify=str(certificate.ca),
        timeout=60.0,
    ).raise_for_status()


def sentinel(certificate: Certificate, url: str, port: int) -> None:
    """In the manner of the connector for Microsoft Sentinel."""
    _posted(map(json.loads, _plain_messages(certificate, url)), certificate, port)


def xsiam(certificate: Certificate, url: str, port: int) -> None:
    """In the manner of the content pack for Cortex XSIAM."""
    from dateutil import parser  # noqa: PLC0415 - this peer's alone

    def timed(message: str | bytes) -> Record:
        record: Record = json.loads(message)
        record["_time"] = parser.parse(record["ts"]).isoformat()
        return record

    _posted(map(timed, _threaded_messages(certificate, url)), certificate, port)


def devo(certificate: Certificate, url: str, port: int) -> None:
    """In the manner of Devo's collector."""
    sender = devo_sender(certificate, port)
    known: set[str] = set()
    for count, message in enumerate(_plain_messages(certificate, url), 1):
        record: Record = json.loads(message)
        if record["guid"] in known:
            continue
        known.add(record["guid"])
        sender.send(tag=TAG, msg=json.dumps(record))
        if count % _STATE_EVERY == 0:
            Path("state.json").write_text(json.dumps({"last": record["ts"]}), encoding="utf-8")
    sender.close()


def devo_sender(certificate: Certificate, port: int) -> Any:
    """A TLS sender of devo-sdk."""
    from devo.sender import Sender, SenderConfigSSL  # noqa: PLC0415 - this peer's alone

    config = SenderConfigSSL(
        address=(HOST, port),
        key=str(certificate.key),
        cert=str(certificate.cert),
        chain=str(certificate.ca),
        check_hostname=False,
    )
    return Sender(config, timeout=30)


PEERS: dict[str, Callable[[Certificate, str, int], None]] = {
    "sentinel": sentinel,
    "sentinel-tuned": sentinel,
    "xsiam": xsiam,
    "devo": devo,
}


def main(name: str, folder: Path, url: str, port: int) -> None:
    """Take one session to its end."""
    if name == "sentinel":
        sys.modules["wsaccel"] = None  # type: ignore[assignment]  # as if it were not installed
    PEERS[name](Certificate.kept(folder), url, port)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
