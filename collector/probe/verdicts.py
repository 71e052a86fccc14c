"""The table: what each failure of a connection test means, and what to do about it.

Kinds of outputs have rows of their own in ``probe.products``.  Pure.  The statuses are
those of docs/vendor-notes.md, CASB A2 to A4 and PoD 3; an operator reads the same table
in ``docs/testing-connections.md``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Trouble(StrEnum):
    """What can go wrong, by the name it has in the table."""

    BAD_REQUEST = "400"
    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    DENIED = "401 or 403"
    NOT_FOUND = "404"
    METHOD_REFUSED = "405"
    CONFLICT = "409"
    TOO_MANY = "429"
    REDIRECTED = "3xx"
    SERVER = "5xx"
    UNREADABLE = "no valid answer"
    REJECTED = "record refused"
    NO_ANSWER = "no answer"
    NO_NAME = "no such name"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "time-out"
    CUT = "connection lost"
    PING = "ping"
    PRIVATE = "private address"
    PROXY_LOGIN = "proxy 407"
    PROXY_REFUSED = "proxy"
    TLS_NAME = "tls: name"
    TLS_AUTHORITY = "tls: authority"
    TLS_DATES = "tls: dates"
    TLS_CLIENT = "tls: client certificate"
    TLS = "tls"
    FILES = "tls: files"
    FOLDER = "folder"
    READ_ONLY = "read-only"
    DISK_FULL = "disk full"
    TOPIC = "topic"
    BUCKET = "bucket"
    SETTING = "setting refused"
    QUOTA = "quota"
    REPORTED = "reported"
    OTHER = "other"


class Side(StrEnum):
    """Who is at the other end."""

    VENDOR = "input"
    DESTINATION = "output"


class Verdict(NamedTuple):
    """What a failure means, and what to do."""

    explanation: str
    recommendation: str


_BOTH: dict[Trouble, Verdict] = {
    Trouble.NO_NAME: Verdict(
        "This machine's name service does not know the host.",
        "Check the spelling of the address, and the name service (DNS) of this machine or "
        "container.",
    ),
    Trouble.REFUSED: Verdict(
        "The host is there, but nothing listens on that port, or a firewall says so.",
        "Check address and port, that the server runs, and the firewalls between.",
    ),
    Trouble.UNREACHABLE: Verdict(
        "There is no way to that address.",
        "Check this machine's network and routes; where only a proxy leads out, set proxy.",
    ),
    Trouble.TIMED_OUT: Verdict(
        "No answer within the time limit: packets are dropped on the way, or the server is slow.",
        "Check firewalls and proxy first; where the way is slow, raise --timeout and the time-outs "
        "in the configuration.",
    ),
    Trouble.CUT: Verdict(
        "The connection was ended from the other side, or by something on the way.",
        "Look for a proxy or firewall that ends connections, and at the other side's log; try "
        "again.",
    ),
    Trouble.PROXY_LOGIN: Verdict(
        "The proxy does not take our user and password.",
        "Set proxy.username and proxy.password to what the proxy knows.",
    ),
    Trouble.PROXY_REFUSED: Verdict(
        "The proxy opens no tunnel to this host and port.",
        "Have the proxy allow CONNECT to it; check proxy.url; proxy: none goes direct.",
    ),
    Trouble.TLS_NAME: Verdict(
        "The certificate is for another name than the one that was asked for.",
        "Use a name that stands in the certificate, as address or as tls.server_name; where a "
        "proxy opens TLS, have it let this host pass.",
    ),
    Trouble.TLS_AUTHORITY: Verdict(
        "The certificate was not signed by an authority that is trusted here.",
        "Set tls.ca to a file with the authority that signed it: your own, or that of the proxy "
        "that opens TLS.",
    ),
    Trouble.TLS_DATES: Verdict(
        "The certificate has expired, or is not valid yet.",
        "Have the certificate renewed; check this machine's clock.",
    ),
    Trouble.TLS_CLIENT: Verdict(
        "The other side does not take our client certificate, or wants one.",
        "Set tls.cert and tls.key to a pair that the other side knows and that has not expired.",
    ),
    Trouble.TLS: Verdict(
        "The two sides found no common TLS, or the port does not speak it.",
        "Check the port, that TLS 1.2 or newer is spoken there (tls.min_version), and that no "
        "proxy answers in its place.",
    ),
    Trouble.UNREADABLE: Verdict(
        "Something answers, but not in the form of this service: a proxy's page, perhaps.",
        "Check the URL, and what answers there: the service itself, or something before it.",
    ),
}

_VENDOR: dict[Trouble, Verdict] = {
    Trouble.BAD_REQUEST: Verdict(
        "Bad request: something in the configuration of this input is wrong.",
        "Check the cluster id, paths and fields of the input; the defaults are the vendor's.",
    ),
    Trouble.UNAUTHORIZED: Verdict(
        "Unauthorized: the credential is wrong, expired, of another tenant or cluster, or not "
        "entitled.",
        "Enter it anew; PoD: check that cluster_id is the token's own, and with Proofpoint that "
        "the Remote Syslog licence is valid.",
    ),
    Trouble.FORBIDDEN: Verdict(
        "Forbidden: the credential may not do this; CASB answers so to a wrong key or secret, too.",
        "Check api_key, client_id and client_secret, then their permission and scope with "
        "Proofpoint.",
    ),
    Trouble.NOT_FOUND: Verdict(
        "Not found: the URL is wrong.",
        "Check region, endpoints and paths; PoD wants wss:// and /v1/stream.",
    ),
    Trouble.METHOD_REFUSED: Verdict(
        "The address is there, but does not take this method.",
        "Check the URL, and the service's method; the defaults are the vendor's.",
    ),
    Trouble.CONFLICT: Verdict(
        "A session of this token exists already: nothing is wrong with the token.",
        "Wait some minutes if a session has just dropped; else stop the other program that uses "
        "the token, or get a token for each of the two.",
    ),
    Trouble.TOO_MANY: Verdict(
        "Too many requests: the vendor's load, or your quota. It passes, and the collector tries "
        "again by itself.",
        "Wait; if it lasts, lower rate of the input, or have Proofpoint raise the limit.",
    ),
    Trouble.QUOTA: Verdict(
        "The calls that rate allows are used up, or the vendor asked for a pause.",
        "Test again later, or with --no-calls; raise rate.calls_per_day if your contract allows "
        "more.",
    ),
    Trouble.REDIRECTED: Verdict(
        "The address redirects, and no redirect is followed: it would take the credentials along.",
        "Set the final address; if it is a log-in page, a proxy answers in the vendor's place.",
    ),
    Trouble.SERVER: Verdict(
        "The vendor, or something before it, cannot answer now. The collector tries again by "
        "itself.",
        "Test again later; if it lasts, look at the vendor's status page, then at the proxy.",
    ),
    Trouble.PING: Verdict(
        "The session stands, but a ping stayed unanswered: the connection is dead, or something "
        "holds it up.",
        "Look for a proxy or firewall that inspects or idles out WebSockets, and let this host "
        "pass; the collector connects again by itself.",
    ),
    Trouble.PRIVATE: Verdict(
        "The vendor's name leads to an address that is not public.",
        "Check name resolution; if it is right, set allow_private_addresses of the input.",
    ),
    Trouble.FILES: Verdict(
        "A file of the input's tls cannot be used.",
        "Put the file right that is named; `collector check` looks at all of them.",
    ),
}

_DESTINATION: dict[Trouble, Verdict] = {
    Trouble.BAD_REQUEST: Verdict(
        "Bad request: the destination does not take what this output sends.",
        "Check url, path and headers of the output against what the destination takes.",
    ),
    Trouble.UNAUTHORIZED: Verdict(
        "Unauthorized: the credential is missing, wrong or expired.",
        "Check the output's token, or user and password; where it wants a client certificate, "
        "that.",
    ),
    Trouble.FORBIDDEN: Verdict(
        "Forbidden: the credential is known, but may not write there.",
        "Give the credential the right to write there; a firewall for web applications may answer "
        "so, too.",
    ),
    Trouble.DENIED: Verdict(
        "The credential is wrong or expired, or may not write there.",
        "Check the output's credential, then its right to write there.",
    ),
    Trouble.NOT_FOUND: Verdict(
        "Not found: the URL or path is wrong.", "Check the output's url and path."
    ),
    Trouble.METHOD_REFUSED: Verdict(
        "The address is there, but does not take a POST.",
        "Check the output's url and path: it is a page, perhaps, and not where records go.",
    ),
    Trouble.CONFLICT: Verdict(
        "Conflict: the destination says that something else is there, or under way.",
        "Read what it answered in the destination's log; see who else writes there, then test "
        "again.",
    ),
    Trouble.TOO_MANY: Verdict(
        "The destination is busy, or its limit is reached. It passes, and the collector sends "
        "again by itself.",
        "Wait; if it lasts, raise the destination's limit.",
    ),
    Trouble.REDIRECTED: Verdict(
        "The address redirects, and no redirect is followed: it would take the credentials along.",
        "Set url to the final address.",
    ),
    Trouble.SERVER: Verdict(
        "The destination cannot take records now. The collector sends again by itself.",
        "Look at the destination's log; test again later.",
    ),
    Trouble.REJECTED: Verdict(
        "The destination answers, but refuses the record (400, 422), or any request of its size "
        "(413).",
        "Check the output's settings against what the destination takes: path, body, headers. "
        "413: the record is small, so a proxy before the destination has a limit that is too low.",
    ),
    Trouble.SETTING: Verdict(
        "The destination takes the credential, but a setting of the output does not fit what is "
        "set up there.",
        "Compare the output's settings with those of the destination.",
    ),
    Trouble.OTHER: Verdict(
        "The destination answers with an error that has no row of its own.",
        "Look at the destination's log.",
    ),
    Trouble.FILES: Verdict(
        "A TLS file of the output cannot be used.",
        "Put the file right that is named; `collector check` looks at all of them.",
    ),
}

TABLE: dict[Side, dict[Trouble, Verdict]] = {
    Side.VENDOR: _BOTH | _VENDOR,
    Side.DESTINATION: _BOTH | _DESTINATION,
}
"""What is not in it is explained by the error itself."""

_STATUSES = {
    int(trouble): trouble
    for trouble in (
        Trouble.BAD_REQUEST,
        Trouble.UNAUTHORIZED,
        Trouble.FORBIDDEN,
        Trouble.NOT_FOUND,
        Trouble.METHOD_REFUSED,
        Trouble.CONFLICT,
        Trouble.TOO_MANY,
    )
} | {407: Trouble.PROXY_LOGIN, 410: Trouble.NOT_FOUND}


def of_status(status: int) -> Trouble:
    """What an HTTP status of the vendor means that is no success."""
    if status in _STATUSES:
        return _STATUSES[status]
    if 300 <= status < 400:
        return Trouble.REDIRECTED
    if status >= 500:
        return Trouble.SERVER
    return Trouble.BAD_REQUEST if status >= 400 else Trouble.UNREADABLE
