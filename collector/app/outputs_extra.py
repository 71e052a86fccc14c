"""Outputs whose libraries come with an extra: each is imported only where it is configured."""

# ruff: noqa: PLC0415

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from collector.app import tls
from collector.app.tls import revealed
from collector.config.destinations_kafka import KafkaConfig
from collector.config.destinations_s3 import S3Config
from collector.config.outputs import KafkaOutput, S3Output
from collector.config.tls import Tls
from collector.logs import ComponentLogger
from collector.senders.base import Hold, Sender
from collector.senders.kafka_producer import Producer
from collector.senders.kafka_settings import KafkaSasl, KafkaSettings
from collector.senders.s3_objects import Form, ndjson
from collector.senders.s3_settings import S3Credentials, S3Settings
from collector.senders.tls import ClientTls


def sender(output: KafkaOutput | S3Output, log: ComponentLogger) -> Sender:
    """A sender for one lane of such an output."""
    if isinstance(output, S3Output):
        return _s3(output.config)
    return _kafka(output.config, log)


def _kafka(config: KafkaConfig, log: ComponentLogger) -> Sender:
    from collector.senders.kafka import KafkaSender

    settings = KafkaSettings(
        servers=config.bootstrap_servers,
        tls=_client_tls(config.whole_tls()) if config.protocol == "tls" else None,
        sasl=_kafka_sasl(config),
        compression=config.compression,
        timeout=config.timeout_in_seconds,
        linger=config.linger_in_seconds,
        max_message_bytes=config.max_message_bytes,
        queue_messages=config.queue.max_messages,
        queue_bytes=config.queue.max_bytes,
    )
    connect = _kafka_producer(settings, log.logger)
    return KafkaSender(connect, topic=config.topic, key=config.record_key)


def _kafka_producer(settings: KafkaSettings, log: logging.Logger) -> Callable[[], Producer]:
    """Over librdkafka, which is the faster one, except for what it cannot do (0015)."""
    if settings.tls is not None and settings.tls.checks.server_name is not None:
        from collector.senders.kafka_aiokafka import AiokafkaProducer

        return partial(AiokafkaProducer, settings, log)
    from collector.senders.kafka_librdkafka import LibrdkafkaProducer

    return partial(LibrdkafkaProducer, settings, log)


def _s3(config: S3Config) -> Sender:
    from collector.senders.s3 import S3Sender

    return S3Sender(
        _s3_settings(config),
        prefix=config.prefix,
        partition=config.partition,
        form=_form(config),
        hold=Hold(seconds=config.objects.max_seconds, max_bytes=config.objects.max_bytes),
    )


def _client_tls(files: Tls) -> ClientTls:
    return ClientTls(
        ca=files.ca,
        cert=files.cert,
        key=files.key,
        password=revealed(files.key_password),
        checks=tls.checks(files),
    )


def _kafka_sasl(config: KafkaConfig) -> KafkaSasl | None:
    known = config.sasl
    if known is None:
        return None
    return KafkaSasl(
        mechanism=known.mechanism,
        username=known.username,
        password=known.password.get_secret_value(),
    )


def _s3_settings(config: S3Config) -> S3Settings:
    return S3Settings(
        bucket=config.bucket,
        region=config.region,
        endpoint_url=config.endpoint_url,
        path_style=config.path_style,
        credentials=_s3_credentials(config),
        profile=config.profile,
        encryption=config.encryption,
        kms_key_id=config.kms_key_id,
        storage_class=config.storage_class,
        conditional=config.conditional_writes,
        checksums=config.checksums,
        tls=_client_tls(config.whole_tls()),
        timeout=config.timeout_in_seconds,
    )


def _s3_credentials(config: S3Config) -> S3Credentials | None:
    known = config.credentials
    if known is None:
        return None
    return S3Credentials(
        access_key_id=known.access_key_id.get_secret_value(),
        secret_access_key=known.secret_access_key.get_secret_value(),
        session_token=revealed(known.session_token),
    )


def _form(config: S3Config) -> Form:
    if config.format == "ndjson":
        return ndjson(config.compression)
    from collector.senders.parquet import parquet

    return parquet(config.compression)
