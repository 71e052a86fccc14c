"""moto's S3 service on loopback, with faults in front of it."""

from __future__ import annotations

import gzip
import io
import itertools
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pyarrow.parquet as pq
import zstandard
from boto3.session import Session
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from collector.senders.s3_settings import Checksums, S3Credentials, S3Settings
from collector.senders.tls import ClientTls

CREDENTIALS = S3Credentials(access_key_id="AKIAEXAMPLE", secret_access_key="s3-secret-example")
REGION = "eu-central-1"
_names = itertools.count(1)


class Fault:
    """What the service does to the requests that write: by default, nothing.

    ``refuse`` sees how many came before and gives the status to answer with, or None.
    """

    def __init__(self) -> None:
        self.writes = 0
        self.refuse: Callable[[int], int | None] = lambda _: None

    def verdict(self) -> int | None:
        """Count a request that writes, and decide about it."""
        self.writes += 1
        return self.refuse(self.writes - 1)


class Bucket:
    """One bucket, empty at first."""

    def __init__(self, url: str, fault: Fault) -> None:
        self.name = f"records-{next(_names)}"
        self.fault = fault
        self.settings = settings(url, self.name)
        self.client = _client(url)
        place = {"LocationConstraint": REGION}
        self.client.create_bucket(Bucket=self.name, CreateBucketConfiguration=place)

    def names(self) -> list[str]:
        """The names of all objects, in the order of the alphabet."""
        listed = self.client.list_objects_v2(Bucket=self.name)
        return [str(each["Key"]) for each in listed.get("Contents", [])]

    def body(self, name: str) -> bytes:
        """An object as it is stored."""
        found: bytes = self.client.get_object(Bucket=self.name, Key=name)["Body"].read()
        return found

    def lines(self, name: str) -> list[bytes]:
        """The records of an object, whatever its format."""
        body = self.body(name)
        if name.endswith(".parquet"):
            return [text.encode() for text in table(body).column("record").to_pylist()]
        if name.endswith(".gz"):
            body = gzip.decompress(body)
        elif name.endswith(".zst"):
            body = zstandard.ZstdDecompressor().decompress(body)
        return body.split(b"\n")[:-1]

    def all_lines(self) -> list[bytes]:
        """The records of all objects."""
        return [line for name in self.names() for line in self.lines(name)]


def settings(
    url: str,
    bucket: str = "records",
    *,
    checksums: Checksums = "when_supported",
    tls: ClientTls | None = None,
    timeout: float = 5.0,
) -> S3Settings:
    """How a bucket on loopback is reached; what is no S3 knows no ``checksums`` of the SDK."""
    return S3Settings(
        bucket=bucket,
        region=REGION,
        endpoint_url=url,
        path_style=True,
        credentials=CREDENTIALS,
        checksums=checksums,
        tls=tls or ClientTls(),
        timeout=timeout,
    )


def table(body: bytes) -> Any:
    """A Parquet object as a table."""
    return pq.read_table(io.BytesIO(body))


def bucket() -> Bucket:
    """A new bucket of the service, which runs for as long as the tests do."""
    url, fault = _service()
    fault.refuse = lambda _: None
    return Bucket(url, fault)


@contextmanager
def behind_tls(context: ssl.SSLContext) -> Iterator[int]:
    """The port of the service behind TLS, for the length of the block."""
    server = _serving(Fault(), context)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@cache
def _service() -> tuple[str, Fault]:
    """The service's URL, and its faults."""
    fault = Fault()
    return f"http://127.0.0.1:{_serving(fault).server_port}", fault


def _serving(fault: Fault, context: ssl.SSLContext | None = None) -> BaseWSGIServer:
    """The service, which runs until it is shut down."""
    moto = DomainDispatcherApplication(create_backend_app)

    def application(environ: dict[str, Any], respond: Callable[..., Any]) -> Iterable[bytes]:
        writes = environ["REQUEST_METHOD"] == "PUT" and environ["PATH_INFO"].count("/") > 1
        status = fault.verdict() if writes else None
        if status is None:
            return moto(environ, respond)  # type: ignore[no-any-return]
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        respond(f"{status} Refused", [("Content-Length", "0")])
        return [b""]

    server = make_server(
        "127.0.0.1", 0, application, threaded=True, request_handler=_Quiet, ssl_context=context
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@cache
def _client(url: str) -> Any:
    """The client that the tests look with."""
    session = Session(
        aws_access_key_id=CREDENTIALS.access_key_id,
        aws_secret_access_key=CREDENTIALS.secret_access_key,
    )
    return session.client("s3", endpoint_url=url, region_name=REGION)


class _Quiet(WSGIRequestHandler):
    """Answers without a log."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Stay quiet."""
