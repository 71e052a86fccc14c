"""From the settings of an output to its sender."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from types import MappingProxyType

from collector.app import outputs_extra, outputs_http, tls
from collector.config.destinations import Confirm
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
from collector.core.metadata import Metadata
from collector.core.model import Clock
from collector.logs import ComponentLogger
from collector.senders.base import Hold, Sender
from collector.senders.console import ConsoleSender
from collector.senders.devo import DevoSender
from collector.senders.file import FileSender
from collector.senders.stream import StreamOptions
from collector.senders.syslog import SyslogSender


def sender(
    output: Output,
    clock: Clock,
    log: ComponentLogger,
    metadata: Mapping[str, Metadata] = MappingProxyType({}),
) -> Sender:
    """A sender for one lane of an output; nothing is connected yet.

    ``metadata`` is what is said of each source, by its id.
    """
    match output:
        case FileOutput():
            return _file(output, clock, log)
        case DevoOutput():
            return _devo(output, clock, log)
        case SyslogOutput():
            return _syslog(output, clock, log)
        case (
            HttpOutput()
            | SplunkHecOutput()
            | ElasticsearchOutput()
            | SumoLogicOutput()
            | SentinelOutput()
        ):
            return outputs_http.sender(output, clock, metadata)
        case KafkaOutput() | S3Output():
            return outputs_extra.sender(output, log)
        case ConsoleOutput():
            return ConsoleSender(stream=sys.stdout.buffer, pretty=output.config.pretty)


def _file(output: FileOutput, clock: Clock, log: ComponentLogger) -> Sender:
    config = output.config
    return FileSender(
        path=config.path,
        clock=clock,
        log=log.logger,
        max_bytes=config.max_bytes,
        rotate_every_in_hours=config.rotate_every_in_hours,
        compression=config.compression,
        fsync=config.fsync,
    )


def _devo(output: DevoOutput, clock: Clock, log: ComponentLogger) -> Sender:
    config = output.config
    files = config.whole_tls()
    return DevoSender(
        address=config.address,
        port=config.port,
        type=config.type,
        chain=files.ca,
        cert=files.cert,
        key=files.key,
        key_password=tls.revealed(files.key_password),
        checks=tls.checks(files),
        hostname=config.hostname or socket.gethostname(),
        strict_timestamp=config.strict_timestamp,
        gzip=config.compression == "gzip",
        hold=_hold(config.confirm),
        **_stream(config.confirm, clock, log),
    )


def _syslog(output: SyslogOutput, clock: Clock, log: ComponentLogger) -> Sender:
    config = output.config
    files = config.whole_tls()
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
        ca=files.ca,
        cert=files.cert,
        key=files.key,
        key_password=tls.revealed(files.key_password),
        checks=tls.checks(files),
        hold=_hold(config.confirm),
        **_stream(config.confirm, clock, log),
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
