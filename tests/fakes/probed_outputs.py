"""Every type of output that goes over the network, as a connection test is given it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.fakes import azure, hec

CANARY = "canary-4b7d02"
SECRETS = (CANARY, azure.SECRET)
"""What every secret of these outputs holds: one of these."""
_KNOWN = {
    "http": (f"{CANARY}-token", f"{CANARY}-path"),
    "sumo_logic": (f"{CANARY}-path",),
    "sentinel": (azure.SECRET,),
    "s3": (f"{CANARY}-token", f"{CANARY}-secret"),
}


def echo(kind: str) -> bytes:
    """An answer that repeats the secrets that such an output sends, or is reached by."""
    return f"who is {' or '.join(_KNOWN.get(kind, (f'{CANARY}-token',)))}?".encode()


class Site(NamedTuple):
    """Where an output leads: ``scheme`` is that of HTTP, ``files`` are those of TLS."""

    host: str
    port: int
    scheme: str = "https"
    files: Mapping[str, str] = MappingProxyType({})

    @property
    def url(self) -> str:
        """The base URL."""
        return f"{self.scheme}://{self.host}:{self.port}"


def _devo(to: Site) -> dict[str, Any]:
    files = dict(to.files)
    chain = {"chain": files.pop("ca")} if "ca" in files else {}
    kind = "SSL" if to.scheme == "https" else "TCP"
    return {"address": to.host, "port": to.port, "type": kind, **chain, **files}


def _syslog(to: Site) -> dict[str, Any]:
    protocol = "tls" if to.scheme == "https" else "tcp"
    return {"address": to.host, "port": to.port, "protocol": protocol, **to.files}


def _http(to: Site) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {CANARY}-token"}
    return {"url": f"{to.url}/{CANARY}-path", "headers": headers, **to.files}


def _splunk(to: Site) -> dict[str, Any]:
    return {"url": to.url, "token": f"{CANARY}-token", "channel": hec.CHANNEL, **to.files}


def _elasticsearch(to: Site) -> dict[str, Any]:
    return {"url": to.url, "index": "logs", "api_key": f"{CANARY}-token", **to.files}


def _sumo(to: Site) -> dict[str, Any]:
    return {"url": f"{to.url}/receiver/v1/http/{CANARY}-path", **to.files}


def _sentinel(to: Site) -> dict[str, Any]:
    return {
        "endpoint": to.url,
        "authority": to.url,
        "rule_id": azure.RULE,
        "stream_name": azure.STREAM,
        "tenant_id": azure.TENANT,
        "client_id": azure.CLIENT,
        "client_secret": azure.SECRET,
        **to.files,
    }


def _kafka(to: Site) -> dict[str, Any]:
    protocol = "tls" if to.scheme == "https" else "tcp"
    return {
        "bootstrap_servers": [f"{to.host}:{to.port}"],
        "protocol": protocol,
        "timeout_in_seconds": 1.0,
        **to.files,
    }


def _s3(to: Site) -> dict[str, Any]:
    keys = {"access_key_id": f"{CANARY}-token", "secret_access_key": f"{CANARY}-secret"}
    return {
        "bucket": "records",
        "region": "eu-central-1",
        "endpoint_url": to.url,
        "path_style": True,
        "credentials": keys,
        "timeout_in_seconds": 1.0,
        **to.files,
    }


OVER_HTTP: dict[str, Callable[[Site], dict[str, Any]]] = {
    "http": _http,
    "splunk_hec": _splunk,
    "elasticsearch": _elasticsearch,
    "sumo_logic": _sumo,
    "sentinel": _sentinel,
}
"""The settings of each type that posts with the proxy and TLS of ``HttpConnection``."""
OVER_NETWORK = {**OVER_HTTP, "devo": _devo, "syslog": _syslog, "kafka": _kafka, "s3": _s3}
"""The settings of each type that has an address."""
