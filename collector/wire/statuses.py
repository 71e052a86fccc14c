"""What each HTTP status means, as a table (docs/vendor-notes.md, CASB A4 and PoD 3).

Whatever is not listed: 5xx like 503, other 4xx like 400, and what is no error at all
comes from something between us and the vendor, such as a proxy's log-in page.
"""

from __future__ import annotations

from collector.errors import (
    AuthenticationError,
    CollectorError,
    SessionTaken,
    TokenRejected,
    VendorRefused,
    VendorUnavailable,
)
from collector.net import proxies

_RETRY = "nothing to do: a retry follows"
_CREDENTIALS = "check the credentials, the licence and that they belong to this tenant or cluster"

TABLE: dict[int, tuple[type[CollectorError], str, str]] = {
    400: (VendorRefused, "the vendor calls the request malformed", "check the service's settings"),
    401: (TokenRejected, "the vendor rejects the token", _CREDENTIALS),
    403: (AuthenticationError, "the vendor refuses these credentials", _CREDENTIALS),
    404: (
        VendorRefused,
        "there is no such address at the vendor",
        "check the endpoint's URL and region",
    ),
    405: (VendorRefused, "the vendor refuses this method", "check the endpoint's URL"),
    407: (VendorUnavailable, *proxies.refused(407)),
    408: (VendorUnavailable, "the vendor waited too long", _RETRY),
    409: (
        SessionTaken,
        "the token already has a session of this type",
        "normal for some minutes after a drop; if it lasts, another program uses this token",
    ),
    410: (
        VendorRefused,
        "what was asked for is gone at the vendor",
        "nothing to do if it was a page token",
    ),
    425: (VendorUnavailable, "the vendor asks to come back later", _RETRY),
    429: (
        VendorUnavailable,
        "the vendor says there were too many calls",
        "lower the rate if it lasts",
    ),
}
_UNLISTED_5XX = (VendorUnavailable, "the vendor cannot answer now", _RETRY)
_NO_ERROR = (
    VendorUnavailable,
    "something answers that does not seem to be the vendor",
    "check the endpoint's URL, and the proxy if there is one",
)


def error_for(status: int, told: str, retry_after: float | None = None) -> CollectorError:
    """The error for a status that is no success; ``told`` is what the vendor said, bounded."""
    kind, cause, remedy = TABLE.get(status) or _unlisted(status)
    cause = f"{cause} (HTTP {status})" + (f": {told}" if told else "")
    if kind is AuthenticationError:
        return kind(103, cause, remedy)
    if issubclass(kind, VendorUnavailable):
        return kind(status, cause, remedy, retry_after)
    return kind(status, cause, remedy)


def _unlisted(status: int) -> tuple[type[CollectorError], str, str]:
    if status < 400:
        return _NO_ERROR
    return TABLE[400] if status < 500 else _UNLISTED_5XX
