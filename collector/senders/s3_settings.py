"""Where a bucket is, and how objects are put into it."""

from __future__ import annotations

from typing import Literal, TypeAlias

from collector.core.model import Frozen
from collector.senders.tls import ClientTls

Encryption: TypeAlias = Literal["AES256", "aws:kms", "aws:kms:dsse"]
Checksums: TypeAlias = Literal["when_supported", "when_required"]


class S3Credentials(Frozen, frozen=True):
    """A key of our own; ``session_token`` belongs to a temporary one."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


class S3Settings(Frozen, frozen=True):
    """All that a connection to a bucket needs.

    Without ``credentials`` and ``profile`` the library looks in its usual places.
    ``timeout`` (seconds) is for the connection, and for each wait on it.  ``conditional``:
    see ``S3Store.put``.  ``tls`` is for the endpoint, not for where credentials come from.
    """

    bucket: str
    region: str | None = None
    endpoint_url: str | None = None
    path_style: bool = False
    credentials: S3Credentials | None = None
    profile: str | None = None
    encryption: Encryption | None = None
    kms_key_id: str | None = None
    storage_class: str | None = None
    conditional: bool = True
    checksums: Checksums = "when_supported"
    tls: ClientTls = ClientTls()
    timeout: float = 30.0
