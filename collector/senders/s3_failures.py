"""What S3's errors mean for the operator, in the delivery band 645-649."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)
from urllib3.exceptions import ProxyError, SSLError

from collector.errors import Undelivered
from collector.senders.failures import (
    CONNECTION_LOST,
    NETWORK_FAILED,
    TLS_FILES,
    network_failure,
)

S3_DENIED = 645
S3_BUCKET = 646
S3_BUSY = 647
S3_CHANGED = 648
S3_FAILED = 649

# A conditional request that came too late or at the same time as another (S3 API, PutObject).
_CHANGED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412"})
_EXCERPT_CHARACTERS = 200
_MAX_CAUSES = 16

_CREDENTIALS = (S3_DENIED, "check the output's credentials, or its profile")
_RIGHTS = (
    S3_DENIED,
    "allow the credentials s3:PutObject and s3:GetObject below the prefix, and with KMS the key",
)
_PLACE = (S3_BUCKET, "check bucket, region, endpoint_url and path_style")
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
        ["NoSuchBucket", "PermanentRedirect", "AuthorizationHeaderMalformed"],
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
    """Turn what the library raises into ``Undelivered``."""
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


def _answered(error: ClientError, bucket: str) -> Undelivered:
    """The failure that an answer of the endpoint tells of."""
    code = _code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    busy = status in {408, 429} or (status >= 500 and status != 501)
    number, remedy = _CODES.get(code, _BUSY if busy else _ELSE)
    said = _shown(str(error.response.get("Error", {}).get("Message", "")))
    return Undelivered(number, f"S3 bucket {bucket} answered {status} {code}: {said}", remedy)


def _unanswered(error: BotoCoreError | SSLError, bucket: str) -> Undelivered:
    """The failure of a request that got no answer, or was never made."""
    causes = list(_causes(error))
    socket = next((each for each in causes if isinstance(each, OSError)), None)
    if any(isinstance(each, ProxyError) for each in causes):
        cause = f"the proxy before S3 bucket {bucket} lets nothing through: {socket}"
        remedy = "check HTTPS_PROXY and NO_PROXY, and that the proxy allows the endpoint"
        return Undelivered(NETWORK_FAILED, cause, remedy)
    if socket is not None:
        return network_failure(socket, f"S3 bucket {bucket}")
    for kind, number, remedy in _UNSENT:
        if isinstance(error, kind):
            return Undelivered(number, f"S3 bucket {bucket}: {_shown(str(error))}", remedy)
    number, remedy = _ELSE
    return Undelivered(number, f"S3 bucket {bucket}: {_shown(str(error))}", remedy)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, the outermost first; the library may make it a ring."""
    each: BaseException | None = error
    for _ in range(_MAX_CAUSES):
        if each is None:
            return
        yield each
        each = each.__cause__ or each.__context__


def _code(error: ClientError) -> str:
    """S3's name for what is wrong."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _shown(text: str) -> str:
    """The start of a text in printable characters."""
    return " ".join(text.split())[:_EXCERPT_CHARACTERS]
