"""What a failed delivery is called, why it happened and what the operator does about it."""

from __future__ import annotations

import errno
import socket
import ssl

from collector.errors import Undelivered, own_user
from collector.net.tls import WRONG_NAMES, advice, is_certificate_alert
from collector.senders.error_numbers import (
    CLIENT_CERTIFICATE,
    CONNECTION_LOST,
    DISK_FULL,
    FILE_DENIED,
    FILE_FAILED,
    FILE_SHARED,
    NAME_UNKNOWN,
    NETWORK_FAILED,
    REFUSED,
    TIMED_OUT,
    TLS_FAILED,
    UNTRUSTED,
    WRONG_NAME,
)

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP, errno.EISDIR})


def network_failure(error: BaseException, peer: str) -> Undelivered:
    """Name what the network did; ``peer`` is ``host:port`` or a URL without its secrets."""
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return _tls_failure(error, peer)
    if isinstance(error, socket.gaierror):
        return Undelivered(
            NAME_UNKNOWN,
            f"the name of {peer} cannot be resolved",
            "check the address of the output and this machine's name service",
        )
    if isinstance(error, ConnectionRefusedError):
        return Undelivered(
            REFUSED,
            f"{peer} refused the connection",
            "check that the destination is running, its port, and the firewalls between",
        )
    if isinstance(error, TimeoutError):
        return Undelivered(
            TIMED_OUT,
            f"{peer} did not answer, or did not take the data, in time",
            "check the destination's load and the network; the records are sent again",
        )
    if isinstance(error, ConnectionError | ssl.SSLEOFError) or _disconnected(error):
        return Undelivered(
            CONNECTION_LOST,
            f"{peer} closed the connection before it had confirmed the records",
            "look at the destination's log; with TLS 1.3 a client certificate that it refuses "
            "looks like this too; the records are sent again",
        )
    return Undelivered(
        NETWORK_FAILED,
        f"{peer} cannot be reached: {_reason(error)}",
        "check the address of the output and the network",
    )


def file_failure(error: OSError, path: object) -> Undelivered:
    """Name why ``path`` could not be written."""
    reason = _reason(error)
    if error.errno in _FULL:
        return Undelivered(
            DISK_FULL, f"{path} cannot grow: {reason}", "free space; the records wait in the spool"
        )
    if error.errno in _DENIED:
        return Undelivered(
            FILE_DENIED,
            f"{path} cannot be opened for writing: {reason}",
            f"give {own_user()}, write access to a plain file there, not a link or folder",
        )
    if isinstance(error, BlockingIOError):
        return Undelivered(
            FILE_SHARED,
            f"{path} is being written by another output or collector",
            "stop the other one, or give each of them its own folder, and globals.internal_tag a "
            "name that no service's tag has; the records wait in the spool",
        )
    return Undelivered(
        FILE_FAILED, f"{path} cannot be written: {reason}", "check the disk and the output's path"
    )


def _tls_failure(error: ssl.SSLError, peer: str) -> Undelivered:
    """Name which side of the TLS handshake refused the other."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _untrusted(error, peer)
    name = getattr(error, "reason", None) or type(error).__name__
    if is_certificate_alert(name):
        return Undelivered(
            CLIENT_CERTIFICATE,
            f"{peer} refused our client certificate ({name})",
            "set cert and key of the output to a pair that the destination knows "
            "and that has not expired",
        )
    return Undelivered(
        TLS_FAILED,
        f"no TLS session with {peer} ({name})",
        "check that the port speaks TLS 1.2 or newer, and whether it wants a client certificate",
    )


def _untrusted(error: ssl.SSLCertVerificationError, peer: str) -> Undelivered:
    """Name why the destination's certificate was not accepted."""
    wrong_name = error.verify_code in WRONG_NAMES
    what = "is for another name" if wrong_name else "is not trusted"
    return Undelivered(
        WRONG_NAME if wrong_name else UNTRUSTED,
        f"the certificate of {peer} {what} ({error.verify_message})",
        advice(error, "ca (Devo: chain) of the output"),
    )


def _disconnected(error: BaseException) -> bool:
    """Whether a reset was noticed only when the next step needed the connection."""
    return isinstance(error, OSError) and error.errno == errno.ENOTCONN


def _reason(error: BaseException) -> str:
    """The system's own words for an error, without any name or path."""
    text = error.strerror if isinstance(error, OSError) else None
    return text or type(error).__name__
