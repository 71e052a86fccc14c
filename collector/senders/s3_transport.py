"""S3's requests over connections that verify by our own TLS context.

The library makes its contexts itself, and takes files in PEM alone (boto/botocore issue
1822).  What it offers instead is the event ``before-send``: a handler may send the
request and return the answer (botocore's guide, "Events").

Its own handler of ``needs-retry`` follows redirects and goes to other regions; at an endpoint
that redirects always it asks again from within itself, without an end.  A handler that comes
before it ends the request instead.
"""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import urlsplit

import urllib3
from botocore.awsrequest import (
    AWSHTTPConnectionPool,
    AWSHTTPSConnectionPool,
    AWSPreparedRequest,
    AWSResponse,
)
from botocore.exceptions import ClientError, HTTPClientError
from botocore.model import OperationModel

from collector.net.http import pool_tls
from collector.net.proxies import login, proxy_for

SENDING = "before-send.s3"
ANSWERED = "needs-retry.s3"

# They wait for "100 Continue" before a body, as S3 asks.
_POOLS = {"http": AWSHTTPConnectionPool, "https": AWSHTTPSConnectionPool}

# Errors at which the library goes to another region; to a HEAD the answer says no more than 400.
_ELSEWHERE = frozenset(
    {
        "PermanentRedirect",
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
        "400",
    }
)


def stay(
    response: tuple[AWSResponse, dict[str, Any]] | None, operation: OperationModel, **_event: Any
) -> None:
    """A handler of ``ANSWERED``, to be the first: an answer that leads elsewhere is an error.

    Raises the library's ``ClientError``.
    """
    if response is None:
        return
    answer, parsed = response
    if 300 <= answer.status_code < 400 or parsed.get("Error", {}).get("Code") in _ELSEWHERE:
        raise ClientError(parsed, operation.name)


class Transport:
    """A handler of ``SENDING``, with the proxies of the environment.

    ``timeout`` (seconds) is for a connection, and for each wait on it.
    """

    def __init__(self, context: ssl.SSLContext, timeout: float) -> None:
        self._settings = {"timeout": timeout, **pool_tls(context)}
        self._managers: dict[str | None, urllib3.PoolManager] = {}

    def __call__(self, request: AWSPreparedRequest, **_event: Any) -> AWSResponse | None:
        """The answer to a request over TLS; None: the library sends it.

        Raises the library's ``HTTPClientError``, after which it may try again, but urllib3's
        ``SSLError`` as it is: a certificate is no better the next moment.
        """
        if not request.url.startswith("https:"):
            return None
        try:
            return self._send(request)
        except urllib3.exceptions.SSLError:
            raise
        except urllib3.exceptions.HTTPError as error:
            raise HTTPClientError(error=error) from error

    def close(self) -> None:
        """Close the connections."""
        for manager in self._managers.values():
            manager.clear()

    def _send(self, request: AWSPreparedRequest) -> AWSResponse:
        parts = urlsplit(request.url)
        pool = self._manager(proxy_for(request.url)).connection_from_url(request.url)
        raw = pool.urlopen(
            request.method,
            # As it was signed: urllib3's managers would write some paths another way.
            f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}",
            body=request.body,
            headers=request.headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
            chunked="Transfer-Encoding" in request.headers,
        )
        answer = AWSResponse(request.url, raw.status, raw.headers, raw)
        if not request.stream_output:
            answer.content  # noqa: B018 - it is read here, where a failure is named
        return answer

    def _manager(self, proxy: str | None) -> urllib3.PoolManager:
        """The connections on one way; ``proxy`` may hold a user and a password."""
        if proxy not in self._managers:
            made = self._made(proxy)
            made.pool_classes_by_scheme = _POOLS
            self._managers[proxy] = made
        return self._managers[proxy]

    def _made(self, proxy: str | None) -> urllib3.PoolManager:
        if proxy is None:
            return urllib3.PoolManager(**self._settings)
        url = urllib3.util.parse_url(proxy if "://" in proxy else f"http://{proxy}")
        place = url._replace(auth=None).url
        return urllib3.ProxyManager(place, proxy_headers=login(url.auth), **self._settings)
