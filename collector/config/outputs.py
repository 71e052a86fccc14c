"""Settings of the outputs: a destination each, and how it is served."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from collector.config.destinations import (
    ConsoleConfig,
    DevoConfig,
    FileConfig,
    SyslogConfig,
)
from collector.config.destinations_http import (
    ElasticsearchConfig,
    HttpConfig,
    SentinelConfig,
    SplunkHecConfig,
    SumoLogicConfig,
)
from collector.config.destinations_kafka import KafkaConfig
from collector.config.destinations_s3 import S3Config
from collector.config.fields import Seconds, Section


class OutputBase(Section):
    """What every output has."""

    internal: bool = Field(
        default=True,
        description="Deliver the internal lane too: the collector's own metrics, health events and "
        "ledger changes.",
    )
    max_retry_wait_in_seconds: Seconds = Field(
        default=60.0,
        description="Longest wait in seconds between two tries while the destination is down. "
        "Tries never end; records wait in the state.",
    )


class FileOutput(OutputBase):
    """NDJSON files, one per tag, rotated."""

    type: Literal["file"] = Field(description="This kind of output.")
    config: FileConfig = Field(description="Settings of the destination.")


class DevoOutput(OutputBase):
    """Devo, over TLS."""

    type: Literal["devo"] = Field(description="This kind of output (Devo's `devo_platform`).")
    config: DevoConfig = Field(description="Settings of the destination.")


class SyslogOutput(OutputBase):
    """A syslog receiver over TCP or TLS."""

    type: Literal["syslog"] = Field(description="This kind of output.")
    config: SyslogConfig = Field(description="Settings of the destination.")


class HttpOutput(OutputBase):
    """An HTTP endpoint that takes batches."""

    type: Literal["http"] = Field(description="This kind of output.")
    config: HttpConfig = Field(description="Settings of the destination.")


class SplunkHecOutput(OutputBase):
    """Splunk, over its HTTP Event Collector."""

    type: Literal["splunk_hec"] = Field(description="This kind of output.")
    config: SplunkHecConfig = Field(description="Settings of the destination.")


class ElasticsearchOutput(OutputBase):
    """Elasticsearch or OpenSearch, each record once."""

    type: Literal["elasticsearch"] = Field(description="This kind of output.")
    config: ElasticsearchConfig = Field(description="Settings of the destination.")


class SumoLogicOutput(OutputBase):
    """Sumo Logic, over an HTTP Logs source."""

    type: Literal["sumo_logic"] = Field(description="This kind of output.")
    config: SumoLogicConfig = Field(description="Settings of the destination.")


class SentinelOutput(OutputBase):
    """Microsoft Sentinel, over Azure Monitor's Logs Ingestion API."""

    type: Literal["sentinel"] = Field(description="This kind of output.")
    config: SentinelConfig = Field(description="Settings of the destination.")


class KafkaOutput(OutputBase):
    """Kafka, or what speaks its protocol; needs an extra: `proofpoint-collector[kafka]`."""

    type: Literal["kafka"] = Field(description="This kind of output.")
    config: KafkaConfig = Field(description="Settings of the destination.")


class S3Output(OutputBase):
    """A bucket of any S3 service; needs an extra: `proofpoint-collector[s3]`."""

    type: Literal["s3"] = Field(description="This kind of output.")
    config: S3Config = Field(description="Settings of the destination.")


class ConsoleOutput(OutputBase):
    """The standard output, for trying things out."""

    type: Literal["console"] = Field(description="This kind of output.")
    config: ConsoleConfig = Field(
        default=ConsoleConfig(), description="Settings of the destination."
    )


Output: TypeAlias = Annotated[
    FileOutput
    | DevoOutput
    | SyslogOutput
    | HttpOutput
    | SplunkHecOutput
    | ElasticsearchOutput
    | SumoLogicOutput
    | SentinelOutput
    | KafkaOutput
    | S3Output
    | ConsoleOutput,
    Field(discriminator="type"),
]
