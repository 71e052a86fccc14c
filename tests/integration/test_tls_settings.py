"""What the settings of TLS do at every input and output, over loopback.

The rows of ``docs/tls.md``: forms of files, what is verified, which name and version.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.errors import CollectorError
from collector.net.material import Unusable
from collector.net.tls import Checks, client_side, unseen
from tests.fakes.pki import Issued, Pki
from tests.fakes.tls_doors import OUTPUTS, VENDOR, Door, Files, Outcome

PASSWORD = "canary-7f21"

each_door = pytest.mark.parametrize("door", {**OUTPUTS, **VENDOR}.values(), ids=[*OUTPUTS, *VENDOR])

# What the operator names: certificate, key, password.
Named = tuple[Path, Path | None, str | None]

FORMS: dict[str, Callable[[Pki, Issued], Named]] = {
    "pem": lambda _, mine: (mine.cert, mine.key, None),
    "pem, locked key": lambda pki, mine: (mine.cert, pki.locked(mine, PASSWORD), PASSWORD),
    "pem, needless password": lambda _, mine: (mine.cert, mine.key, PASSWORD),
    "pem, both in one": lambda pki, mine: (pki.combined(mine), None, None),
    "der": lambda pki, mine: (pki.der(mine), pki.der_key(mine), None),
    "der, locked key": lambda pki, mine: (pki.der(mine), pki.der_key(mine, PASSWORD), PASSWORD),
    "der and pem": lambda pki, mine: (pki.der(mine), mine.key, None),
    "pkcs12": lambda pki, mine: (pki.pkcs12(mine, PASSWORD, pki.ca), None, PASSWORD),
    "pkcs12, no password": lambda pki, mine: (pki.pkcs12(mine, None), None, None),
}


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    """A new authority."""
    return Pki(tmp_path)


def another(pki: Pki) -> Pki:
    """An authority that has nothing to do with this one."""
    folder = pki.ca.cert.parent / "another"
    folder.mkdir()
    return Pki(folder)


def server(
    pki: Pki, *, names: tuple[str, ...] = ("127.0.0.1",), mutual: bool = False
) -> ssl.SSLContext:
    """A server of that authority, which may ask for a certificate, too."""
    context = presenting(pki.issue(issuer=pki.ca, names=names))
    if mutual:
        context.load_verify_locations(pki.ca.cert)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def presenting(issued: Issued) -> ssl.SSLContext:
    """A server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.cert, issued.key)
    return context


def failure(outcome: Outcome) -> CollectorError:
    """The error of an attempt by which nothing arrived."""
    assert outcome.error is not None
    assert not outcome.arrived
    assert PASSWORD not in f"{outcome.error}{outcome.error!r}"
    return outcome.error


@each_door
@pytest.mark.parametrize("form", FORMS)
def test_a_client_certificate_in_each_form(door: Door, pki: Pki, form: str) -> None:
    """A server that demands a certificate is given it, whatever form its file has."""
    cert, key, password = FORMS[form](pki, pki.issue(issuer=pki.ca))
    files = Files(pki.ca.cert, cert, key, password)
    assert door(server(pki, mutual=True), files) == (None, True)


def test_the_issuers_in_a_pkcs12_file_are_presented(pki: Pki) -> None:
    """A server that knows the root alone can build the chain."""
    between = pki.issue(issuer=pki.ca, names=(), common_name="between", authority=True)
    mine = pki.issue(issuer=between)
    door = OUTPUTS["syslog"]
    files = Files(pki.ca.cert, pki.pkcs12(mine, PASSWORD, between), None, PASSWORD)
    assert door(server(pki, mutual=True), files) == (None, True)
    alone = pki.pkcs12(mine, PASSWORD)
    failure(door(server(pki, mutual=True), files._replace(cert=alone)))


@each_door
def test_an_authority_in_der(door: Door, pki: Pki) -> None:
    """The authority's file may be DER."""
    assert door(server(pki), Files(ca=pki.der(pki.ca))) == (None, True)


@each_door
def test_a_wrong_pkcs12_password(door: Door, pki: Pki) -> None:
    """The file is named, the password does not show."""
    bag = pki.pkcs12(pki.issue(issuer=pki.ca), "another")
    error = failure(door(server(pki), Files(pki.ca.cert, bag, None, PASSWORD)))
    assert str(bag) in error.cause
    assert "another password" in error.cause
    assert "key_password" in error.remedy


WRONG: dict[str, tuple[Callable[[Pki, Issued], Named], str]] = {
    "missing": (lambda _, mine: (mine.cert.with_name("no.crt"), mine.key, None), "No such file"),
    "a folder": (lambda _, mine: (mine.cert.parent, mine.key, None), "Is a directory"),
    "no certificate": (lambda _, mine: (mine.key, mine.key, None), "holds no certificate"),
    "no key": (lambda _, mine: (mine.cert, mine.cert, None), "is no private key"),
    "key not named": (lambda _, mine: (mine.cert, None, None), "holds no private key"),
    "locked": (lambda pki, mine: (mine.cert, pki.locked(mine, "a"), None), "is locked"),
    "locked der": (lambda pki, mine: (mine.cert, pki.der_key(mine, "a"), None), "is locked"),
    "password": (lambda pki, mine: (mine.cert, pki.der_key(mine, "a"), PASSWORD), "password"),
    "not its key": (lambda pki, mine: (mine.cert, pki.issue().key, None), "the key of"),
    "weak key": (lambda pki, _: (*pki.issue(rsa_bits=1024)[:2], None), "is not taken by OpenSSL"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_file_that_cannot_be_used(pki: Pki, kind: str) -> None:
    """It is named, with what is wrong and what to do; no password shows."""
    make, words = WRONG[kind]
    with pytest.raises(Unusable) as caught:
        client_side(pki.ca.cert, *make(pki, pki.issue(issuer=pki.ca)))
    assert words in caught.value.cause
    assert str(caught.value.path) in caught.value.cause
    assert caught.value.remedy
    assert PASSWORD not in repr(caught.value)


def test_a_pkcs12_file_that_everybody_can_read(pki: Pki) -> None:
    """It holds the key, so it is no secret."""
    bag = pki.pkcs12(pki.issue(), PASSWORD)
    bag.chmod(0o644)
    with pytest.raises(Unusable, match="every user"):
        client_side(None, bag, None, PASSWORD)


def test_a_file_of_endless_size(tmp_path: Path) -> None:
    """It is not read to its end."""
    endless = tmp_path / "endless.pem"
    with endless.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(Unusable, match="larger than 4 MiB"):
        client_side(endless)


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_key_is_never_open_to_others(in_memory: bool) -> None:  # noqa: FBT001 - pytest hands it over
    """What is handed to OpenSSL is this user's alone, and gone afterwards."""
    with unseen(b"content", in_memory=in_memory) as path:
        assert path.read_bytes() == b"content"
        assert path.stat().st_mode & 0o077 == (0o077 if in_memory else 0)
    assert not path.exists()


@each_door
def test_verification_switched_off(door: Door, pki: Pki) -> None:
    """A certificate that nobody signed, for another name, is taken."""
    stranger = another(pki)
    checks = Checks(verify_certificate=False)
    assert door(server(stranger, names=("siem.example.com",)), Files(checks=checks)) == (None, True)


@each_door
def test_the_name_left_unverified(door: Door, pki: Pki) -> None:
    """Another name is taken, another authority is not."""
    checks = Checks(verify_hostname=False)
    other = server(pki, names=("siem.example.com",))
    assert door(other, Files(pki.ca.cert, checks=checks)) == (None, True)
    assert "certificate" in failure(door(other, Files(checks=checks))).cause


@each_door
def test_the_server_name(door: Door, pki: Pki) -> None:
    """It is what the server is asked for, and what its certificate must be for."""
    asked: list[str | None] = []
    context = server(pki, names=("siem.example.com",))
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    right = Checks(server_name="siem.example.com")
    assert door(context, Files(pki.ca.cert, checks=right)) == (None, True)
    wrong = Checks(server_name="other.example.com")
    error = failure(door(context, Files(pki.ca.cert, checks=wrong)))
    assert asked == ["siem.example.com", "other.example.com"]
    assert "mismatch" in error.cause
    assert "server_name" in error.remedy


@each_door
def test_the_oldest_version(door: Door, pki: Pki) -> None:
    """A server that speaks TLS 1.2 alone is refused where 1.3 is asked for."""
    context = server(pki)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert door(context, Files(pki.ca.cert)) == (None, True)
    error = failure(door(context, Files(pki.ca.cert, checks=Checks(min_version="1.3"))))
    assert "no TLS" in error.cause


def test_authorities_are_replaced_or_added(pki: Pki) -> None:
    """``add`` keeps what the system trusts; ``replace`` trusts the file alone."""
    system = len(client_side().get_ca_certs())
    assert len(client_side(pki.ca.cert).get_ca_certs()) == 1
    added = client_side(pki.ca.cert, checks=Checks(ca_mode="add"))
    assert len(added.get_ca_certs()) == system + 1


def test_a_bundle_of_authorities(pki: Pki, tmp_path: Path) -> None:
    """Each of several certificates in a PEM file counts, with text between them."""
    other = pki.issue(names=(), common_name="Another Authority", authority=True)
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(b"# ours\n" + pki.ca.cert.read_bytes() + other.cert.read_bytes())
    for issuer in (pki.ca, other):
        context = presenting(pki.issue(issuer=issuer))
        assert OUTPUTS["syslog"](context, Files(ca=bundle)) == (None, True)


def test_an_intermediate_authority_is_enough(pki: Pki) -> None:
    """The authority in the file need not be a root, whatever Python runs it."""
    between = pki.issue(issuer=pki.ca, names=(), common_name="between", authority=True)
    only = between.cert.with_name("only.pem")
    only.write_bytes(pki.der(between).read_bytes())
    context = presenting(pki.issue(issuer=between))
    assert OUTPUTS["syslog"](context, Files(ca=only)) == (None, True)


def test_a_context_holds_for_plain_sockets_too(pki: Pki) -> None:
    """``wrap_socket`` asks for the name that was set, as libraries without memory buffers do."""
    ours, theirs = socket.socketpair()
    context = client_side(pki.ca.cert, checks=Checks(server_name="siem.example.com"))
    with (
        theirs,
        context.wrap_socket(
            ours, server_hostname="127.0.0.1", do_handshake_on_connect=False
        ) as wrapped,
    ):
        assert wrapped.server_hostname == "siem.example.com"
