"""The processes on both sides of a contestant, and the questions they answer."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from bench.certificate import HOST, Certificate
from bench.measured import Failed

_PATIENCE = 3.0
_LOOK_SECONDS = 0.05


class Server(NamedTuple):
    """A generator or a sink that is running."""

    port: int
    certificate: Certificate

    def told(self, path: str) -> Any:
        """The answer to a GET, decoded; raises ``Failed`` when there is none."""
        connection = http.client.HTTPSConnection(
            HOST, self.port, timeout=30.0, context=self.certificate.client()
        )
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException) as error:
            raise Failed(f"the server on port {self.port} did not answer: {error!r}") from error
        finally:
            connection.close()


def arrived(sink: Server, before: int, expected: int, path: str = "/") -> dict[str, float]:
    """The sink's totals once it has so many records more; raises ``Failed`` for any other number.

    ``path``: where it tells them.  A sender that waits for no answer may be gone while its
    last bytes are still read.
    """
    deadline = time.monotonic() + _PATIENCE
    while (totals := sink.told(path))["records"] - before < expected:
        if time.monotonic() > deadline:
            break
        time.sleep(_LOOK_SECONDS)
    if totals["records"] - before != expected:
        raise Failed(f"{totals['records'] - before} of {expected} records arrived")
    return dict(totals)


@contextmanager
def generator(certificate: Certificate, ring: int | None = None) -> Iterator[Server]:
    """A load generator; ``ring`` is the number of its different records."""
    with _server("bench.generator", certificate, *([] if ring is None else [str(ring)])) as server:
        yield server


@contextmanager
def sink(certificate: Certificate, *, unique: bool = False) -> Iterator[Server]:
    """A sink; ``unique`` lets it keep ids and tell how many different ones there were."""
    with _server("bench.sink", certificate, *(["--unique"] if unique else [])) as server:
        yield server


@contextmanager
def services(certificate: Certificate) -> Iterator[Server]:
    """The services that outputs over HTTP, S3 and Kafka deliver to."""
    with _server("bench.services", certificate) as server:
        yield server


@contextmanager
def tenants(certificate: Certificate) -> Iterator[Server]:
    """CASB tenants in which nothing happens."""
    with _server("bench.tenants", certificate) as server:
        yield server


@contextmanager
def _server(module: str, certificate: Certificate, *options: str) -> Iterator[Server]:
    command = [sys.executable, "-m", module, str(certificate.ca.parent), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - asked for
        try:
            told = process.stdout.readline()
            if not told:
                raise Failed(f"{module} did not start")
            yield Server(int(told), certificate)
        finally:
            process.kill()
