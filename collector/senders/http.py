"""HTTP: one POST a batch, halved where the destination needs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import requests
import urllib3

from collector.core.model import Clock, Refusal, SpooledBatch
from collector.senders.base import Hold
from collector.senders.compression import Compression, compressed
from collector.senders.failures import network_failure
from collector.senders.http_answers import Meaning, excerpt, meaning, retry_after, unaccepted

Body: TypeAlias = Literal["ndjson", "json_array"]

_CONTENT_TYPES: dict[Body, str] = {
    "ndjson": "application/x-ndjson",
    "json_array": "application/json",
}
_ENCODINGS: dict[Compression, str] = {"gzip": "gzip", "zstd": "zstd"}
# The start of an answer is enough to name a reason; more would only cost memory.
_MAX_ANSWER_BYTES = 16_384


class Part(NamedTuple):
    """Records ``start`` to ``end`` (exclusive) of a batch, posted together."""

    batch: SpooledBatch
    start: int
    lines: Sequence[bytes]

    @property
    def end(self) -> int:
        """The index after the last record."""
        return self.start + len(self.lines)

    @property
    def id(self) -> str:
        """The same for the same records at every try, after a restart too."""
        if len(self.lines) == self.batch.count:
            return self.batch.uid
        return f"{self.batch.uid}-{self.start}-{self.end}"

    def halves(self) -> tuple[Part, Part]:
        """The first and the second half; only for two or more records."""
        middle = len(self.lines) // 2
        return (
            Part(self.batch, self.start, self.lines[:middle]),
            Part(self.batch, self.start + middle, self.lines[middle:]),
        )


class HttpSender:
    """Posts batches to one URL; no redirect is followed.

    ``max_request_bytes`` counts before compression.  ``id_header`` carries the
    id of the posted part, by which a destination can drop a repeat; parts that
    were accepted are not posted again by this process.  ``statuses`` overrides
    the table in ``http_answers``.  ``timeout`` is in real seconds, for the
    connection and for each silence; ``ca`` replaces the built-in authorities.
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
        verify: bool = True,
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
        self._max_request_bytes = max_request_bytes
        self._id_header = id_header
        self._statuses = statuses or {}
        self._session = _session(verify, ca, cert, key)
        self._settled: dict[str, Refusal | None] = {}
        self._halved: set[str] = set()

    def rewind(self, position: str | None) -> None:
        """Nothing to take back: what was accepted stays accepted, and is remembered."""

    def send(self, batch: SpooledBatch) -> Sequence[Refusal]:
        """Post the batch in as many parts as it takes; the refused records come back."""
        refusals: list[Refusal] = []
        waiting = [*self._parts(batch)][::-1]
        while waiting:
            part = waiting.pop()
            if part.id not in self._settled and self._must_halve(part):
                waiting.extend(reversed(part.halves()))
                continue
            refusal = self._settled[part.id]
            if refusal is not None:
                refusals.append(refusal)
        return refusals

    def flush(self) -> None:
        """Every accepted part is final already; forget which ones they were."""
        self._settled.clear()
        self._halved.clear()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _parts(self, batch: SpooledBatch) -> Iterator[Part]:
        """The batch in parts of at most ``max_request_bytes``; a larger record goes alone."""
        lines = batch.lines()
        start = size = 0
        for index, line in enumerate(lines):
            if index > start and size + len(line) + 1 > self._max_request_bytes:
                yield Part(batch, start, lines[start:index])
                start, size = index, 0
            size += len(line) + 1
        yield Part(batch, start, lines[start:])

    def _must_halve(self, part: Part) -> bool:
        """Post the part and settle it, unless only its halves can tell what becomes of it."""
        if part.id in self._halved:
            return True
        status, answer, wait = self._post(part)
        verdict = meaning(status, self._statuses)
        if verdict == "retry":
            raise unaccepted(status, self._place, wait)
        if verdict == "split" and len(part.lines) > 1:
            self._halved.add(part.id)
            return True
        accepted = verdict == "accept"
        self._settled[part.id] = None if accepted else self._refusal(part, status, answer)
        return False

    def _refusal(self, part: Part, status: int, answer: bytes) -> Refusal:
        """The one record of the part, with what the destination said about it."""
        return Refusal(
            batch=part.batch.id,
            index=part.start,
            raw=part.lines[0],
            reason=f"{self._place} answered {status}: {excerpt(answer, self._secrets)}",
        )

    def _post(self, part: Part) -> tuple[int, bytes, float | None]:
        """One POST: the status, the start of the answer, and the wait it asks for."""
        try:
            with self._session.post(
                self._url,
                data=compressed(joined(part.lines, self._body), self._compression),
                headers={**self._headers, self._id_header: part.id},
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                wait = retry_after(response.headers.get("Retry-After"), self._clock.now())
                return response.status_code, _start(response), wait
        except requests.RequestException as error:
            raise network_failure(_root(error), self._place) from None


def joined(lines: Sequence[bytes], body: Body) -> bytes:
    """The records as one request body."""
    if body == "json_array":
        return b"[" + b",".join(lines) + b"]"
    return b"\n".join(lines) + b"\n"


def _content_headers(body: Body, compression: Compression) -> dict[str, str]:
    """The headers that describe the body."""
    headers = {"Content-Type": _CONTENT_TYPES[body]}
    if compression in _ENCODINGS:
        headers["Content-Encoding"] = _ENCODINGS[compression]
    return headers


def _session(
    verify: bool,  # noqa: FBT001 - as requests names it
    ca: Path | None,
    cert: Path | None,
    key: Path | None,
) -> requests.Session:
    """A session that takes nothing from the environment and keeps no cookies."""
    session = requests.Session()
    # Else a .netrc or a CA variable of the machine would override what the output is set to.
    session.trust_env = False
    session.headers["Accept-Encoding"] = "identity"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.verify = str(ca) if verify and ca else verify
    if cert:
        session.cert = (str(cert), str(key)) if key else str(cert)
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
