"""A cluster behind TLS, and senders to it over the library that fits the name asked for."""

from __future__ import annotations

import ssl
from pathlib import Path

import msgspec

from collector.errors import CollectorError
from collector.net.tls import STRICT, Checks
from collector.senders.kafka import KafkaSender
from collector.senders.kafka_settings import KafkaSettings
from collector.senders.tls import ClientTls
from tests.fakes.batches import numbered
from tests.fakes.kafka_brokers import KafkaBrokers
from tests.fakes.kafka_door import KafkaDoor
from tests.fakes.kafka_engines import sender_over
from tests.fakes.pki import Issued, Pki
from tests.fakes.tls_doors import attempt, deliver

TAG = "casb.proofpoint.alert"
PASSWORD = "canary-4d1e"
LINES = numbered(1, 3)


class TlsKafka:
    """``name``: what is set as ``server_name``; None for the address, over librdkafka."""

    def __init__(self, pki: Pki, brokers: KafkaBrokers, name: str | None) -> None:
        self.pki = pki
        self.brokers = brokers
        self.name = name

    def client(
        self,
        ca: Path | None = None,
        cert: Path | None = None,
        key: Path | None = None,
        password: str | None = None,
        checks: Checks = STRICT,
    ) -> ClientTls:
        """Our side, which asks for the name."""
        named = msgspec.structs.replace(checks, server_name=self.name)
        return ClientTls(ca=ca, cert=cert, key=key, password=password, checks=named)

    def issue(self, issuer: Issued | None = None) -> Issued:
        """A broker's certificate, for the name that is asked for and no other."""
        names = (self.name or "127.0.0.1",)
        return self.pki.issue(issuer=issuer or self.pki.ca, names=names)

    def good(self, *, mutual: bool = False) -> ssl.SSLContext:
        """A broker's side with nothing wrong."""
        return server(self.issue(), self.pki.ca.cert if mutual else None)

    def sender(self, door: KafkaDoor, tls: ClientTls, timeout: float = 20.0) -> KafkaSender:
        """A sender through the door."""
        settings = KafkaSettings(servers=[door.servers], tls=tls, timeout=timeout)
        return sender_over("aiokafka" if self.name else "librdkafka", settings)

    def arrive(
        self, context: ssl.SSLContext, tls: ClientTls, host: str = "127.0.0.1"
    ) -> list[bytes | None]:
        """Deliver, see that it came, and give the certificates that the clients showed."""
        with KafkaDoor(context, self.brokers.servers, host) as door:
            deliver(self.sender(door, tls))
        assert [message.value() for message in self.brokers.messages(TAG)] == LINES
        return door.certificates

    def refused(self, context: ssl.SSLContext, tls: ClientTls) -> CollectorError:
        """The error of an attempt by which nothing arrived."""
        with KafkaDoor(context, self.brokers.servers) as door:
            error = attempt(lambda: deliver(self.sender(door, tls, 0.5)))
        assert error is not None
        assert self.brokers.messages(TAG) == []
        assert PASSWORD not in f"{error}{error!r}"
        assert error.remedy
        return error


def server(issued: Issued, clients: Path | None = None) -> ssl.SSLContext:
    """A broker's side, which may demand a certificate of an authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.cert, issued.key)
    if clients is not None:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def another(pki: Pki) -> Pki:
    """An authority that has nothing to do with this one."""
    folder = pki.ca.cert.parent / "another"
    folder.mkdir()
    return Pki(folder)
