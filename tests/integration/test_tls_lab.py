"""A laboratory of bad certificates, made on the spot (reliability matrix, row 29).

Whatever is wrong with TLS: our own error, with the reason and with something to do,
nothing sent, and none of OpenSSL's raw text.  What the settings allow is in
``test_tls_settings.py``.
"""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.errors import CollectorError
from collector.senders.error_numbers import TLS_FILES, UNTRUSTED
from collector.senders.http import HttpSender
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock
from tests.fakes.pki import Issued, Pki
from tests.fakes.raw_server import RawServer, answer
from tests.fakes.tls_doors import OUTPUTS, SECONDS, VENDOR, Door, Files, attempt

DOORS = {**OUTPUTS, **VENDOR}
PASSWORD = "canary-51c0"

each_door = pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
each_output = pytest.mark.parametrize("door", OUTPUTS.values(), ids=OUTPUTS)


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    """A new authority."""
    return Pki(tmp_path)


def server(issued: Issued, clients: Path | None = None) -> ssl.SSLContext:
    """A server that presents this certificate, be it as weak as it likes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.load_cert_chain(issued.cert, issued.key)
    if clients is not None:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def good(pki: Pki) -> ssl.SSLContext:
    """A server with nothing wrong."""
    return server(pki.issue(issuer=pki.ca))


def refused(door: Door, context: ssl.SSLContext, files: Files) -> CollectorError:
    """The error, after what holds for every one was checked."""
    outcome = door(context, files)
    assert outcome.error is not None
    assert not outcome.arrived
    assert outcome.error.number
    assert outcome.error.remedy
    for raw in ("[SSL", "_ssl.c", "Traceback", "object at 0x", PASSWORD):
        assert raw not in str(outcome.error)
    return outcome.error


def through_a_leaf(pki: Pki) -> Issued:
    """A certificate signed by one that is no authority."""
    return pki.issue(issuer=pki.issue(issuer=pki.ca, common_name="leaf"))


BAD: dict[str, tuple[Callable[[Pki], Issued], str, str]] = {
    "expired": (
        lambda pki: pki.issue(issuer=pki.ca, starts=-9, ends=-1),
        "certificate has expired",
        "renew|system time|clock",
    ),
    "not yet valid": (
        lambda pki: pki.issue(issuer=pki.ca, starts=1),
        "certificate is not yet valid",
        "system time|clock",
    ),
    "wrong host": (
        lambda pki: pki.issue(issuer=pki.ca, names=["siem.example.com", "192.0.2.1"]),
        "mismatch",
        "name",
    ),
    "common name only": (
        lambda pki: pki.issue(issuer=pki.ca, names=(), common_name="127.0.0.1"),
        "mismatch",
        "name",
    ),
    "self-signed": (lambda pki: pki.issue(), "self-signed certificate", "authority|tls.ca"),
    "unknown root": (
        lambda pki: pki.issue(issuer=pki.issue(names=(), authority=True, common_name="Other")),
        "self-signed certificate in certificate chain",
        "authority|tls.ca",
    ),
    "weak key": (lambda pki: pki.issue(issuer=pki.ca, rsa_bits=1024), "key too weak", "2048"),
    "issuer is no authority": (through_a_leaf, "invalid CA certificate", "authority|tls.ca"),
}


@each_door
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_server_certificate(door: Door, pki: Pki, kind: str) -> None:
    """Refused before anything is sent, with OpenSSL's reason and what to do about it."""
    make, reason, remedy = BAD[kind]
    error = refused(door, server(make(pki)), Files(ca=pki.ca.cert))
    assert reason in error.cause
    assert any(word in error.remedy for word in remedy.split("|"))


@each_door
def test_a_good_server_certificate(door: Door, pki: Pki) -> None:
    """The laboratory itself works."""
    assert door(good(pki), Files(ca=pki.ca.cert)) == (None, True)


@each_door
def test_an_authority_of_ours_replaces_the_systems(door: Door, pki: Pki) -> None:
    """Without ``ca``, an authority that the system does not know is not believed."""
    assert "certificate" in refused(door, good(pki), Files()).cause


@each_door
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_an_old_protocol(door: Door, pki: Pki, version: str) -> None:
    """TLS before 1.2 is not spoken."""
    context = good(pki)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion[version]
        context.maximum_version = ssl.TLSVersion[version]
    error = refused(door, context, Files(ca=pki.ca.cert))
    assert "no TLS" in error.cause
    assert "TLS 1.2" in error.remedy


@each_door
def test_a_file_that_holds_no_authority(door: Door, pki: Pki) -> None:
    """The file is named, and the forms that it can have."""
    error = refused(door, good(pki), Files(ca=pki.ca.key))
    assert f"{pki.ca.key} holds no certificate in PEM or DER" in error.cause


@each_door
def test_the_right_client_certificate(door: Door, pki: Pki) -> None:
    """A server that demands one gets it."""
    mine = pki.issue(issuer=pki.ca)
    context = server(pki.issue(issuer=pki.ca), clients=pki.ca.cert)
    assert door(context, Files(pki.ca.cert, mine.cert, mine.key)) == (None, True)


@each_output
@pytest.mark.parametrize("maximum", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("kind", ["absent", "wrong"])
def test_no_good_client_certificate(door: Door, pki: Pki, kind: str, maximum: str) -> None:
    """None, or one from an authority that the server does not know: its refusal is named."""
    context = server(pki.issue(issuer=pki.ca), clients=pki.ca.cert)
    context.maximum_version = ssl.TLSVersion[maximum]
    stranger = pki.issue()
    given = (stranger.cert, stranger.key) if kind == "wrong" else (None, None)
    error = refused(door, context, Files(pki.ca.cert, *given))
    assert "client certificate" in str(error)


@each_door
@pytest.mark.parametrize("password", [None, PASSWORD])
def test_a_wrong_key_password(door: Door, pki: Pki, password: str | None) -> None:
    """Nobody is asked on a terminal; the password does not show."""
    mine = pki.issue(issuer=pki.ca)
    locked = pki.locked(mine, "another password")
    error = refused(door, good(pki), Files(pki.ca.cert, mine.cert, locked, password))
    assert str(locked) in error.cause
    assert "key" in error.remedy


@each_door
def test_a_key_of_another_certificate(door: Door, pki: Pki) -> None:
    """A half-done renewal."""
    old, new = pki.issue(issuer=pki.ca), pki.issue(issuer=pki.ca)
    error = refused(door, good(pki), Files(pki.ca.cert, new.cert, old.key))
    assert "belongs" in error.remedy


def test_http_reads_renewed_files_after_a_failure(pki: Pki, tmp_path: Path) -> None:
    """No file, then one with another authority, then the right one: no restart is needed."""
    ca = tmp_path / "late.pem"
    with RawServer(lambda peer: peer.send(answer(b"")), good(pki)) as listening:
        sender = HttpSender(url=listening.url, ca=ca, timeout=SECONDS, clock=ManualClock(FIRST))
        numbers = []
        for content in (None, pki.issue().cert.read_bytes(), pki.ca.cert.read_bytes()):
            if content is not None:
                ca.write_bytes(content)
            error = attempt(lambda: sender.send(batch_of(numbered(1, 3))))
            numbers.append(error and error.number)
            sender.rewind(None)
    assert numbers == [TLS_FILES, UNTRUSTED, None]


@each_door
def test_a_key_that_everybody_can_read(door: Door, pki: Pki) -> None:
    """Refused, with the command that helps."""
    mine = pki.issue(issuer=pki.ca)
    mine.key.chmod(0o644)
    error = refused(door, good(pki), Files(pki.ca.cert, mine.cert, mine.key))
    assert error.remedy == f"run: chmod 600 {mine.key}"
