"""What the settings of TLS do at the output `kafka`, over loopback, up to confirmed records."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from collector.errors import CollectorError
from collector.net.tls import Checks
from collector.senders.error_numbers import CLIENT_CERTIFICATE, TLS_FAILED, TLS_FILES
from collector.senders.kafka import KafkaSender
from collector.senders.kafka_settings import KafkaSettings
from collector.senders.tls import ClientTls
from tests.fakes.batches import batch_of, numbered
from tests.fakes.destinations import LOG
from tests.fakes.kafka_brokers import KafkaBrokers
from tests.fakes.kafka_door import KafkaDoor
from tests.fakes.pki import Issued, Pki
from tests.fakes.tls_doors import attempt, deliver

TAG = "casb.proofpoint.alert"
PASSWORD = "canary-4d1e"
LINES = numbered(1, 3)

FORMS: dict[str, Callable[[Pki, Issued], ClientTls]] = {
    "pem": lambda _, mine: ClientTls(cert=mine.cert, key=mine.key),
    "pem, locked key": lambda pki, mine: ClientTls(
        cert=mine.cert, key=pki.locked(mine, PASSWORD), password=PASSWORD
    ),
    "der": lambda pki, mine: ClientTls(cert=pki.der(mine), key=pki.der_key(mine)),
    "der, locked key": lambda pki, mine: ClientTls(
        cert=pki.der(mine), key=pki.der_key(mine, PASSWORD), password=PASSWORD
    ),
    "pkcs12": lambda pki, mine: ClientTls(cert=pki.pkcs12(mine, PASSWORD), password=PASSWORD),
}


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    """A new authority."""
    return Pki(tmp_path)


@pytest.fixture
def brokers() -> Iterator[KafkaBrokers]:
    """A cluster with one topic of one partition."""
    with KafkaBrokers() as running:
        running.create(TAG)
        yield running


def another(pki: Pki) -> Pki:
    """An authority that has nothing to do with this one."""
    folder = pki.ca.cert.parent / "another"
    folder.mkdir()
    return Pki(folder)


def server(issued: Issued, clients: Path | None = None) -> ssl.SSLContext:
    """A broker's side, which may demand a certificate of an authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.cert, issued.key)
    if clients is not None:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def good(pki: Pki, *, mutual: bool = False) -> ssl.SSLContext:
    """A broker's side with nothing wrong."""
    return server(pki.issue(issuer=pki.ca), pki.ca.cert if mutual else None)


def sender(door: KafkaDoor, tls: ClientTls, timeout: float = 20.0) -> KafkaSender:
    """A sender through the door."""
    settings = KafkaSettings(servers=[door.servers], tls=tls, timeout=timeout)
    return KafkaSender(settings, topic="{tag}", key="event_id", log=LOG)


def arrive(
    brokers: KafkaBrokers, context: ssl.SSLContext, tls: ClientTls, host: str = "127.0.0.1"
) -> list[bytes | None]:
    """Deliver, see that it came, and give the certificates that the clients showed."""
    with KafkaDoor(context, brokers.servers, host) as door:
        deliver(sender(door, tls))
    assert [message.value() for message in brokers.messages(TAG)] == LINES
    return door.certificates


def refused(brokers: KafkaBrokers, context: ssl.SSLContext, tls: ClientTls) -> CollectorError:
    """The error of an attempt by which nothing arrived."""
    with KafkaDoor(context, brokers.servers) as door:
        error = attempt(lambda: deliver(sender(door, tls, 0.5)))
    assert error is not None
    assert brokers.messages(TAG) == []
    assert PASSWORD not in f"{error}{error!r}"
    assert error.remedy
    return error


@pytest.mark.parametrize("form", FORMS)
def test_a_client_certificate_in_each_form(brokers: KafkaBrokers, pki: Pki, form: str) -> None:
    """Brokers that demand a certificate see ours, whatever form its file has."""
    mine = pki.issue(issuer=pki.ca)
    given = FORMS[form](pki, mine)
    tls = ClientTls(ca=pki.der(pki.ca), cert=given.cert, key=given.key, password=given.password)
    shown = arrive(brokers, good(pki, mutual=True), tls)
    assert set(shown) == {mine.certificate.public_bytes(Encoding.DER)}


def test_the_issuers_are_presented(brokers: KafkaBrokers, pki: Pki) -> None:
    """Brokers that know the root alone can build the chain."""
    between = pki.issue(issuer=pki.ca, names=(), common_name="between", authority=True)
    bag = pki.pkcs12(pki.issue(issuer=between), PASSWORD, between)
    tls = ClientTls(ca=pki.ca.cert, cert=bag, password=PASSWORD)
    assert arrive(brokers, good(pki, mutual=True), tls)


def test_no_client_certificate(brokers: KafkaBrokers, pki: Pki) -> None:
    """The brokers' refusal is named as what it is."""
    error = refused(brokers, good(pki, mutual=True), ClientTls(ca=pki.ca.cert))
    assert error.number == CLIENT_CERTIFICATE


def test_the_name_is_asked_for_and_verified(brokers: KafkaBrokers, pki: Pki) -> None:
    """The broker's own name, and no other."""
    asked: list[str | None] = []
    context = server(pki.issue(issuer=pki.ca, names=("localhost",)))
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    arrive(brokers, context, ClientTls(ca=pki.ca.cert), "localhost")
    assert set(asked) == {"localhost"}


@pytest.mark.parametrize("name", ["kafka.example.com", "192.0.2.1"])
def test_another_name(brokers: KafkaBrokers, pki: Pki, name: str) -> None:
    """It is refused unless that is switched off."""
    context = server(pki.issue(issuer=pki.ca, names=(name,)))
    error = refused(brokers, context, ClientTls(ca=pki.ca.cert))
    assert error.number == TLS_FAILED
    assert "advertised.listeners" in error.remedy
    arrive(brokers, context, ClientTls(ca=pki.ca.cert, checks=Checks(verify_hostname=False)))


def test_another_authority(brokers: KafkaBrokers, pki: Pki) -> None:
    """It is refused, with our file named, unless verification is switched off."""
    other = another(pki).ca.cert
    checks = Checks(verify_hostname=False)
    error = refused(brokers, good(pki), ClientTls(ca=other, checks=checks))
    assert str(other) in error.cause
    arrive(brokers, good(pki), ClientTls(ca=other, checks=Checks(verify_certificate=False)))


def test_authorities_are_replaced_or_added(
    brokers: KafkaBrokers, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``replace`` trusts the file alone, ``add`` the system's authorities too."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.ca.cert))
    other = another(pki)
    refused(brokers, good(pki), ClientTls(ca=other.ca.cert))
    arrive(brokers, good(pki), ClientTls(ca=other.ca.cert, checks=Checks(ca_mode="add")))


def test_the_systems_authorities(
    brokers: KafkaBrokers, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without ``ca`` they are trusted, wherever the environment says that they are."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.ca.cert))
    arrive(brokers, good(pki), ClientTls())


def test_no_authorities_of_the_system(
    brokers: KafkaBrokers, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing to add to is told, not passed over."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.ca.cert.with_name("none")))
    monkeypatch.setenv("SSL_CERT_DIR", str(pki.ca.cert.with_name("none")))
    tls = ClientTls(ca=pki.ca.cert, checks=Checks(ca_mode="add"))
    error = refused(brokers, good(pki), tls)
    assert (error.number, "SSL_CERT_FILE" in error.remedy) == (TLS_FILES, True)


def test_an_intermediate_authority_alone(brokers: KafkaBrokers, pki: Pki) -> None:
    """The library wants the root: that is told with the file, before any connection."""
    between = pki.issue(issuer=pki.ca, names=(), common_name="between", authority=True)
    only = pki.der(between)
    context = server(pki.issue(issuer=between))
    error = refused(brokers, context, ClientTls(ca=only))
    assert f"{only} holds no root" in error.cause
    arrive(brokers, context, ClientTls(ca=between.cert))


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_an_old_protocol(brokers: KafkaBrokers, pki: Pki, version: str) -> None:
    """TLS before 1.2 is not spoken."""
    context = good(pki)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion[version]
        context.maximum_version = ssl.TLSVersion[version]
    error = refused(brokers, context, ClientTls(ca=pki.ca.cert))
    assert error.number == TLS_FAILED
    assert "TLS 1.2" in error.remedy


@pytest.mark.parametrize(
    ("oldest", "newest"), [("TLSv1_2", "TLSv1_2"), ("TLSv1_3", "TLSv1_3"), ("TLSv1_2", "TLSv1_3")]
)
def test_the_oldest_version(brokers: KafkaBrokers, pki: Pki, oldest: str, newest: str) -> None:
    """1.2 takes brokers of either version; 1.3 takes those alone that speak it."""
    context = good(pki)
    context.minimum_version = ssl.TLSVersion[oldest]
    context.maximum_version = ssl.TLSVersion[newest]
    arrive(brokers, context, ClientTls(ca=pki.ca.cert))
    strict = ClientTls(ca=pki.ca.cert, checks=Checks(min_version="1.3"))
    if newest == "TLSv1_3":
        with KafkaDoor(context, brokers.servers) as door:
            deliver(sender(door, strict))
        assert set(door.versions) == {"TLSv1.3"}
        return
    with KafkaDoor(context, brokers.servers) as door:
        error = attempt(lambda: deliver(sender(door, strict, 0.5)))
    assert error is not None
    assert (error.number, door.versions) == (TLS_FAILED, [])


def test_a_shared_key_opens_no_older_version(brokers: KafkaBrokers, pki: Pki) -> None:
    """A broker of TLS 1.2 that offers the one suite we name is refused like any other."""
    context = good(pki)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("PSK-AES256-GCM-SHA384:DEFAULT")
    tls = ClientTls(ca=pki.ca.cert, checks=Checks(min_version="1.3"))
    assert refused(brokers, context, tls).number == TLS_FAILED


def test_a_wrong_password(brokers: KafkaBrokers, pki: Pki) -> None:
    """The file is named, the password does not show."""
    bag = pki.pkcs12(pki.issue(issuer=pki.ca), "another")
    tls = ClientTls(ca=pki.ca.cert, cert=bag, password=PASSWORD)
    error = refused(brokers, good(pki), tls)
    assert error.number == TLS_FILES
    assert str(bag) in error.cause


def test_renewed_files_are_used_by_the_next_connection(brokers: KafkaBrokers, pki: Pki) -> None:
    """A new authority at the brokers: refused until our files are renewed, then taken."""
    new = another(pki)
    former, renewed = pki.issue(issuer=pki.ca), new.issue(issuer=new.ca)
    tls = ClientTls(ca=pki.ca.cert, cert=former.cert, key=former.key)
    with KafkaDoor(good(new, mutual=True), brokers.servers) as door:
        # Made from the former files, and too patient to fail with the one that is refused.
        made = sender(door, tls)
        made.send(batch_of(LINES))
        assert attempt(lambda: deliver(sender(door, tls, 0.5))) is not None
        pki.ca.cert.write_bytes(new.ca.cert.read_bytes())
        former.cert.write_bytes(renewed.cert.read_bytes())
        former.key.write_bytes(renewed.key.read_bytes())
        made.rewind(None)
        made.send(batch_of(LINES))
        made.flush()
        made.close()
    assert [message.value() for message in brokers.messages(TAG)] == LINES
