"""HTTP: one POST a batch, cut into parts where the destination needs it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import requests
import urllib3

from collector.core.model import Clock, Refusal, SpooledBatch
from collector.core.policy import retry_after
from collector.net.http import BoundedAdapter, deadline
from collector.senders.base import Hold
from collector.senders.compression import Compression, compressed
from collector.senders.failures import network_failure
from collector.senders.http_answers import (
    Meaning,
    all_refused,
    excerpt,
    meaning,
    unaccepted,
)
from collector.senders.http_parts import Body, Part, joined, parts
from collector.senders.tls import client_context

_CONTENT_TYPES: dict[Body, str] = {
    "ndjson": "application/x-ndjson",
    "json_array": "application/json",
}
_ENCODINGS: dict[Compression, str] = {"gzip": "gzip", "zstd": "zstd"}
# The start of an answer is enough to name a reason; more would only cost memory.
_MAX_ANSWER_BYTES = 16_384
# The most seconds that a Retry-After is believed: a day.
_LONGEST_PAUSE = 86_400.0
# So many records refused one after another, and none taken, make the settings suspect.
_SUSPICIOUS = 3


class Settled(NamedTuple):
    """What became of a part: taken, or (a record alone, with a ``reason``) refused for good."""

    part: Part
    status: int
    reason: str = ""


class HttpSender:
    """Posts batches to one URL; no redirect is followed.

    ``max_request_bytes`` counts before compression.  ``id_header`` carries the
    id of the posted part, by which a destination can drop a repeat; parts that
    were accepted are not posted again by this process.  ``statuses`` overrides
    the table in ``http_answers``.  ``timeout``, in real seconds, is for one post with
    its answer; ``ca`` replaces the system's authorities.
    """

    def __init__(
        self,
        *,
        url: str,
        clock: Clock,
        headers: Mapping[str, str] | None = None,
        body: Body = "ndjson",
        compression: Compression = "none",
        timeout: float = 30.0,
        ca: Path | None = None,
        cert: Path | None = None,
        key: Path | None = None,
        max_request_bytes: int = 4 * 1024 * 1024,
        id_header: str = "Idempotency-Key",
        statuses: Mapping[int, Meaning] | None = None,
    ) -> None:
        self.hold = Hold()
        self._url = url
        self._place = _place(url)
        self._clock = clock
        self._headers = {**(headers or {}), **_content_headers(body, compression)}
        self._secrets = [word for value in (headers or {}).values() for word in value.split()]
        self._body = body
        self._compression = compression
        self._timeout = timeout
        self._context = partial(client_context, ca=ca, cert=cert, key=key)
        self._max_request_bytes = max_request_bytes
        self._id_header = id_header
        self._statuses = statuses or {}
        self._session: requests.Session | None = None
        # By batch and part; None where only the halves can tell.
        self._known: dict[str, dict[str, Settled | None]] = {}

    def rewind(self, position: str | None) -> None:  # noqa: ARG002 - accepted stays accepted
        """Start with new connections, and certificate files read anew."""
        self.close()

    def send(self, batch: SpooledBatch) -> Sequence[Refusal]:
        """Post the batch in as many parts as it takes; the refused records come back."""
        settled: list[Settled] = []
        waiting = [*parts(batch, self._max_request_bytes)][::-1]
        while waiting:
            part = waiting.pop()
            outcome = self._settle(part)
            if outcome is None:
                waiting.extend(reversed(part.halves()))
                continue
            settled.append(outcome)
            if len(settled) == _SUSPICIOUS and all(_alike(outcome, other) for other in settled):
                waiting = self._sampled(waiting, outcome)
        return [_refusal(outcome) for outcome in settled if outcome.reason]

    def flush(self) -> None:
        """Every accepted part is final already; forget which ones they were."""
        self._known.clear()

    def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            self._session.close()
        self._session = None

    def _settle(self, part: Part) -> Settled | None:
        """What becomes of a part, from memory or by a post."""
        known = self._known.setdefault(part.batch.uid, {})
        if part.id not in known:
            known[part.id] = self._judged(part)
        return known[part.id]

    def _judged(self, part: Part) -> Settled | None:
        """Post the part; None when only its halves can tell what becomes of it."""
        status, answer, wait = self._post(part)
        verdict = meaning(status, self._statuses)
        if verdict == "retry":
            raise unaccepted(status, self._place, wait)
        if verdict == "accept":
            return Settled(part, status)
        if len(part.lines) > 1:
            return None
        said = excerpt(answer, self._secrets)
        return Settled(part, status, f"{self._place} answered {status}: {said}")

    def _sampled(self, waiting: Sequence[Part], refused: Settled) -> list[Part]:
        """Try the first record of each part that waits; raises when none fares better.

        The parts double in size, so these records are spread over the batch: a
        destination that takes none of them takes nothing as it is set up, and the
        batch must not end among the dead letters.
        """
        pieces = [piece for part in waiting for piece in reversed(part.cut(1))]
        sample = [piece for piece in reversed(pieces) if len(piece.lines) == 1]
        if all(_alike(refused, self._settle(piece)) for piece in sample):
            # What was refused may be taken once the settings are right.
            del self._known[refused.part.batch.uid]
            raise all_refused(refused.reason, _SUSPICIOUS + len(sample))
        return pieces

    def _post(self, part: Part) -> tuple[int, bytes, float | None]:
        """One POST: the status, the start of the answer, and the wait it asks for."""
        session = self._connected()
        try:
            with (
                deadline(self._timeout),
                session.post(
                    self._url,
                    data=compressed(joined(part.lines, self._body), self._compression),
                    headers={**self._headers, self._id_header: part.id},
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                asked = response.headers.get("Retry-After")
                wait = retry_after(asked, self._clock.now(), _LONGEST_PAUSE)
                return response.status_code, _start(response), wait
        except requests.RequestException as error:
            raise network_failure(_root(error), self._place) from None

    def _connected(self) -> requests.Session:
        """The session, with the certificate files as they are now if it is a new one."""
        if self._session is None:
            secure = self._url.lower().startswith("https:")
            self._session = _session(self._context() if secure else None)
        return self._session


def _alike(refused: Settled, other: Settled | None) -> bool:
    """Whether both were refused, with the same status."""
    return (
        other is not None
        and bool(refused.reason and other.reason)
        and (other.status == refused.status)
    )


def _refusal(refused: Settled) -> Refusal:
    """A record alone, with what the destination said about it."""
    part = refused.part
    return Refusal(batch=part.batch.id, index=part.start, raw=part.lines[0], reason=refused.reason)


def _content_headers(body: Body, compression: Compression) -> dict[str, str]:
    """The headers that describe the body."""
    headers = {"Content-Type": _CONTENT_TYPES[body]}
    if compression in _ENCODINGS:
        headers["Content-Encoding"] = _ENCODINGS[compression]
    return headers


def _session(context: ssl.SSLContext | None) -> requests.Session:
    """A session that takes nothing from the environment and keeps no cookies."""
    session = requests.Session()
    # Else a .netrc or a proxy variable of the machine would override what the output is set to.
    session.trust_env = False
    session.headers["Accept-Encoding"] = "identity"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("http://", "https://"):
        session.mount(scheme, BoundedAdapter(context))
    return session


def _start(response: requests.Response) -> bytes:
    """The start of an answer; the status counts even when the rest does not come."""
    try:
        return bytes(response.raw.read(_MAX_ANSWER_BYTES, decode_content=False))
    except urllib3.exceptions.HTTPError:
        return b""


def _place(url: str) -> str:
    """The URL without user, password and query, which may hold secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _root(error: BaseException) -> BaseException:
    """The socket's own error under what the HTTP libraries made of it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and not isinstance(seen, requests.RequestException):
            return seen
        seen = seen.__cause__ or seen.__context__
    return ConnectionResetError() if isinstance(error, requests.ConnectionError) else error
