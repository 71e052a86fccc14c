"""No secret leaves the collector but to whom it belongs: canaries in every credential."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from collector.clock import SystemClock
from collector.simulator import Fault, Simulator
from tests.fakes.processes import Site, document, eventually, history
from tests.fakes.receivers import Answer, HttpReceiver

CANARIES = {
    name: f'{name}-canary+7f3a/"{number}&=%'
    for number, name in enumerate(("key", "id", "secret", "token", "header", "url"))
}
FAULTS = [
    Fault(service="alerts", action="expire_tokens", nth=2),
    Fault(service="events", action="cut_body"),
    Fault(service="message", action="status", status=401),
    Fault(service="maillog", action="eof", mode="archive"),
]


def forms(secret: str) -> Iterator[bytes]:
    """How a secret could be written: as it is, and in the encodings that programs use."""
    raw = secret.encode()
    yield raw
    yield json.dumps(secret)[1:-1].encode()
    yield urllib.parse.quote(secret, safe="").encode()
    yield urllib.parse.quote(secret).encode()
    yield urllib.parse.quote_plus(secret).encode()
    for shift in range(3):  # in Base64 it looks different at each offset
        inside = base64.b64encode(bytes(shift) + raw)[4:-4]
        yield inside
        yield inside.translate(bytes.maketrans(b"+/", b"-_"))


def leaks(content: bytes) -> set[str]:
    """The names of the canaries in it."""
    return {name for name, secret in CANARIES.items() if any(f in content for f in forms(secret))}


def guarded_site(folder: Path, simulator: Simulator, receiver: HttpReceiver) -> Site:
    """A site with a canary in every credential, that logs as much as it can."""
    options = history(2, 100)
    site = Site(folder, document(folder, simulator, options))
    site.document["globals"]["debug"] = True
    site.document["inputs"]["casb"]["credentials"] = {
        "api_key": CANARIES["key"],
        "client_id": CANARIES["id"],
        "client_secret": CANARIES["secret"],
    }
    site.document["inputs"]["pod"]["credentials"]["token"] = CANARIES["token"]
    query = urllib.parse.quote(CANARIES["url"], safe="")
    site.document["outputs"]["lake"] = {
        "type": "http",
        "config": {
            "url": f"{receiver.url}?token={query}",
            "headers": {"Authorization": CANARIES["header"]},
        },
    }
    return site


def test_no_secret_is_written(tmp_path: Path) -> None:
    """Not in the log, the records, the state or the arguments, through faults on both sides."""
    options = history(
        2,
        100,
        api_key=CANARIES["key"],
        client_id=CANARIES["id"],
        client_secret=CANARIES["secret"],
        tokens=(CANARIES["token"],),
    )
    with Simulator(options, SystemClock(), FAULTS) as simulator, HttpReceiver() as receiver:
        receiver.answer = lambda _: Answer(500 if len(receiver.posts) == 1 else 200)
        site = guarded_site(tmp_path, simulator, receiver)
        with site.running() as process:
            eventually(lambda: receiver.accepted and site.records())
            arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            process.terminate()
            assert process.wait(10) == 0, site.log
        used = receiver.accepted[0].headers["authorization"]
    assert used == CANARIES["header"]  # the search below looks for what was really in use
    assert leaks(arguments) == set()
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path != site.config]
    assert len(written) > 3
    assert {path.name: leaks(path.read_bytes()) for path in written} == {
        path.name: set() for path in written
    }
