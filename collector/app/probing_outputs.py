"""The steps of an output: up to a record that its destination has confirmed."""

from __future__ import annotations

import os
import shutil
import ssl
from collections.abc import Callable, Mapping
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
from collector.errors import CollectorError, Undelivered
from collector.probe.findings import Step
from collector.probe.network import Place, place_of, reach
from collector.probe.steps import Failed, Passed, Steps
from collector.probe.verdicts import Trouble, Verdict, of_status
from collector.senders import error_numbers
from collector.senders.base import Sender
from collector.senders.tls import client_context

_FORBIDDEN = 403
_ROOM = 16 * 1024 * 1024
"""Free bytes below which a folder's disk counts as full."""

_TROUBLES = {
    error_numbers.NAME_UNKNOWN: Trouble.NO_NAME,
    error_numbers.REFUSED: Trouble.REFUSED,
    error_numbers.TIMED_OUT: Trouble.TIMED_OUT,
    error_numbers.UNTRUSTED: Trouble.TLS_AUTHORITY,
    error_numbers.WRONG_NAME: Trouble.TLS_NAME,
    error_numbers.CLIENT_CERTIFICATE: Trouble.TLS_CLIENT,
    error_numbers.TLS_FAILED: Trouble.TLS,
    error_numbers.CONNECTION_LOST: Trouble.CUT,
    error_numbers.NETWORK_FAILED: Trouble.UNREACHABLE,
    error_numbers.TLS_FILES: Trouble.FILES,
    error_numbers.DISK_FULL: Trouble.DISK_FULL,
    error_numbers.FILE_DENIED: Trouble.FOLDER,
    error_numbers.FILE_FAILED: Trouble.FOLDER,
    error_numbers.NOT_FOUND: Trouble.NOT_FOUND,
    error_numbers.BUSY: Trouble.TOO_MANY,
    error_numbers.SERVER_FAILED: Trouble.SERVER,
    error_numbers.REDIRECTED: Trouble.REDIRECTED,
    error_numbers.ALL_REFUSED: Trouble.REJECTED,
    error_numbers.UNREADABLE: Trouble.UNREADABLE,
    error_numbers.SETTINGS_REFUSED: Trouble.SETTING,
    error_numbers.UNACKNOWLEDGED: Trouble.SETTING,
    error_numbers.KAFKA_DENIED: Trouble.DENIED,
    error_numbers.KAFKA_TOPIC: Trouble.TOPIC,
    error_numbers.KAFKA_REPLICAS: Trouble.SERVER,
    error_numbers.S3_DENIED: Trouble.DENIED,
    error_numbers.S3_BUCKET: Trouble.BUCKET,
    error_numbers.S3_BUSY: Trouble.TOO_MANY,
    error_numbers.S3_CHANGED: Trouble.CONFLICT,
}
_EXACT = frozenset(
    {
        error_numbers.SETTINGS_REFUSED,
        error_numbers.UNACKNOWLEDGED,
        error_numbers.KAFKA_DENIED,
        error_numbers.KAFKA_TOPIC,
        error_numbers.S3_DENIED,
        error_numbers.NETWORK_FAILED,
    }
)
"""Errors whose remedy names the very setting or right: it stands in place of the row's."""
_STEPS = {
    **dict.fromkeys(
        (Trouble.UNAUTHORIZED, Trouble.FORBIDDEN, Trouble.DENIED, Trouble.TLS_CLIENT),
        Step.AUTHENTICATION,
    ),
    **dict.fromkeys((Trouble.PROXY_LOGIN, Trouble.PROXY_REFUSED), Step.PROXY),
}


def explain(rows: Mapping[Trouble, Verdict], error: CollectorError) -> Failed:
    """What an error of a sender means by these rows, and the step that it really was."""
    trouble = _trouble(error)
    known = rows.get(trouble, rows[Trouble.OTHER])
    exact = trouble is Trouble.OTHER or error.number in _EXACT
    verdict = Verdict(known.explanation, _sentence(error.remedy)) if exact else known
    return Failed(trouble, error.cause, verdict, _STEPS.get(trouble))


def _trouble(error: CollectorError) -> Trouble:
    """Its row: of an HTTP answer by its status, where its number says no more."""
    status = error.status if isinstance(error, Undelivered) else None
    if error.number == error_numbers.DENIED:
        return Trouble.FORBIDDEN if status == _FORBIDDEN else Trouble.UNAUTHORIZED
    if error.number == error_numbers.UNEXPECTED and status is not None:
        return of_status(status)
    return _TROUBLES.get(error.number, Trouble.OTHER)


def _sentence(remedy: str) -> str:
    return f"{remedy[:1].upper()}{remedy[1:]}."


def take_output(
    steps: Steps, name: str, output: Output, record: SpooledBatch | str, make: Callable[[], Sender]
) -> None:
    """Take the steps of one output; raises ``Ended`` at a failure.

    ``record`` is what is sent through the sender of ``make``, or why nothing is.
    """
    failed = [steps.failure(each) for each in _ways(steps, output)]
    unreached = [each for each in failed if each is not None]
    # One of a cluster's servers is enough to begin with; elsewhere each host has its own part.
    enough = len(unreached) < len(failed) if isinstance(output, KafkaOutput) else not unreached
    if not enough:
        steps.leave(Step.PROBE, name, unreached[0])
    elif isinstance(record, str):
        steps.skip(Step.PROBE, name, record)
    else:
        with steps.plan((Step.PROBE, name)):
            steps.take(Step.PROBE, name, partial(_confirmed, make, record))


def _ways(steps: Steps, output: Output) -> list[Callable[[], None]]:
    """What has to be reached, each a chain of steps."""
    if isinstance(output, FileOutput):
        path = output.config.path
        return [lambda: steps.take(Step.FOLDER, str(path), partial(_folder, path))]
    return [partial(reach, steps, place) for place in places(output)]


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
            return [place_of(s3.endpoint_url, _context(s3.whole_tls()), None)]
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
    plain = kafka.protocol == "tcp"
    return _place(host.strip("[]"), int(port), kafka.whole_tls(), plain=plain)


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
    if not existing.is_dir():
        raise Failed(Trouble.FOLDER, f"{existing} is a file, not a folder")
    if os.statvfs(existing).f_flag & os.ST_RDONLY:
        raise Failed(Trouble.READ_ONLY, f"{existing} lies on a read-only file system")
    if not os.access(existing, os.W_OK | os.X_OK, effective_ids=True):
        raise Failed(Trouble.FOLDER, f"user {os.geteuid()} may not write to {existing}")
    free = shutil.disk_usage(existing).free
    if free < _ROOM:
        raise Failed(Trouble.DISK_FULL, f"{existing} has {free:,} bytes left on its disk")
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
