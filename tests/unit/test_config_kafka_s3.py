"""The settings of the outputs `kafka` and `s3`: defaults, and what they refuse together."""

from __future__ import annotations

from typing import Any

import pytest

from collector.config.extras import needs
from collector.config.outputs import KafkaOutput, S3Output
from collector.config.secured import secrets_of
from tests.fakes.config import changed, only, problems, settings

KAFKA: dict[str, Any] = {"bootstrap_servers": ["kafka.example.com:9093"]}
S3: dict[str, Any] = {"bucket": "acme-logs"}
USER = {"username": "collector", "password": "k4fka-secret"}


def document(kind: str, **config: object) -> dict[str, Any]:
    """A configuration with one such output."""
    required = KAFKA if kind == "kafka" else S3
    return changed("outputs.lake", {"type": kind, "config": {**required, **config}})


def test_defaults_of_kafka() -> None:
    """TLS, a key for each record, a topic for each tag."""
    found = settings(document("kafka")).outputs["lake"]
    assert isinstance(found, KafkaOutput)
    config = found.config
    assert (config.protocol, config.record_key, config.topic) == ("tls", "event_id", "{tag}")
    assert (config.compression, config.max_message_bytes) == ("zstd", 1_000_000)


def test_one_name_for_all_brokers() -> None:
    """It is taken, with every compression."""
    for compression in ("none", "zstd"):
        tls = {"server_name": "kafka.example.com"}
        found = settings(document("kafka", tls=tls, compression=compression)).outputs["lake"]
        assert isinstance(found, KafkaOutput)
        assert found.config.whole_tls().server_name == "kafka.example.com"


def test_defaults_of_s3() -> None:
    """Hours, gzip, objects of five minutes or 64 MiB, bound to what was there."""
    found = settings(document("s3")).outputs["lake"]
    assert isinstance(found, S3Output)
    config = found.config
    assert (config.partition, config.format, config.compression) == ("hour", "ndjson", "gzip")
    assert (config.objects.max_seconds, config.objects.max_bytes) == (300, 64 * 1024 * 1024)
    assert config.conditional_writes


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"bootstrap_servers": ["kafka.example.com"]}, "host:port"),
        ({"bootstrap_servers": ["kafka.example.com:99999"]}, "host:port"),
        ({"bootstrap_servers": []}, "empty"),
        ({"topic": "{host}"}, "no topic"),
        ({"topic": ".."}, "no topic"),
        ({"cert": "a.pem"}, "one of cert and key"),
        ({"cert": "a.p12", "key": "a.pem"}, "beside a PKCS#12 file"),
        ({"ca": "a.pem", "tls": {"ca": "b.pem"}}, "ca twice"),
        ({"protocol": "tcp", "ca": "a.pem"}, "protocol is tcp"),
        ({"protocol": "tcp", "tls": {"verify_hostname": False}}, "protocol is tcp"),
        ({"protocol": "tcp", "tls": {"server_name": "a.example.com"}}, "protocol is tcp"),
        ({"timeout_in_seconds": 1, "linger_in_seconds": 1}, "linger_in_seconds"),
        ({"protocol": "tcp", "sasl": {**USER, "mechanism": "PLAIN"}}, "in the clear"),
    ],
)
def test_kafka_refuses(config: dict[str, object], reason: str) -> None:
    """Each of these alone, with its reason."""
    assert reason in only(document("kafka", **config)).reason


def test_plain_password_on_this_machine() -> None:
    """A broker on loopback may be told the password over plain TCP."""
    sasl = {**USER, "mechanism": "PLAIN"}
    here = ["127.0.0.1:9092", "[::1]:9092", "localhost:9092"]
    assert problems(document("kafka", protocol="tcp", sasl=sasl, bootstrap_servers=here)) == ()


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"bucket": "Not A Bucket"}, "wrong form"),
        ({"prefix": "/logs/"}, "wrong form"),
        ({"storage_class": "cold"}, "wrong form"),
        ({"endpoint_url": "http://s3.example.com"}, "in the clear"),
        ({"endpoint_url": "https://s3.example.com/bucket"}, "path"),
        ({"kms_key_id": "alias/logs"}, "without KMS"),
        ({"cert": "a.pem"}, "one of cert and key"),
        ({"key_password": "a", "tls": {"key_password": "b"}}, "key_password twice"),
        ({"endpoint_url": "http://127.0.0.1:9000", "ca": "a.pem"}, "endpoint_url is http"),
        (
            {
                "profile": "logs",
                "credentials": {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "s3-secret"},
            },
            "both credentials and profile",
        ),
    ],
)
def test_s3_refuses(config: dict[str, object], reason: str) -> None:
    """Each of these alone, with its reason."""
    assert reason in only(document("s3", **config)).reason


def test_scheme_of_the_endpoint() -> None:
    """It is the same in capitals, and so is what goes with it."""
    found = settings(document("s3", endpoint_url="HTTPS://S3.example.com")).outputs["lake"]
    assert isinstance(found, S3Output)
    assert found.config.endpoint_url == "https://S3.example.com"
    plain = {"endpoint_url": "HTTP://127.0.0.1:9000", "ca": "a.pem"}
    assert "endpoint_url is http" in only(document("s3", **plain)).reason


@pytest.mark.parametrize("kind", ["kafka", "s3"])
def test_short_forms_of_tls(kind: str) -> None:
    """What stands beside ``tls`` is the same as what stands in it."""
    files = {"ca": "ca.der", "cert": "acme.p12", "key_password": "p12-secret"}
    checks = {"ca_mode": "add", "verify_hostname": False}
    found = settings(document(kind, **files, tls=checks)).outputs["lake"]
    assert isinstance(found, KafkaOutput | S3Output)
    other = settings(document(kind, tls={**files, **checks})).outputs["lake"]
    assert isinstance(other, KafkaOutput | S3Output)
    assert found.config.whole_tls() == other.config.whole_tls() == other.config.tls
    assert found.config.whole_tls().ca_mode == "add"


def test_shared_prefix() -> None:
    """Two outputs that would write the same objects are refused; other prefixes are not."""
    found = document("s3")
    found["outputs"]["second"] = {"type": "s3", "config": S3}
    assert only(found).path == "outputs.second.config.prefix"
    found["outputs"]["second"] = {"type": "s3", "config": {**S3, "prefix": "second"}}
    assert problems(found) == ()


def test_secrets_are_known_as_such() -> None:
    """The log can strike out each of them."""
    keys = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "s3-secret"}
    found = document("s3", credentials=keys)
    found["outputs"]["bus"] = {"type": "kafka", "config": {**KAFKA, "sasl": USER}}
    assert {"s3-secret", "AKIAEXAMPLE", "k4fka-secret"} <= set(secrets_of(settings(found)))


def test_missing_library() -> None:
    """It is named with the command that brings it."""
    needs("json", "anything")
    with pytest.raises(Exception, match="no_such_library") as failure:
        needs("no_such_library", "kafka")
    assert "proofpoint-collector[kafka]" in str(failure.value.context)  # type: ignore[attr-defined]
    assert "--build-arg REQUIREMENTS=" in str(failure.value.context)  # type: ignore[attr-defined]
