"""Settings of what lies behind each kind of output."""

from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from collector.config.fields import (
    MIB,
    AppName,
    Bytes,
    FilePath,
    HeaderName,
    HeaderSecret,
    Host,
    Hours,
    Port,
    Seconds,
    Secret,
    Section,
    SyslogName,
    refuse,
)
from collector.config.urls import PostUrl

Compression: TypeAlias = Literal["none", "gzip", "zstd"]


class Confirm(Section):
    """How delivery is proven where the protocol acknowledges nothing."""

    policy: Literal["half_close", "quiet"] = Field(
        default="half_close",
        description="`half_close`: end the connection in order and wait for the peer to end it "
        "too, which proves that it read everything. `quiet`: take a connection that stays up for "
        "the interval as proof, for peers that never answer a half-close; weaker.",
    )
    interval_in_seconds: Seconds = Field(
        default=30.0, description="Seconds between two confirmations."
    )
    window_in_bytes: Bytes = Field(
        default=64 * MIB,
        description="Unconfirmed bytes at which a confirmation is made early. After a lost "
        "connection this much may be sent twice, nothing is lost.",
    )
    timeout_in_seconds: Seconds = Field(
        default=10.0, description="Seconds to wait for the peer's end of the connection."
    )


class FileConfig(Section):
    """A folder of NDJSON files, one per tag."""

    path: FilePath = Field(
        description="Folder to write into. A relative path starts at the working directory."
    )
    max_bytes: Bytes = Field(
        default=256 * MIB, description="Size in bytes at which a file is rotated."
    )
    rotate_every_in_hours: Hours = Field(
        default=24.0, description="Age in hours at which a file is rotated."
    )
    compression: Compression = Field(
        default="none", description="Compression of rotated files; the current one stays plain."
    )
    fsync: bool = Field(
        default=True,
        description="Have the records on the disk before they count as delivered. Without it a "
        "power cut can lose what was delivered last.",
    )


class DevoConfig(Section):
    """A Devo address, or a Devo relay."""

    address: Host = Field(description="Host, for example `collector-eu.devo.io`.")
    port: Port = Field(default=443, description="Port.")
    type: Literal["SSL", "TCP"] = Field(
        default="SSL",
        description="`SSL`: TLS with a client certificate, for Devo itself. `TCP`: plain, for a "
        "relay inside your network.",
    )
    chain: FilePath | None = Field(
        default=None, description="PEM file of Devo's certificate authority; required for SSL."
    )
    cert: FilePath | None = Field(
        default=None, description="PEM file of the client certificate; required for SSL."
    )
    key: FilePath | None = Field(
        default=None, description="PEM file of the client's private key; required for SSL."
    )
    key_password: Secret | None = Field(
        default=None, description="Password of the private key, if it has one."
    )
    hostname: SyslogName | None = Field(
        default=None,
        description="Host name written into each line. Default: this machine's name.",
    )
    compression: Literal["none", "gzip"] = Field(
        default="none", description="`gzip`: send batches as gzip members, as Devo's SDK does."
    )
    strict_timestamp: bool = Field(
        default=False,
        description="Write the event's time into the syslog header. Without it the header holds a "
        "constant and Devo stamps the record at arrival, as its SDK does.",
    )
    confirm: Confirm = Field(default=Confirm(), description="How delivery is proven.")

    @model_validator(mode="after")
    def _certificates(self) -> Self:
        if self.type == "SSL" and None in {self.chain, self.cert, self.key}:
            reason = "type SSL needs chain, cert and key"
            raise refuse(reason, "give the three files that Devo issued for your domain")
        return self


class SyslogConfig(Section):
    """A syslog receiver."""

    address: Host = Field(description="Host name or IP address of the receiver.")
    port: Port = Field(default=6514, description="Port.")
    protocol: Literal["tcp", "tls"] = Field(
        default="tls", description="Transport; UDP is not offered because it loses records."
    )
    format: Literal["rfc3164", "rfc5424"] = Field(
        default="rfc5424", description="Form of the header."
    )
    framing: Literal["octet_counting", "newline"] = Field(
        default="octet_counting",
        description="How records are told apart. With `newline`, line ends inside a record are "
        "escaped.",
    )
    facility: Annotated[int, Field(ge=0, le=23)] = Field(
        default=1, description="Syslog facility; 1 is user."
    )
    severity: Annotated[int, Field(ge=0, le=7)] = Field(
        default=6, description="Syslog severity; 6 is informational."
    )
    hostname: SyslogName | None = Field(
        default=None, description="HOSTNAME of each record. Default: this machine's name."
    )
    app_name: AppName | None = Field(
        default=None, description="APP-NAME of each record. Default: the record's tag."
    )
    max_message_bytes: Bytes = Field(
        default=8096,
        description="Largest message in bytes, header included. Receivers cut longer ones and may "
        "read the rest as another record; raise it together with the receiver's limit.",
    )
    oversize: Literal["dead_letter", "truncate"] = Field(
        default="dead_letter",
        description="What becomes of a larger record: kept aside and counted, or cut and sent.",
    )
    ca: FilePath | None = Field(
        default=None,
        description="PEM file of the authority that signed the receiver's certificate. Default: "
        "the system's authorities.",
    )
    cert: FilePath | None = Field(
        default=None, description="PEM file of a client certificate; needs `key`."
    )
    key: FilePath | None = Field(
        default=None, description="PEM file of the client's private key; needs `cert`."
    )
    key_password: Secret | None = Field(
        default=None, description="Password of the private key, if it has one."
    )
    confirm: Confirm = Field(default=Confirm(), description="How delivery is proven.")

    @model_validator(mode="after")
    def _pair(self) -> Self:
        _both_or_none(self.cert, self.key)
        return self


class HttpConfig(Section):
    """An HTTP endpoint that takes batches by POST."""

    url: PostUrl = Field(
        description="URL to post to. Kept secret, because some services put a token into it."
    )
    headers: dict[HeaderName, HeaderSecret] = Field(
        default={},
        max_length=64,
        description="Headers to add, for example `Authorization`. Values are kept secret.",
    )
    body: Literal["ndjson", "json_array"] = Field(
        default="ndjson", description="`ndjson`: one record a line. `json_array`: one array."
    )
    compression: Compression = Field(
        default="none", description="Compression of the body, named in Content-Encoding."
    )
    timeout_in_seconds: Seconds = Field(
        default=30.0, description="Seconds that one request may take in all."
    )
    ca: FilePath | None = Field(
        default=None,
        description="PEM file of the authority that signed the endpoint's certificate. Default: "
        "the system's authorities.",
    )
    cert: FilePath | None = Field(
        default=None, description="PEM file of a client certificate; needs `key`."
    )
    key: FilePath | None = Field(
        default=None, description="PEM file of the client's private key; needs `cert`."
    )
    max_request_bytes: Bytes = Field(
        default=8 * MIB,
        description="Largest body in bytes before compression; a larger batch is split. An answer "
        "413 halves it further.",
    )
    id_header: HeaderName = Field(
        default="Idempotency-Key",
        description="Header with the batch's id, the same at every try, by which the endpoint can "
        "drop repeats.",
    )
    status_actions: dict[
        Annotated[str, Field(pattern=r"^[1-5][0-9][0-9]$")], Literal["accept", "split", "retry"]
    ] = Field(
        default={},
        description="What an answer means, by status, over the built-in table: `accept` "
        "(delivered), `split` (send halves; a record refused alone is kept aside), `retry` later.",
    )

    @model_validator(mode="after")
    def _pair(self) -> Self:
        _both_or_none(self.cert, self.key)
        return self


class ConsoleConfig(Section):
    """The standard output."""

    pretty: bool = Field(default=False, description="Indent the records for reading by eye.")


def _both_or_none(cert: Path | None, key: Path | None) -> None:
    if (cert is None) != (key is None):
        raise refuse("has one of cert and key", "give both, or neither")
