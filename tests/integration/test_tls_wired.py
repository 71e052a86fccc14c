"""From the configuration to the handshake: what is set is what the server sees."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from collector.app import tls
from collector.app.certificates import look_through
from collector.app.outputs import sender
from collector.app.probing_outputs import places
from collector.clock import SystemClock
from collector.core.model import Request
from collector.errors import ConfigError
from collector.logs import component_logger
from collector.wire.http import HttpLimits, HttpWire
from tests.fakes.batches import FIRST
from tests.fakes.clock import ManualClock
from tests.fakes.config import changed, settings
from tests.fakes.connect_proxy import ConnectProxy
from tests.fakes.kafka_brokers import KafkaBrokers
from tests.fakes.kafka_door import KafkaDoor
from tests.fakes.pki import Pki
from tests.fakes.raw_server import RawServer, answer
from tests.fakes.tls_doors import deliver

NAME = "lake.example.com"
PASSWORD = "canary-b3f0"


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    """A new authority."""
    return Pki(tmp_path)


@pytest.fixture
def asked() -> list[str | None]:
    """The names that a server was asked for."""
    return []


@pytest.fixture
def server(pki: Pki, asked: list[str | None]) -> RawServer:
    """A server known by a name alone, which demands a certificate."""
    issued = pki.issue(issuer=pki.ca, names=[NAME])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.cert, issued.key)
    context.load_verify_locations(pki.ca.cert)
    context.verify_mode = ssl.CERT_REQUIRED
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    return RawServer(lambda peer: peer.send(answer(b"")), context)


def section(pki: Pki) -> dict[str, object]:
    """Settings that such a server asks for, one of each kind."""
    return {
        "ca": str(pki.der(pki.ca)),
        "cert": str(pki.pkcs12(pki.issue(issuer=pki.ca), PASSWORD)),
        "key_password": PASSWORD,
        "server_name": NAME,
        "min_version": "1.3",
    }


def way(proxy: ConnectProxy) -> dict[str, str]:
    """Settings of that proxy."""
    return {"url": proxy.url, "username": "ann", "password": "invented"}


def test_an_output(pki: Pki, server: RawServer, asked: list[str | None]) -> None:
    """Authority, certificate, name and version as set, through the proxy that was set."""
    with server, ConnectProxy("ann:invented") as proxy:
        config = {"url": server.url, "tls": section(pki), "proxy": way(proxy)}
        found = settings(changed("outputs.lake", {"type": "http", "config": config}))
        log = component_logger("OutputProcess", "lake")
        deliver(sender(found.outputs["lake"], ManualClock(FIRST), log))
        assert proxy.places == [f"127.0.0.1:{server.port}"]
        assert server.heads
    assert asked == [NAME]


def test_the_output_s3(pki: Pki, server: RawServer, asked: list[str | None]) -> None:
    """The same for what the library of S3 sends."""
    with server:
        keys = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "invented"}
        config = {
            "bucket": "acme-logs",
            "endpoint_url": server.url,
            "path_style": True,
            "checksums": "when_required",
            "region": "eu-central-1",
            "credentials": keys,
            "tls": section(pki),
        }
        found = settings(changed("outputs.lake", {"type": "s3", "config": config}))
        log = component_logger("OutputProcess", "lake")
        deliver(sender(found.outputs["lake"], ManualClock(FIRST), log))
        assert server.heads
    assert asked == [NAME]


@pytest.mark.parametrize("name", [{"verify_hostname": False}, {"server_name": NAME}])
def test_the_output_kafka(pki: Pki, name: dict[str, object]) -> None:
    """Authority and certificate as set, each in another form, up to confirmed records."""
    mine = pki.issue(issuer=pki.ca)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pki.issue(issuer=pki.ca, names=[NAME])[:2])
    context.load_verify_locations(pki.ca.cert)
    context.verify_mode = ssl.CERT_REQUIRED
    with KafkaBrokers() as brokers, KafkaDoor(context, brokers.servers) as door:
        config = {
            "bootstrap_servers": [door.servers],
            "ca": str(pki.der(pki.ca)),
            "cert": str(pki.pkcs12(mine, PASSWORD)),
            "key_password": PASSWORD,
            "tls": name,
        }
        found = settings(changed("outputs.bus", {"type": "kafka", "config": config}))
        log = component_logger("OutputProcess", "bus")
        deliver(sender(found.outputs["bus"], ManualClock(FIRST), log))
    assert set(door.certificates) == {mine.certificate.public_bytes(Encoding.DER)}


def test_the_files_of_kafka_and_s3_are_looked_at(pki: Pki) -> None:
    """One that soon ends is named by its setting, and `collector test` uses them all."""
    ends_soon, password = str(pki.pkcs12(pki.issue(ends=3), PASSWORD)), {"key_password": PASSWORD}
    tls_section = {"cert": ends_soon, **password, "verify_hostname": False}
    document = changed(
        "outputs.bus",
        {
            "type": "kafka",
            "config": {"bootstrap_servers": ["kafka.example.com:9093"], "tls": tls_section},
        },
    )
    endpoint = {"bucket": "acme-logs", "endpoint_url": "https://s3.example.com"}
    s3 = {**endpoint, "cert": ends_soon, **password, "tls": {"verify_hostname": False}}
    document["outputs"]["lake"] = {"type": "s3", "config": s3}
    found = settings(document)
    warned = {problem.path for problem in look_through(found, SystemClock().now()).warnings}
    assert {"outputs.bus.config.tls.cert", "outputs.lake.config.cert"} <= warned
    for name in ("bus", "lake"):
        (place,) = places(found.outputs[name])
        assert place.context is not None
        assert not place.context().check_hostname


def test_an_input(pki: Pki, server: RawServer, asked: list[str | None]) -> None:
    """The same for calls to the vendor."""
    with server, ConnectProxy("ann:invented") as proxy:
        document = changed("inputs.casb.tls", section(pki))
        document["inputs"]["casb"]["proxy"] = way(proxy)
        casb = settings(document).inputs["casb"]
        wire = HttpWire(HttpLimits(), tls.vendor(casb.tls), tls.proxy(casb.proxy))
        wire.send(Request(method="GET", url=server.url))
        wire.close()
        assert proxy.places == [f"127.0.0.1:{server.port}"]
    assert asked == [NAME]


def test_an_input_whose_file_cannot_be_used(pki: Pki) -> None:
    """It does not start: the file is named, the password is not."""
    wrong = {**section(pki), "key_password": "canary-wrong"}
    casb = settings(changed("inputs.casb.tls", wrong)).inputs["casb"]
    with pytest.raises(ConfigError, match="another password") as caught:
        tls.vendor(casb.tls)
    assert str(wrong["cert"]) in caught.value.cause
    assert "canary" not in str(caught.value)
