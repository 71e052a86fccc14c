"""One bucket behind any S3 endpoint: objects are put whole, and only over what was seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import ClientError

from collector.core import fault
from collector.senders.s3_failures import changed, raising
from collector.senders.s3_settings import S3Settings
from collector.senders.s3_transport import ANSWERED, SENDING, Transport, stay

# The delivery loop is what tries again; this is for a connection that had gone stale.
_TRIES = 2


class S3Store:
    """The connection to the bucket, made when first needed."""

    def __init__(self, settings: S3Settings) -> None:
        self._settings = settings
        self._extras = _extras(settings)
        self._client: Any = None
        self._transport: Transport | None = None

    def put(self, name: str, body: bytes, content_type: str) -> None:
        """Write an object, or write it anew; raises ``Undelivered``.

        A request that was given up may still reach the bucket late.  So each is bound to
        what was there (``If-None-Match``, ``If-Match``): a late one then changes nothing,
        for the later try has changed the object already.
        """
        place = {"Bucket": self._settings.bucket, "Key": name}
        request = {**place, "Body": body, "ContentType": content_type, **self._extras}
        with raising(self._settings.bucket):
            client = self._connected()
            if not self._settings.conditional:
                client.put_object(**request)
                return
            try:
                client.put_object(**request, IfNoneMatch="*")
            except ClientError as error:
                if not changed(error):
                    raise
                seen = client.head_object(**place)["ETag"]
                client.put_object(**request, IfMatch=seen)

    def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        transport, self._transport = self._transport, None
        if client is not None:
            client.close()
        if transport is not None:
            transport.close()

    def _connected(self) -> Any:
        """The client; its files and credentials are read when it is made."""
        if self._client is None:
            fault.point("send.connect")
            self._transport = Transport(self._settings.tls.context(), self._settings.timeout)
            self._client = _client(self._settings)
            self._client.meta.events.register(SENDING, self._transport)
            self._client.meta.events.register_first(ANSWERED, stay)
        return self._client


def _client(settings: S3Settings) -> Any:
    """A client of the library, with bounded waits and hardly any retries of its own."""
    known = settings.credentials
    session = Session(
        aws_access_key_id=None if known is None else known.access_key_id,
        aws_secret_access_key=None if known is None else known.secret_access_key,
        aws_session_token=None if known is None else known.session_token,
        region_name=settings.region,
        profile_name=settings.profile,
    )
    return session.client(
        "s3",
        endpoint_url=settings.endpoint_url,
        config=Config(
            connect_timeout=settings.timeout,
            read_timeout=settings.timeout,
            retries={"total_max_attempts": _TRIES, "mode": "standard"},
            s3={"addressing_style": "path" if settings.path_style else "auto"},
            request_checksum_calculation=settings.checksums,
            response_checksum_validation=settings.checksums,
        ),
    )


def _extras(settings: S3Settings) -> Mapping[str, str]:
    """What else is said of each object."""
    wanted = {
        "ServerSideEncryption": settings.encryption,
        "SSEKMSKeyId": settings.kms_key_id,
        "StorageClass": settings.storage_class,
    }
    return {name: value for name, value in wanted.items() if value is not None}
