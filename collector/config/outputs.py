"""Settings of the outputs: a destination each, and how it is served."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from collector.config.destinations import (
    ConsoleConfig,
    DevoConfig,
    FileConfig,
    HttpConfig,
    SyslogConfig,
)
from collector.config.fields import Seconds, Section


class OutputBase(Section):
    """What every output has."""

    internal: bool = Field(
        default=True,
        description="Deliver the internal lane too: the collector's own metrics and traces.",
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


class ConsoleOutput(OutputBase):
    """The standard output, for trying things out."""

    type: Literal["console"] = Field(description="This kind of output.")
    config: ConsoleConfig = Field(
        default=ConsoleConfig(), description="Settings of the destination."
    )


Output: TypeAlias = Annotated[
    FileOutput | DevoOutput | SyslogOutput | HttpOutput | ConsoleOutput,
    Field(discriminator="type"),
]
