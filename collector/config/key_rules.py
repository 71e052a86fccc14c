"""What two inputs may not share: a session of PoD, or a service of one CASB tenant.

The vendor allows one session per token and service, archive sessions included
(docs/vendor-notes.md, PoD 3); a second one is refused with 409.  A service of CASB that
two inputs ask for is delivered twice, at twice the calls.
Secrets are compared in memory and never told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import parse_qsl

from collector.config.casb import CasbInput
from collector.config.casb_services import CasbServices
from collector.config.models import typed
from collector.config.plain import block
from collector.config.pod import PodInput
from collector.config.problems import Problem
from collector.config.urls import split

POD_SERVICES = ("message", "maillog", "audit")
POD_TOKENS = ("token", "archive_token")
CASB_TENANT = ("api_key", "client_id")
"""The credentials of CASB that say whose records are asked for."""

_VENDOR = "proofpoint.com"
_PORTS = {"wss": 443, "ws": 80}
_ORDINARY = frozenset({"cid", "type", "sinceTime", "toTime"})
"""Names in the query of a PoD stream; their values are no secrets."""

Endpoint: TypeAlias = tuple[str, int]
"""Host in small letters, and port."""

Given: TypeAlias = tuple[str, str]
"""A setting, and the text that stands there."""


class Session(NamedTuple):
    """A session that a ``proofpoint_pod`` input may open; ``path`` is that of its token."""

    path: str
    token: str
    service: str
    endpoint: Endpoint | None


class Stream(NamedTuple):
    """A session of PoD that a ``websocket`` input opens.

    ``tokens``: all that may be its token.  ``proof``: those of them that tell whether
    another stream is the same.
    """

    service: str
    endpoint: Endpoint
    tokens: tuple[Given, ...]
    proof: tuple[Given, ...]


def shared_tokens(inputs: dict[str, Any]) -> Iterator[Problem]:
    """Enabled PoD inputs that would fight for one session."""
    holders: dict[tuple[str, str], str] = {}
    for path, token, service, _ in _sessions(inputs):
        holder = holders.setdefault((token, service), path)
        if holder != path:
            yield Problem(
                path=path,
                reason=f"is the same token as {holder}, and both ask for {service}; "
                "the vendor allows one session per token and service",
                fix="get a second token, or disable one of the two",
            )


def shared_tenants(inputs: dict[str, Any]) -> Iterator[Problem]:
    """Enabled CASB inputs that would collect the same records twice."""
    holders: dict[tuple[object, ...], str] = {}
    for name in inputs:
        settings = typed(name, block(inputs, name))
        if settings.get("type") != "proofpoint_casb" or settings.get("enabled") is False:
            continue
        credentials = block(settings, "credentials")
        tenant = [credentials.get(key) for key in CASB_TENANT]
        path = f"inputs.{name}.credentials.client_id"
        for service in _enabled(block(settings, "services"), tuple(CasbServices.model_fields)):
            asked = (*map(str, tenant), service, _casb_host(settings, service))
            holder = holders.setdefault(asked, path) if all(tenant) else path
            if holder != path:
                yield Problem(
                    path=path,
                    reason=f"is the same tenant's as {holder}, and both ask for {service}: each "
                    "record would be delivered twice, at twice the calls",
                    fix="disable one of the two, or that service in it",
                )


def _casb_host(settings: dict[str, Any], service: str) -> str:
    """What tells the host that a service is asked at: a URL, or the region."""
    region = settings.get("region", CasbInput.model_fields["region"].default)
    return str(block(settings, "endpoints").get(service) or region)


def shared_streams(inputs: dict[str, Any]) -> Iterator[Problem]:
    """Enabled ``websocket`` inputs that would fight for a PoD session."""
    pods = {(each.endpoint, each.service, each.token): each.path for each in _sessions(inputs)}
    holders: dict[tuple[Endpoint, str, frozenset[str]], str] = {}
    for each in _streams(inputs):
        path, _ = each.proof[0]
        proof = frozenset(text for _, text in each.proof)
        holder = holders.setdefault((each.endpoint, each.service, proof), path)
        for place, token in each.tokens:
            if (each.endpoint, each.service, token) in pods:
                path, holder = place, pods[each.endpoint, each.service, token]
                break
        if holder != path:
            yield Problem(
                path=path,
                reason=f"holds the same token as {holder}, and both ask the same endpoint for "
                f"{each.service}; the vendor allows one session per token and service",
                fix="get a second token, or disable one of the two",
            )


def _sessions(inputs: dict[str, Any]) -> Iterator[Session]:
    """Every session that PoD inputs may open."""
    for name in inputs:
        settings = typed(name, block(inputs, name))
        if settings.get("type") != "proofpoint_pod" or settings.get("enabled") is False:
            continue
        endpoint = _endpoint(settings.get("endpoint", PodInput.model_fields["endpoint"].default))
        for key in POD_TOKENS:
            token = block(settings, "credentials").get(key)
            for service in _enabled(block(settings, "services"), POD_SERVICES):
                if isinstance(token, str):
                    path = f"inputs.{name}.credentials.{key}"
                    yield Session(path, token, service, endpoint)


def _streams(inputs: dict[str, Any]) -> Iterator[Stream]:
    """Every session of PoD that ``websocket`` inputs open."""
    for name in inputs:
        settings = typed(name, block(inputs, name))
        services = block(settings, "services")
        if settings.get("type") != "websocket" or settings.get("enabled") is False:
            continue
        if "stream" in services and block(services, "stream").get("enabled") is not False:
            yield from _stream(f"inputs.{name}", settings)


def _stream(place: str, settings: dict[str, Any]) -> Iterator[Stream]:
    """The session, where a service of PoD is asked for and something may be the token."""
    uri = settings.get("uri")
    endpoint, written = _endpoint(uri), _query(uri)
    credentials = block(settings, "credentials")
    parameters = _texts(block(credentials, "parameters"))
    asked = dict([*written, *parameters])
    if endpoint is None or not _is_pod(endpoint, asked):
        return
    where = f"{place}.credentials"
    named = [(f"{where}.{name}", text) for name, text in _texts(credentials) if name != "strategy"]
    headers = _texts(block(credentials, "headers"))
    signed = [_header(where, each) for each in headers if each[0].lower() == "authorization"]
    others = [_header(where, each) for each in headers if each[0].lower() != "authorization"]
    others += [(f"{where}.parameters.{name}", text) for name, text in _secret(parameters)]
    others += [(f"{place}.uri", text) for _, text in _secret(written)]
    proof = [*named, *signed] or others
    if proof:
        tokens = (*named, *signed, *others)
        yield Stream(asked["type"], endpoint, tokens, tuple(proof))


def _is_pod(endpoint: Endpoint, asked: dict[str, str]) -> bool:
    """Whether this query to that host is one of PoD; elsewhere ``type`` means what it will."""
    host, _ = endpoint
    vendor = host == _VENDOR or host.endswith(f".{_VENDOR}")
    return asked.get("type") in POD_SERVICES and (vendor or "cid" in asked)


def _header(where: str, header: Given) -> Given:
    """A header's setting, and its value less a scheme such as ``Bearer``."""
    name, text = header
    return f"{where}.headers.{name}", text.rpartition(" ")[2]


def _secret(query: list[Given]) -> list[Given]:
    return [each for each in query if each[0] not in _ORDINARY]


def _texts(settings: dict[str, Any]) -> list[Given]:
    return [(str(name), text) for name, text in settings.items() if isinstance(text, str)]


def _query(uri: object) -> list[Given]:
    url = split(uri) if isinstance(uri, str) else None
    return [] if url is None else parse_qsl(url.query)


def _endpoint(uri: object) -> Endpoint | None:
    url = split(uri) if isinstance(uri, str) else None
    if url is None or url.hostname is None:
        return None
    return url.hostname.rstrip("."), url.port or _PORTS.get(url.scheme, 0)


def _enabled(services: dict[str, Any], known: tuple[str, ...]) -> list[str]:
    return [
        name
        for name in known
        if name in services and block(services, name).get("enabled") is not False
    ]
