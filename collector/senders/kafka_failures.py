"""What Kafka's errors mean for the operator, in the delivery band 650-654."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

from collector.errors import Undelivered
from collector.senders.error_numbers import (
    CLIENT_CERTIFICATE,
    CONNECTION_LOST,
    KAFKA_DENIED,
    KAFKA_FAILED,
    KAFKA_REPLICAS,
    KAFKA_TOO_LARGE,
    KAFKA_TOPIC,
    NAME_UNKNOWN,
    TIMED_OUT,
    TLS_FAILED,
)
from collector.senders.tls import ClientTls

# Parts of OpenSSL's texts: our refusal of a certificate, and alerts about ours.
_NOT_ACCEPTED = "certificate verify failed"
_CERTIFICATE_ALERTS = ("certificate", "unknown ca", "access denied", "decrypt error")
_TOO_LARGE = (
    KAFKA_TOO_LARGE,
    (
        "nothing: these records are sent again one by one, and one that is too large alone is "
        "kept aside; lower max_message_bytes to the topic's max.message.bytes to spare this"
    ),
)
_CREDENTIALS = (KAFKA_DENIED, "check sasl: mechanism, username and password")
_NO_TOPIC = (KAFKA_TOPIC, "create the topic")
_NO_REPLICAS = (
    KAFKA_REPLICAS,
    "bring the missing brokers back: min.insync.replicas of the topic is not met",
)
# By librdkafka's names; those that begin with _ are its own, the others the brokers'.
_REMEDIES: dict[str, tuple[int, str]] = {
    "_RESOLVE": (NAME_UNKNOWN, "check bootstrap_servers and this machine's name service"),
    "_TRANSPORT": (
        CONNECTION_LOST,
        "check that the brokers run, bootstrap_servers, protocol, and the firewalls between",
    ),
    "_SSL": (
        TLS_FAILED,
        "check that the brokers speak TLS 1.2 (1.3 with tls.min_version), or want a certificate",
    ),
    "_INVALID_ARG": (
        KAFKA_FAILED,
        "check the output's settings, and its certificate files with: collector check",
    ),
    "_MSG_TIMED_OUT": (
        TIMED_OUT,
        "check the brokers' load and the network; the records are sent again",
    ),
    "_AUTHENTICATION": _CREDENTIALS,
    "SASL_AUTHENTICATION_FAILED": _CREDENTIALS,
    "UNSUPPORTED_SASL_MECHANISM": _CREDENTIALS,
    "TOPIC_AUTHORIZATION_FAILED": (
        KAFKA_DENIED,
        "allow the collector's user to WRITE and DESCRIBE the topic",
    ),
    "CLUSTER_AUTHORIZATION_FAILED": (
        KAFKA_DENIED,
        "allow the collector's user IDEMPOTENT_WRITE on the cluster (brokers before 2.8)",
    ),
    "_UNKNOWN_TOPIC": _NO_TOPIC,
    "UNKNOWN_TOPIC_OR_PART": _NO_TOPIC,
    "TOPIC_EXCEPTION": (KAFKA_TOPIC, "correct topic: a broker does not take such a name"),
    "NOT_ENOUGH_REPLICAS": _NO_REPLICAS,
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND": _NO_REPLICAS,
    "MSG_SIZE_TOO_LARGE": _TOO_LARGE,
    "RECORD_LIST_TOO_LARGE": _TOO_LARGE,
    "INVALID_RECORD": (
        KAFKA_FAILED,
        "check what the topic demands of a record: a compacted one wants a key",
    ),
}
_ELSE = (KAFKA_FAILED, "look at the brokers' log; the records are sent again")


def too_large(error: KafkaError) -> bool:
    """Whether the topic, or our own limit, will not take it for its size."""
    return _REMEDIES.get(error.name()) == _TOO_LARGE


def failure(
    error: KafkaError, trouble: KafkaError | None = None, tls: ClientTls | None = None
) -> Undelivered:
    """Name an error; a time-out by the ``trouble`` that the connections last told of, if any.

    ``tls`` names the authorities that were believed.
    """
    if error.name() == "_MSG_TIMED_OUT" and trouble is not None:
        error = trouble
    name, text = _name(error), error.str()
    if name == "_SSL" and _NOT_ACCEPTED in text:
        return _unaccepted(text, tls)
    if name == "_SSL" and "alert" in text and any(part in text for part in _CERTIFICATE_ALERTS):
        remedy = "set cert and key to a pair that the brokers know and that has not expired"
        return Undelivered(CLIENT_CERTIFICATE, f"Kafka: {text}", remedy)
    return called(name, text)


def called(name: str, text: str) -> Undelivered:
    """What an error of that name in librdkafka means; ``text`` says what was seen."""
    number, remedy = _REMEDIES.get(name, _ELSE)
    return Undelivered(number, f"Kafka: {text}", remedy)


def _name(error: KafkaError) -> str:
    """The library's name for it; what TLS says is now and then called a transport."""
    text = error.str()
    spoken = "SSL_HANDSHAKE" in text or "SSL routines" in text
    return "_SSL" if spoken and error.name() == "_TRANSPORT" else str(error.name())


def _unaccepted(text: str, tls: ClientTls | None) -> Undelivered:
    """A broker's certificate is refused; why, the library does not say."""
    broker = text.partition(": SSL")[0]
    known = "the system's authorities" if tls is None or tls.ca is None else str(tls.ca)
    return Undelivered(
        TLS_FAILED,
        f"Kafka: the certificate of {broker} is not accepted with {known} ({_NOT_ACCEPTED})",
        "set ca to the authority that signed it; check that it is for the name in "
        "bootstrap_servers or advertised.listeners, and its dates; `collector test` tells which",
    )


def unanswered(count: int) -> Undelivered:
    """A time-out of which nobody knows the cause."""
    return called("_MSG_TIMED_OUT", f"{count} records were not answered in time")


@contextmanager
def raising() -> Iterator[None]:
    """Turn what the library raises into ``Undelivered``."""
    try:
        yield
    except KafkaException as error:
        raise failure(error.args[0]) from error
