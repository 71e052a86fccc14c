"""Settings of what lies behind each kind of output."""

from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from collector.config.fields import (
    MIB,
    AppName,
    Bytes,
    FilePath,
    Host,
    Hours,
    Port,
    Seconds,
    Section,
    SyslogName,
    refuse,
)
from collector.config.tls import SpeaksTls, TrustsCa

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
        description="Folder to write into, one for each output and each collector. A relative path "
        "starts at the working directory."
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


class DevoConfig(SpeaksTls):
    """A Devo address, or a Devo relay."""

    address: Host = Field(description="Host, for example `collector-eu.devo.io`.")
    port: Port = Field(default=443, description="Port.")
    type: Literal["SSL", "TCP"] = Field(
        default="SSL",
        description="`SSL`: TLS with a client certificate, for Devo itself. `TCP`: plain, for a "
        "relay inside your network.",
    )
    chain: FilePath | None = Field(
        default=None,
        description="File of Devo's certificate authority (`tls.ca`). SSL requires it, `cert`, and "
        "`key` unless `cert` is PKCS#12.",
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

    @property
    def short_ca(self) -> Path | None:
        """What stands in ``chain``."""
        return self.chain

    @model_validator(mode="after")
    def _uses_its_tls(self) -> Self:
        files = self.whole_tls()
        if self.type == "SSL" and None in {files.ca, files.cert}:
            reason = "type SSL needs chain, cert and key"
            raise refuse(reason, "give the three files that Devo issued for your domain")
        return self


class SyslogConfig(TrustsCa):
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
    confirm: Confirm = Field(default=Confirm(), description="How delivery is proven.")


class ConsoleConfig(Section):
    """The standard output."""

    pretty: bool = Field(default=False, description="Indent the records for reading by eye.")
