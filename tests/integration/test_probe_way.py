"""The way to a server, step by step: every failure up to TLS has its own row."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.probe.findings import Report, Result, Step
from collector.probe.steps import Patience
from collector.probe.verdicts import Trouble
from collector.simulator import Simulator
from tests.fakes.connect_proxy import ConnectProxy
from tests.fakes.pki import Pki
from tests.fakes.probing import (
    BAD,
    casb,
    document,
    failure,
    probed,
    resolving,
    results,
    secure,
    seen,
    standing,
)
from tests.fakes.processes import free_port
from tests.fakes.raw_server import RawServer
from tests.fakes.receivers import StreamReceiver

SHORT = Patience(step=0.5, total=10.0)
NAME = "vendor.example.com"
UNKNOWN = "vendor.invalid"
PASSWORD = "canary/9c:3@ %41"


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that knows one name only, which it says to be this machine."""
    resolving(monkeypatch, NAME)


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    """A new authority."""
    return Pki(tmp_path)


@pytest.fixture
def vendor(pki: Pki) -> Iterator[Simulator]:
    """A vendor over TLS whose certificate names its address."""
    context = secure(pki.issue(issuer=pki.ca))
    with standing(context=context) as running:
        yield running


def way(folder: Path, url: str, patience: Patience = SHORT, **changed: Any) -> Report:
    """The test of a CASB input that is never called."""
    inputs = {"casb": casb(url, **changed)}
    return probed(document(folder, inputs), "casb", patience=patience, calls=False)


def test_whole_way(tmp_path: Path, pki: Pki, vendor: Simulator) -> None:
    """Name, address and TLS pass; the certificate's end is shown; without a proxy none is asked."""
    found = way(tmp_path, vendor.url, tls={"ca": str(pki.ca.cert)})
    assert found.passed
    assert results(found)[Step.PROXY] is Result.SKIPPED
    assert "TLSv1.3, certificate valid until 20" in seen(found, Step.TLS)


def test_unknown_name(tmp_path: Path) -> None:
    """A name that nobody knows."""
    failed = failure(way(tmp_path, f"https://{UNKNOWN}"))
    assert (failed.step, failed.trouble) == (Step.NAME, Trouble.NO_NAME)


def test_refused(tmp_path: Path) -> None:
    """A port on which nothing listens."""
    failed = failure(way(tmp_path, f"https://127.0.0.1:{free_port()}"))
    assert (failed.step, failed.trouble) == (Step.ADDRESS, Trouble.REFUSED)
    assert "Connection refused" in failed.seen


def test_private_address(tmp_path: Path) -> None:
    """A public name that leads to this machine is refused, unless that is allowed."""
    with StreamReceiver() as server:
        url = f"https://{NAME}:{server.port}"
        failed = failure(way(tmp_path, url))
        assert (failed.step, failed.trouble) == (Step.ADDRESS, Trouble.PRIVATE)
        allowed = failure(way(tmp_path, url, allow_private_addresses=True))
        assert allowed.step is Step.TLS


def test_silent_server(tmp_path: Path) -> None:
    """A port that takes the connection and never speaks TLS is a time-out."""
    with StreamReceiver() as server:
        failed = failure(way(tmp_path, f"https://127.0.0.1:{server.port}"))
    assert (failed.step, failed.trouble) == (Step.TLS, Trouble.TIMED_OUT)


def test_no_tls_on_the_port(tmp_path: Path) -> None:
    """A port that speaks plain HTTP."""
    with standing() as plain:
        failed = failure(way(tmp_path, plain.url.replace("http:", "https:")))
    assert (failed.step, failed.trouble) == (Step.TLS, Trouble.TLS)


@pytest.mark.parametrize("trouble", BAD, ids=str)
def test_bad_certificate(tmp_path: Path, pki: Pki, trouble: Trouble) -> None:
    """A certificate for another name, of an unknown authority, or expired."""
    with RawServer(lambda peer: peer.wait(), secure(BAD[trouble](pki))) as server:
        failed = failure(way(tmp_path, server.url, tls={"ca": str(pki.ca.cert)}))
    assert (failed.step, failed.trouble) == (Step.TLS, trouble)
    assert server.heads == []


def test_unverified_certificate_is_told(tmp_path: Path, vendor: Simulator) -> None:
    """Where nothing is verified, the step passes and says so."""
    found = way(tmp_path, vendor.url, tls={"verify_certificate": False})
    assert "certificate not verified" in seen(found, Step.TLS)


def test_wanted_client_certificate(tmp_path: Path, pki: Pki) -> None:
    """A server that wants a certificate of ours."""
    context = secure(pki.issue(issuer=pki.ca))
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # refuses within the handshake
    context.load_verify_locations(pki.ca.cert)
    context.verify_mode = ssl.CERT_REQUIRED
    with RawServer(lambda peer: peer.wait(), context) as server:
        failed = failure(way(tmp_path, server.url, tls={"ca": str(pki.ca.cert)}))
    assert (failed.step, failed.trouble) == (Step.TLS, Trouble.TLS)
    assert "HANDSHAKE_FAILURE" in failed.seen


def test_unusable_file(tmp_path: Path, vendor: Simulator) -> None:
    """A file of authorities that is none is named."""
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate", encoding="utf-8")
    failed = failure(way(tmp_path, vendor.url, tls={"ca": str(bad)}))
    assert (failed.step, failed.trouble) == (Step.TLS, Trouble.FILES)
    assert "bad.pem holds no certificate" in failed.seen


def test_way_through_a_proxy(tmp_path: Path, pki: Pki, vendor: Simulator) -> None:
    """The proxy's address is resolved, it opens a tunnel, and TLS goes through it."""
    with ConnectProxy(user=f"ann:{PASSWORD}") as proxy:
        login = {"url": proxy.url, "username": "ann", "password": PASSWORD}
        found = way(tmp_path, vendor.url, tls={"ca": str(pki.ca.cert)}, proxy=login)
    assert found.passed
    assert "a tunnel through 127.0.0.1:" in seen(found, Step.PROXY)
    assert proxy.places == [vendor.url.removeprefix("https://")]


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        ("407 Proxy Authentication Required", Trouble.PROXY_LOGIN),
        ("403 Forbidden", Trouble.PROXY_REFUSED),
    ],
)
def test_proxy_refuses(tmp_path: Path, status: str, trouble: Trouble) -> None:
    """A proxy that does not know us, or does not allow the place."""
    with ConnectProxy(status=status) as proxy:
        login = {"url": proxy.url, "username": "ann", "password": PASSWORD}
        failed = failure(way(tmp_path, "https://vendor.example.com", proxy=login))
    assert (failed.step, failed.trouble) == (Step.PROXY, trouble)
    assert "canary" not in repr(failed)


def test_proxy_is_none(tmp_path: Path) -> None:
    """Something that is no proxy at all."""
    with RawServer(lambda peer: peer.send(b"220 mail.example.com ESMTP\r\n")) as server:
        failed = failure(way(tmp_path, "https://vendor.example.com", proxy={"url": server.url}))
    assert (failed.step, failed.trouble) == (Step.PROXY, Trouble.PROXY_REFUSED)


def test_proxy_is_away(tmp_path: Path) -> None:
    """The address that refuses is the proxy's."""
    port = free_port()
    url = {"url": f"http://127.0.0.1:{port}"}
    failed = failure(way(tmp_path, "https://vendor.example.com", proxy=url))
    assert (failed.place, failed.trouble) == (f"127.0.0.1:{port}", Trouble.REFUSED)
