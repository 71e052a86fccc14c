"""HTTP, one call at a time, with nothing unbounded.

No redirect is followed: HTTP libraries forward ``x-api-key`` to wherever one
points.  Bodies are read as a stream and counted after decompression, for a
300 MB gzip bomb otherwise takes 600 MB of memory.
"""

from __future__ import annotations

import ssl

import msgspec
import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ReadTimeoutError

from collector.core import fault
from collector.core.model import Request, Response
from collector.errors import UnreadableAnswer, VendorUnavailable
from collector.net import guard, proxies
from collector.net.causes import causes
from collector.net.http import BoundedAdapter, deadline
from collector.net.proxies import Proxy
from collector.wire.tls import refused, vendor_context

DECOMPRESSES_TOO_FAR = 312
"""The number of the error that a body is none of log data."""
_CHUNK = 64 * 1024
_RATIO_FLOOR = 1024 * 1024
"""Small bodies may compress as well as they like."""


class HttpLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Time in real seconds, sizes in bytes after decompression."""

    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    total_timeout: float = 60.0
    max_body: int = 64 * 1024 * 1024
    max_ratio: int = 200


class HttpWire:
    """A connection pool to one vendor.

    ``tls`` None: the system's authorities are believed.  ``proxy`` None: the environment
    says which one.  ``allow_private``: the vendor's name may lead to an address that is not
    public (``net.guard``).
    """

    def __init__(
        self,
        limits: HttpLimits,
        tls: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
        *,
        allow_private: bool = False,
    ) -> None:
        self._limits = limits
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "proofpoint-collector"
        context = vendor_context() if tls is None else tls
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, BoundedAdapter(context, proxy, guarded=not allow_private))
        self._session.auth = _as_signed

    def send(self, request: Request) -> Response:
        """One call, one answer, whatever its status.

        Raises ``VendorUnavailable`` (500) when no whole answer came, or one from an address
        that the vendor cannot have, and ``UnreadableAnswer`` when it was larger than allowed.
        """
        try:
            fault.point("page.request")
            with (
                deadline(self._limits.total_timeout),
                self._session.request(
                    request.method,
                    request.url,
                    params=dict(request.params),
                    headers=dict(request.headers),
                    json=request.json,
                    data=request.body,
                    timeout=(self._limits.connect_timeout, self._limits.read_timeout),
                    allow_redirects=False,
                    stream=True,
                ) as answer,
            ):
                fault.point("page.headers")
                body = self._body(answer)
                fault.point("page.body")
                headers = CaseInsensitiveDict(answer.headers)
                return Response(
                    request=request, status=answer.status_code, headers=headers, body=body
                )
        except guard.AddressRefused as error:
            raise VendorUnavailable(500, *guard.explained(error)) from None
        except (requests.RequestException, OSError) as error:
            raise VendorUnavailable(500, *_explained(error)) from None

    def close(self) -> None:
        """Close the pool."""
        self._session.close()

    def _body(self, answer: requests.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in answer.iter_content(_CHUNK):
            size += len(part)
            wired = max(answer.raw.tell(), 1)
            if size > self._limits.max_body:
                raise UnreadableAnswer(
                    301,
                    f"the answer is larger than {self._limits.max_body} bytes",
                    "raise limits.max_body_bytes if such answers are genuine",
                )
            if size > _RATIO_FLOOR and size > wired * self._limits.max_ratio:
                raise UnreadableAnswer(
                    DECOMPRESSES_TOO_FAR,
                    f"the answer decompresses to more than {self._limits.max_ratio} times its size",
                    "this is no genuine log data; check what answers at the endpoint",
                )
            parts.append(part)
        return b"".join(parts)


def _as_signed(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep the request as it is: without this, a netrc file's password replaces our token."""
    return request


# The libraries' own texts hold URLs, queries and headers; ours never do.
def _explained(error: Exception) -> tuple[str, str]:
    """Cause and remedy."""
    if isinstance(error, requests.exceptions.SSLError):
        inner = (each for each in causes(error) if isinstance(each, ssl.SSLError))
        return refused(next(inner, None))
    if isinstance(error, requests.exceptions.ProxyError):
        return proxies.refused(proxies.refusal(error))
    return _cause(error), "check name resolution, firewall and proxy if it lasts; a retry follows"


def _cause(error: Exception) -> str:
    if any(isinstance(each, (requests.Timeout, ReadTimeoutError)) for each in causes(error)):
        return "the vendor did not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "the vendor could not be reached or broke off"
    return f"the answer broke off ({type(error).__name__})"
