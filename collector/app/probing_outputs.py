"""The steps of an output: up to a record that its destination has confirmed."""

from __future__ import annotations

import os
import shutil
import ssl
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from collector.app import tls
from collector.app.outputs_http import HttpKind
from collector.config.destinations_http import HttpConnection
from collector.config.destinations_kafka import KafkaConfig
from collector.config.outputs import (
    ConsoleOutput,
    DevoOutput,
    ElasticsearchOutput,
    FileOutput,
    HttpOutput,
    KafkaOutput,
    Output,
    S3Output,
    SentinelOutput,
    SplunkHecOutput,
    SumoLogicOutput,
    SyslogOutput,
)
from collector.config.tls import Tls
from collector.core.model import SpooledBatch
from collector.errors import CollectorError
from collector.probe.findings import Step
from collector.probe.network import Place, place_of, reach
from collector.probe.steps import Failed, Passed, Steps
from collector.probe.verdicts import TABLE, Side, Trouble, Verdict
from collector.senders import failures, http_answers
from collector.senders.base import Sender
from collector.senders.tls import client_context

_ROOM = 16 * 1024 * 1024
"""Free bytes below which a folder's disk counts as full."""

_KAFKA_DENIED = 650
_S3_DENIED = 645
_S3_BUSY = 647
"""Their modules need libraries that only some installations have."""

_TROUBLES = {
    failures.NAME_UNKNOWN: Trouble.NO_NAME,
    failures.REFUSED: Trouble.REFUSED,
    failures.TIMED_OUT: Trouble.TIMED_OUT,
    failures.UNTRUSTED: Trouble.TLS_AUTHORITY,
    failures.WRONG_NAME: Trouble.TLS_NAME,
    failures.CLIENT_CERTIFICATE: Trouble.TLS_CLIENT,
    failures.TLS_FAILED: Trouble.TLS,
    failures.CONNECTION_LOST: Trouble.CUT,
    failures.NETWORK_FAILED: Trouble.NO_ANSWER,
    failures.TLS_FILES: Trouble.FILES,
    failures.DISK_FULL: Trouble.FOLDER,
    failures.FILE_DENIED: Trouble.FOLDER,
    failures.FILE_FAILED: Trouble.FOLDER,
    http_answers.DENIED: Trouble.DENIED,
    http_answers.NOT_FOUND: Trouble.NOT_FOUND,
    http_answers.BUSY: Trouble.TOO_MANY,
    http_answers.SERVER_FAILED: Trouble.SERVER,
    http_answers.REDIRECTED: Trouble.REDIRECTED,
    http_answers.ALL_REFUSED: Trouble.REJECTED,
    http_answers.UNREADABLE: Trouble.UNREADABLE,
    _KAFKA_DENIED: Trouble.DENIED,
    _S3_DENIED: Trouble.DENIED,
    _S3_BUSY: Trouble.TOO_MANY,
}
_CREDENTIALS = frozenset({Trouble.DENIED, Trouble.TLS_CLIENT})


def explain(error: CollectorError) -> Failed:
    """What an error of a sender means; refused credentials are the step of authentication."""
    trouble = _TROUBLES.get(error.number, Trouble.OTHER)
    known = trouble in TABLE[Side.DESTINATION]
    return Failed(
        trouble,
        error.cause,
        None if known else Verdict(error.cause, error.remedy),
        Step.AUTHENTICATION if trouble in _CREDENTIALS else None,
    )


def take_output(
    steps: Steps, name: str, output: Output, record: SpooledBatch | str, make: Callable[[], Sender]
) -> None:
    """Take the steps of one output; raises ``Ended`` at a failure.

    ``record`` is what is sent through the sender of ``make``, or why nothing is.
    """
    if isinstance(output, FileOutput):
        steps.take(Step.FOLDER, str(output.config.path), partial(_folder, output.config.path))
    reached = [steps.passes(partial(reach, steps, place)) for place in places(output)]
    # One of a cluster's servers is enough to begin with; elsewhere each host has its own part.
    if not (any(reached) if isinstance(output, KafkaOutput) else all(reached)):
        return
    if isinstance(record, str):
        steps.skip(Step.PROBE, name, record)
    else:
        steps.take(Step.PROBE, name, partial(_confirmed, make, record))


def places(output: Output) -> list[Place]:
    """Where the connections of an output lead; nowhere that is known here, for some."""
    match output:
        case DevoOutput(config=devo):
            return [_place(devo.address, devo.port, devo.whole_tls(), plain=devo.type == "TCP")]
        case SyslogOutput(config=to):
            return [_place(to.address, to.port, to.whole_tls(), plain=to.protocol == "tcp")]
        case KafkaOutput(config=kafka):
            return [_broker(server, kafka) for server in kafka.bootstrap_servers]
        case S3Output(config=s3) if s3.endpoint_url is not None:
            return [place_of(s3.endpoint_url, partial(client_context, ca=s3.ca), None)]
        case FileOutput() | S3Output() | ConsoleOutput():
            return []
        case _:
            return [_http(url, output.config) for url in _urls(output)]


def _urls(output: HttpKind) -> list[str]:
    """Every URL that an output over HTTP posts to."""
    match output:
        case HttpOutput() | SumoLogicOutput():
            return [output.config.url.get_secret_value()]
        case SplunkHecOutput() | ElasticsearchOutput():
            return [output.config.url]
        case SentinelOutput(config=sentinel):
            return [sentinel.authority, sentinel.endpoint]


def _http(url: str, config: HttpConnection) -> Place:
    return place_of(url, _context(config.whole_tls()), tls.proxy(config.proxy))


def _broker(server: str, kafka: KafkaConfig) -> Place:
    host, _, port = server.rpartition(":")
    files = Tls.model_construct(
        ca=kafka.ca, cert=kafka.cert, key=kafka.key, key_password=kafka.key_password
    )
    return _place(host.strip("[]"), int(port), files, plain=kafka.protocol == "tcp")


def _context(files: Tls) -> Callable[[], ssl.SSLContext]:
    return partial(
        client_context,
        ca=files.ca,
        cert=files.cert,
        key=files.key,
        password=tls.revealed(files.key_password),
        checks=tls.checks(files),
    )


def _place(host: str, port: int, files: Tls, *, plain: bool) -> Place:
    return Place(host=host, port=port, context=None if plain else _context(files))


def _folder(path: Path, _seconds: float) -> Passed[None]:
    """Whether files can be made there; nothing is made."""
    existing = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        raise Failed(Trouble.FOLDER, f"{existing} is no folder that this user may write to")
    free = shutil.disk_usage(existing).free
    if free < _ROOM:
        raise Failed(Trouble.FOLDER, f"{existing} has {free} bytes left on its disk")
    missing = "" if existing == path else "it will be made; "
    return Passed(None, f"{missing}{free / 1024**3:,.1f} GiB free")


def _confirmed(make: Callable[[], Sender], record: SpooledBatch, _seconds: float) -> Passed[None]:
    """Send one record, and wait until the destination has it."""
    with closing(make()) as sender:
        sender.rewind(None)
        refused = sender.send(record)
        if refused:
            raise Failed(Trouble.REJECTED, refused[0].reason)
        sender.flush()
    return Passed(None, f"the destination has confirmed the record {record.uid}")
