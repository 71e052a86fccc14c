"""What the settings of TLS do at the output `kafka`, over loopback, up to confirmed records.

Each is tried with the brokers' own name and with one for all (`server_name`), which are two
libraries.
"""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from collector.net.tls import Checks
from collector.senders.error_numbers import (
    CLIENT_CERTIFICATE,
    TLS_FAILED,
    TLS_FILES,
    UNTRUSTED,
    WRONG_NAME,
)
from collector.senders.tls import ClientTls
from tests.fakes.batches import batch_of
from tests.fakes.kafka_brokers import KafkaBrokers
from tests.fakes.kafka_door import KafkaDoor
from tests.fakes.kafka_tls import LINES, PASSWORD, TAG, TlsKafka, another, server
from tests.fakes.pki import Issued, Pki
from tests.fakes.tls_doors import attempt, deliver

NAME = "kafka.example.com"
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


@pytest.fixture(params=[None, NAME], ids=["own name", "one name"])
def kafka(request: pytest.FixtureRequest, pki: Pki, brokers: KafkaBrokers) -> TlsKafka:
    """The cluster behind TLS."""
    return TlsKafka(pki, brokers, request.param)


@pytest.mark.parametrize("form", FORMS)
def test_a_client_certificate_in_each_form(kafka: TlsKafka, pki: Pki, form: str) -> None:
    """Brokers that demand a certificate see ours, whatever form its file has."""
    mine = pki.issue(issuer=pki.ca)
    given = FORMS[form](pki, mine)
    tls = kafka.client(pki.der(pki.ca), given.cert, given.key, given.password)
    shown = kafka.arrive(kafka.good(mutual=True), tls)
    assert set(shown) == {mine.certificate.public_bytes(Encoding.DER)}


def test_the_issuers_are_presented(kafka: TlsKafka, pki: Pki) -> None:
    """Brokers that know the root alone can build the chain."""
    between = pki.issue(issuer=pki.ca, names=(), common_name="between", authority=True)
    bag = pki.pkcs12(pki.issue(issuer=between), PASSWORD, between)
    tls = kafka.client(pki.ca.cert, bag, password=PASSWORD)
    assert kafka.arrive(kafka.good(mutual=True), tls)


def test_no_client_certificate(kafka: TlsKafka, pki: Pki) -> None:
    """The brokers' refusal is named as what it is."""
    error = kafka.refused(kafka.good(mutual=True), kafka.client(pki.ca.cert))
    assert error.number == CLIENT_CERTIFICATE


def test_the_name_is_asked_for_and_verified(brokers: KafkaBrokers, pki: Pki) -> None:
    """The broker's own name, and no other."""
    asked: list[str | None] = []
    context = server(pki.issue(issuer=pki.ca, names=("localhost",)))
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    TlsKafka(pki, brokers, None).arrive(context, ClientTls(ca=pki.ca.cert), "localhost")
    assert set(asked) == {"localhost"}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_one_name_is_asked_for_and_verified(brokers: KafkaBrokers, pki: Pki, host: str) -> None:
    """``server_name``, at the broker to begin with and at those that it gives out."""
    asked: list[str | None] = []
    kafka = TlsKafka(pki, brokers, NAME)
    context = kafka.good()
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    shown = kafka.arrive(context, kafka.client(pki.ca.cert), host)
    assert len(asked) == len(shown) >= 2
    assert set(asked) == {NAME}


@pytest.mark.parametrize("name", ["other.example.com", "192.0.2.1"])
def test_another_name(kafka: TlsKafka, pki: Pki, name: str) -> None:
    """It is refused unless that is switched off."""
    context = server(pki.issue(issuer=pki.ca, names=(name,)))
    error = kafka.refused(context, kafka.client(pki.ca.cert))
    if kafka.name is None:
        assert error.number == TLS_FAILED
        assert "advertised.listeners" in error.remedy
    else:
        assert error.number == WRONG_NAME
        assert "tls.server_name" in error.remedy
    kafka.arrive(context, kafka.client(pki.ca.cert, checks=Checks(verify_hostname=False)))


def test_the_address_is_no_name(brokers: KafkaBrokers, pki: Pki) -> None:
    """With ``server_name`` a certificate for the broker's address is one for another name."""
    context = server(pki.issue(issuer=pki.ca))
    kafka = TlsKafka(pki, brokers, NAME)
    error = kafka.refused(context, kafka.client(pki.ca.cert))
    assert error.number == WRONG_NAME
    assert NAME in error.cause


def test_another_authority(kafka: TlsKafka, pki: Pki) -> None:
    """It is refused, with what to set, unless verification is switched off."""
    other = another(pki).ca.cert
    error = kafka.refused(kafka.good(), kafka.client(other, checks=Checks(verify_hostname=False)))
    assert error.number == (UNTRUSTED if kafka.name else TLS_FAILED)
    assert kafka.name or str(other) in error.cause
    assert "set ca " in error.remedy
    kafka.arrive(kafka.good(), kafka.client(other, checks=Checks(verify_certificate=False)))


def test_authorities_are_replaced_or_added(
    kafka: TlsKafka, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``replace`` trusts the file alone, ``add`` the system's authorities too."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.ca.cert))
    other = another(pki)
    kafka.refused(kafka.good(), kafka.client(other.ca.cert))
    kafka.arrive(kafka.good(), kafka.client(other.ca.cert, checks=Checks(ca_mode="add")))


def test_the_systems_authorities(
    kafka: TlsKafka, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without ``ca`` they are trusted, wherever the environment says that they are."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.ca.cert))
    kafka.arrive(kafka.good(), kafka.client())


def test_no_authorities_of_the_system(
    brokers: KafkaBrokers, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing to add to is told, not passed over."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.ca.cert.with_name("none")))
    monkeypatch.setenv("SSL_CERT_DIR", str(pki.ca.cert.with_name("none")))
    kafka = TlsKafka(pki, brokers, None)
    error = kafka.refused(kafka.good(), kafka.client(pki.ca.cert, checks=Checks(ca_mode="add")))
    assert (error.number, "SSL_CERT_FILE" in error.remedy) == (TLS_FILES, True)


def test_an_intermediate_authority_alone(kafka: TlsKafka, pki: Pki) -> None:
    """The root is wanted by librdkafka: that is told with the file, before any connection."""
    between = pki.issue(issuer=pki.ca, names=(), common_name="between", authority=True)
    only = pki.der(between)
    context = server(kafka.issue(between))
    if kafka.name is None:
        error = kafka.refused(context, kafka.client(only))
        assert f"{only} holds no root" in error.cause
        kafka.arrive(context, kafka.client(between.cert))
    else:
        kafka.arrive(context, kafka.client(only))


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_an_old_protocol(kafka: TlsKafka, pki: Pki, version: str) -> None:
    """TLS before 1.2 is not spoken."""
    context = kafka.good()
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion[version]
        context.maximum_version = ssl.TLSVersion[version]
    error = kafka.refused(context, kafka.client(pki.ca.cert))
    assert error.number == TLS_FAILED
    assert "TLS 1.2" in error.remedy


@pytest.mark.parametrize(
    ("oldest", "newest"), [("TLSv1_2", "TLSv1_2"), ("TLSv1_3", "TLSv1_3"), ("TLSv1_2", "TLSv1_3")]
)
def test_the_oldest_version(kafka: TlsKafka, pki: Pki, oldest: str, newest: str) -> None:
    """1.2 takes brokers of either version; 1.3 takes those alone that speak it."""
    context = kafka.good()
    context.minimum_version = ssl.TLSVersion[oldest]
    context.maximum_version = ssl.TLSVersion[newest]
    kafka.arrive(context, kafka.client(pki.ca.cert))
    strict = kafka.client(pki.ca.cert, checks=Checks(min_version="1.3"))
    if newest == "TLSv1_3":
        with KafkaDoor(context, kafka.brokers.servers) as door:
            deliver(kafka.sender(door, strict))
        assert set(door.versions) == {"TLSv1.3"}
        return
    with KafkaDoor(context, kafka.brokers.servers) as door:
        error = attempt(lambda: deliver(kafka.sender(door, strict, 0.5)))
    assert error is not None
    assert (error.number, door.versions) == (TLS_FAILED, [])


def test_a_shared_key_opens_no_older_version(kafka: TlsKafka, pki: Pki) -> None:
    """A broker of TLS 1.2 that offers the one suite we name is refused like any other."""
    context = kafka.good()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("PSK-AES256-GCM-SHA384:DEFAULT")
    tls = kafka.client(pki.ca.cert, checks=Checks(min_version="1.3"))
    assert kafka.refused(context, tls).number == TLS_FAILED


def test_a_wrong_password(kafka: TlsKafka, pki: Pki) -> None:
    """The file is named, the password does not show."""
    bag = pki.pkcs12(pki.issue(issuer=pki.ca), "another")
    tls = kafka.client(pki.ca.cert, bag, password=PASSWORD)
    error = kafka.refused(kafka.good(), tls)
    assert error.number == TLS_FILES
    assert str(bag) in error.cause


def test_renewed_files_are_used_by_the_next_connection(kafka: TlsKafka, pki: Pki) -> None:
    """A new authority at the brokers: refused until our files are renewed, then taken."""
    new = another(pki)
    former, renewed = pki.issue(issuer=pki.ca), new.issue(issuer=new.ca)
    tls = kafka.client(pki.ca.cert, former.cert, former.key)
    theirs = TlsKafka(new, kafka.brokers, kafka.name).good(mutual=True)
    with KafkaDoor(theirs, kafka.brokers.servers) as door:
        # Made from the former files, and too patient to fail with the one that is refused.
        made = kafka.sender(door, tls)
        made.send(batch_of(LINES))
        assert attempt(lambda: deliver(kafka.sender(door, tls, 0.5))) is not None
        pki.ca.cert.write_bytes(new.ca.cert.read_bytes())
        former.cert.write_bytes(renewed.cert.read_bytes())
        former.key.write_bytes(renewed.key.read_bytes())
        made.rewind(None)
        made.send(batch_of(LINES))
        made.flush()
        made.close()
    assert [message.value() for message in kafka.brokers.messages(TAG)] == LINES
