"""Settings of the output `s3`."""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from collector.config.destinations import Compression
from collector.config.extras import needs
from collector.config.fields import MIB, Bytes, Seconds, Secret, Section, Text, refuse
from collector.config.tls import Tls, TrustsCa
from collector.config.urls import BaseUrl

Bucket: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
Prefix: TypeAlias = Annotated[
    str, Field(pattern=r"^([A-Za-z0-9!_.*'()=-]+(/[A-Za-z0-9!_.*'()=-]+)*)?$", max_length=512)
]
StorageClass: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,31}$")]


class S3Credentials(Section):
    """An access key."""

    access_key_id: Secret = Field(description="Access key id.")
    secret_access_key: Secret = Field(description="Secret access key.")
    session_token: Secret | None = Field(
        default=None, description="Session token, which temporary credentials have."
    )


class S3Objects(Section):
    """How large an object may grow before it is written."""

    max_seconds: Seconds = Field(
        default=300.0,
        description="How many seconds records wait to share an object. They stay in the state "
        "until it is written.",
    )
    max_bytes: Bytes = Field(
        default=64 * MIB,
        description="Bytes of waiting records, before compression, at which the objects are "
        "written early. They are held in memory.",
    )


class S3Config(TrustsCa):
    """A bucket of Amazon S3, or of what speaks its protocol.  Needs `proofpoint-collector[s3]`."""

    bucket: Bucket = Field(description="Name of the bucket.")
    prefix: Prefix = Field(
        default="proofpoint",
        description="What the names of all objects begin with; may be empty. Each output needs "
        "its own.",
    )
    partition: Literal["hour", "day"] = Field(
        default="hour",
        description="How objects are divided by event time (UTC): "
        "`<prefix>/<tag>/dt=YYYY-MM-DD/hour=HH/`, or without the hour.",
    )
    format: Literal["ndjson", "parquet"] = Field(
        default="ndjson",
        description="`ndjson`: one record a line. `parquet`: a table with the record as text and "
        "columns to filter by; needs `proofpoint-collector[parquet]`.",
    )
    compression: Compression = Field(
        default="gzip", description="Compression of the objects; with `parquet`, of the columns."
    )
    objects: S3Objects = Field(default=S3Objects(), description="How large objects grow.")
    region: Text | None = Field(
        default=None, description="Region. Default: that of the profile or the environment."
    )
    endpoint_url: BaseUrl | None = Field(
        default=None, description="Endpoint of another service than Amazon's."
    )
    path_style: bool = Field(
        default=False,
        description="Put the bucket into the path and not into the host name, as many other "
        "services need.",
    )
    credentials: S3Credentials | None = Field(
        default=None,
        description="Access key. Default: the profile's, or those that the AWS SDK finds: "
        "environment, shared files, the role of the machine or container.",
    )
    profile: Text | None = Field(
        default=None, description="Profile of the AWS shared configuration files."
    )
    encryption: Literal["AES256", "aws:kms", "aws:kms:dsse"] | None = Field(
        default=None, description="Server-side encryption. Default: the bucket's own."
    )
    kms_key_id: Text | None = Field(
        default=None, description="KMS key; needs encryption `aws:kms` or `aws:kms:dsse`."
    )
    storage_class: StorageClass | None = Field(
        default=None, description="Storage class, for example `STANDARD_IA`. Default: standard."
    )
    conditional_writes: bool = Field(
        default=True,
        description="Bind each write to what was there before (`If-None-Match`, `If-Match`), so "
        "that a request that was given up and still arrives cannot undo a later one. Set it to "
        "false only where the service refuses these headers.",
    )
    checksums: Literal["when_supported", "when_required"] = Field(
        default="when_supported",
        description="When the SDK adds checksums of its own. `when_required` is for services that "
        "refuse them.",
    )
    tls: Tls = Field(
        default=Tls(),
        description="How the bucket's endpoint is verified; not what gives credentials.",
    )
    timeout_in_seconds: Seconds = Field(
        default=30.0, description="Seconds for a connection, and for each wait on it."
    )

    @field_validator("endpoint_url")
    @classmethod
    def _scheme_in_small_letters(cls, url: str | None) -> str | None:
        """The same in any letters (RFC 3986, 3.1), which not all who read it know."""
        if url is None:
            return None
        scheme, separator, rest = url.partition("://")
        return f"{scheme.lower()}{separator}{rest}"

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        needs("boto3", "s3")
        return self

    @model_validator(mode="after")
    def _can_be_written(self) -> Self:
        if self.format == "parquet":
            needs("pyarrow", "parquet")
        return self

    @model_validator(mode="after")
    def _has_one_identity(self) -> Self:
        if self.credentials is not None and self.profile is not None:
            raise refuse("has both credentials and profile", "remove one of them")
        return self

    @model_validator(mode="after")
    def _uses_its_key(self) -> Self:
        if self.kms_key_id is not None and not (self.encryption or "").startswith("aws:"):
            raise refuse("has a kms_key_id without KMS", "set encryption: aws:kms")
        return self

    @model_validator(mode="after")
    def _uses_its_tls(self) -> Self:
        if self.whole_tls() != Tls() and (self.endpoint_url or "").startswith("http:"):
            raise refuse("has settings of TLS, but endpoint_url is http", "write https://")
        return self
