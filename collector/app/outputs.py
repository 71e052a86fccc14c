"""From the settings of an output to its sender."""

from __future__ import annotations

import socket
import sys

from pydantic import SecretStr

from collector.config.destinations import Confirm
from collector.config.outputs import (
    ConsoleOutput,
    DevoOutput,
    FileOutput,
    HttpOutput,
    Output,
    SyslogOutput,
)
from collector.core.model import Clock
from collector.logs import ComponentLogger
from collector.senders.base import Hold, Sender
from collector.senders.console import ConsoleSender
from collector.senders.devo import DevoSender
from collector.senders.file import FileSender
from collector.senders.http import HttpSender
from collector.senders.stream import StreamOptions
from collector.senders.syslog import SyslogSender


def sender(output: Output, clock: Clock, log: ComponentLogger) -> Sender:
    """A sender for one lane of an output; nothing is connected yet."""
    match output:
        case FileOutput():
            return _file(output, clock)
        case DevoOutput():
            return _devo(output, clock, log)
        case SyslogOutput():
            return _syslog(output, clock, log)
        case HttpOutput():
            return _http(output, clock)
        case ConsoleOutput():
            return ConsoleSender(stream=sys.stdout.buffer, pretty=output.config.pretty)


def _file(output: FileOutput, clock: Clock) -> Sender:
    config = output.config
    return FileSender(
        path=config.path,
        clock=clock,
        max_bytes=config.max_bytes,
        rotate_every_in_hours=config.rotate_every_in_hours,
        compression=config.compression,
        fsync=config.fsync,
    )


def _devo(output: DevoOutput, clock: Clock, log: ComponentLogger) -> Sender:
    config = output.config
    return DevoSender(
        address=config.address,
        port=config.port,
        type=config.type,
        chain=config.chain,
        cert=config.cert,
        key=config.key,
        key_password=_revealed(config.key_password),
        hostname=config.hostname or socket.gethostname(),
        strict_timestamp=config.strict_timestamp,
        gzip=config.compression == "gzip",
        hold=_hold(config.confirm),
        **_stream(config.confirm, clock, log),
    )


def _syslog(output: SyslogOutput, clock: Clock, log: ComponentLogger) -> Sender:
    config = output.config
    return SyslogSender(
        address=config.address,
        port=config.port,
        protocol=config.protocol,
        format=config.format,
        framing=config.framing,
        facility=config.facility,
        severity=config.severity,
        hostname=config.hostname or socket.gethostname(),
        app_name=config.app_name,
        max_message_bytes=config.max_message_bytes,
        oversize=config.oversize,
        ca=config.ca,
        cert=config.cert,
        key=config.key,
        key_password=_revealed(config.key_password),
        hold=_hold(config.confirm),
        **_stream(config.confirm, clock, log),
    )


def _http(output: HttpOutput, clock: Clock) -> Sender:
    config = output.config
    return HttpSender(
        url=config.url.get_secret_value(),
        clock=clock,
        headers={name: value.get_secret_value() for name, value in config.headers.items()},
        body=config.body,
        compression=config.compression,
        timeout=config.timeout_in_seconds,
        ca=config.ca,
        cert=config.cert,
        key=config.key,
        max_request_bytes=config.max_request_bytes,
        id_header=config.id_header,
        statuses={int(status): meaning for status, meaning in config.status_actions.items()},
    )


def _hold(confirm: Confirm) -> Hold:
    return Hold(seconds=confirm.interval_in_seconds, max_bytes=confirm.window_in_bytes)


def _stream(confirm: Confirm, clock: Clock, log: ComponentLogger) -> StreamOptions:
    return StreamOptions(
        clock=clock,
        log=log.logger,
        timeout=confirm.timeout_in_seconds,
        confirmation=confirm.policy,
    )


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
