"""What S3's errors mean for the operator, in the delivery band 645-649."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast
from urllib.parse import urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError, LocationValueError, ProxyError, SSLError

from collector.errors import Undelivered
from collector.net.causes import causes
from collector.senders.error_numbers import (
    CONNECTION_LOST,
    NETWORK_FAILED,
    S3_BUCKET,
    S3_BUSY,
    S3_CHANGED,
    S3_DENIED,
    S3_FAILED,
    TLS_FILES,
)
from collector.senders.failures import network_failure

# A conditional request that came too late or at the same time as another (S3 API, PutObject).
_CHANGED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412"})
_EXCERPT_CHARACTERS = 200

_CREDENTIALS = (S3_DENIED, "check the output's credentials, or its profile")
_RIGHTS = (
    S3_DENIED,
    "allow the credentials s3:PutObject and s3:GetObject below the prefix, and with KMS the key",
)
_PLACE = (S3_BUCKET, "check bucket, region, endpoint_url and path_style")
_REDIRECTED = (
    S3_BUCKET,
    "set region, and endpoint_url if used, to those of the bucket: redirects are not followed",
)
_OLDER = (
    S3_FAILED,
    "an older S3-compatible service may need checksums: when_required, conditional_writes: false",
)
_CODES: dict[str, tuple[int, str]] = {
    "AccessDenied": _RIGHTS,
    "403": _RIGHTS,
    **dict.fromkeys(
        ["InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"],
        _CREDENTIALS,
    ),
    "RequestTimeTooSkewed": (S3_DENIED, "set this machine's clock"),
    **dict.fromkeys(
        ["NoSuchBucket", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"],
        _PLACE,
    ),
    **dict.fromkeys(
        ["NotImplemented", "InvalidArgument", "InvalidRequest", "MissingContentLength"],
        _OLDER,
    ),
    **dict.fromkeys(
        [*_CHANGED, "NoSuchKey", "404"],
        (S3_CHANGED, "nothing, if it passes; else see who else writes below this prefix"),
    ),
}
_BUSY = (S3_BUSY, "nothing, if it passes; the records are sent again")
_ELSE = (S3_FAILED, "look at the endpoint's log; the records are sent again")

_REGION = re.compile(r"[a-z0-9-]{1,40}")
_HOST = re.compile(r"[a-z0-9._:-]{1,253}")
# What the library raises besides its own errors, where it meets what it did not expect.
_DEFECTS = (
    ResponseParserError,
    HTTPError,
    RuntimeError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
)

_UNSENT: list[tuple[type[BotoCoreError], int, str]] = [
    (HTTPClientError, CONNECTION_LOST, "check the network; the records are sent again"),
    (NoCredentialsError, S3_DENIED, "set credentials or profile; the usual places hold none"),
    (PartialCredentialsError, *_CREDENTIALS),
    (ProfileNotFound, *_CREDENTIALS),
    (NoRegionError, S3_BUCKET, "set region"),
]


def changed(error: ClientError) -> bool:
    """Whether the object is no longer as the request supposed."""
    return _code(error) in _CHANGED


@contextmanager
def raising(bucket: str) -> Iterator[None]:
    """Turn what the library raises, its own defects too, into ``Undelivered``."""
    try:
        yield
    except ClientError as error:
        raise _answered(error, bucket) from error
    except (BotoCoreError, SSLError) as error:
        raise _unanswered(error, bucket) from error
    except OSError as error:
        raise Undelivered(
            TLS_FILES,
            f"S3 bucket {bucket}: a file of the output cannot be read: {_shown(str(error))}",
            "check ca, and the files that hold the credentials",
        ) from error
    except _DEFECTS as error:
        # The text may hold a URL with a password.
        raise Undelivered(
            S3_FAILED,
            f"S3 bucket {bucket}: the AWS SDK failed ({type(error).__name__})",
            "check endpoint_url and region, this machine's AWS files and variables, and "
            "HTTPS_PROXY; the records are sent again",
        ) from error


def _answered(error: ClientError, bucket: str) -> Undelivered:
    """The failure that an answer of the endpoint tells of."""
    code = _code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    busy = status in {408, 429} or (status >= 500 and status != 501)
    number, remedy = _CODES.get(code, _BUSY if busy else _ELSE)
    said = _shown(_told(error, "Message"))
    if 300 <= status < 400:
        number, remedy = _REDIRECTED
        said = f"it redirects {_target(error)}"
    if number == S3_BUCKET:
        remedy = _with_region(remedy, error)
    return Undelivered(number, f"S3 bucket {bucket} answered {status} {code}: {said}", remedy)


def _target(error: ClientError) -> str:
    """Where a redirect leads: the host alone, for the rest may hold a secret."""
    place = _header(error, "location") or f"//{_told(error, 'Endpoint')}"
    try:
        host = urlsplit(place).hostname or ""
    except ValueError:
        host = ""
    return f"to {host}" if _HOST.fullmatch(host) else "elsewhere"


def _with_region(remedy: str, error: ClientError) -> str:
    """The remedy with the bucket's region, where the answer tells it."""
    region = _header(error, "x-amz-bucket-region") or _told(error, "Region")
    return f"set region: {region}; {remedy}" if _REGION.fullmatch(region) else remedy


def _header(error: ClientError, name: str) -> str:
    """A header of the answer by its name in small letters, or nothing."""
    return str(error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get(name, ""))


def _told(error: ClientError, name: str) -> str:
    """What the answer's body says under a name, or nothing."""
    said = cast("Mapping[str, object]", error.response.get("Error", {}))
    return str(said.get(name, ""))


def _unanswered(error: BotoCoreError | SSLError, bucket: str) -> Undelivered:
    """The failure of a request that got no answer, or was never made."""
    chain = list(causes(error))
    socket = next((each for each in chain if isinstance(each, OSError)), None)
    if any(isinstance(each, ProxyError | LocationValueError) for each in chain):
        return _behind_proxy(chain, socket, f"the proxy before S3 bucket {bucket}")
    if socket is not None:
        return network_failure(socket, f"S3 bucket {bucket}")
    for kind, number, remedy in _UNSENT:
        if isinstance(error, kind):
            return Undelivered(number, f"S3 bucket {bucket}: {_shown(str(error))}", remedy)
    number, remedy = _ELSE
    return Undelivered(number, f"S3 bucket {bucket}: {_shown(str(error))}", remedy)


def _behind_proxy(chain: Sequence[BaseException], socket: OSError | None, peer: str) -> Undelivered:
    """The failure of a proxy of the environment, or of the variable that names it."""
    if isinstance(socket, ssl.SSLError):
        return network_failure(socket, peer)
    if any(isinstance(each, LocationValueError) for each in chain):
        # The text may hold the whole URL, password and all.
        cause = f"{peer} cannot be used: its URL is not one of an HTTP proxy"
        remedy = "set HTTPS_PROXY to http://host:port, or NO_PROXY to the endpoint's host"
        return Undelivered(NETWORK_FAILED, cause, remedy)
    cause = f"{peer} lets nothing through: {socket or type(chain[-1]).__name__}"
    remedy = "check HTTPS_PROXY and NO_PROXY, and that the proxy allows the endpoint"
    return Undelivered(NETWORK_FAILED, cause, remedy)


def _code(error: ClientError) -> str:
    """S3's name for what is wrong."""
    return _told(error, "Code")


def _shown(text: str) -> str:
    """The start of a text in printable characters."""
    return " ".join(text.split())[:_EXCERPT_CHARACTERS]
