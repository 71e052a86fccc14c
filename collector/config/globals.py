"""Settings of the collector as a whole."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from collector.config.fields import (
    MIB,
    Count,
    Days,
    FilePath,
    Minutes,
    Name,
    Seconds,
    Section,
    StoredBytes,
    Tag,
    Text,
    Workers,
)
from collector.config.vault import Vault


class PersistenceConfig(Section):
    """Where the state is kept."""

    directory_name: FilePath = Field(
        default=Path("state"),
        description="Folder of the state: checkpoints, known ids, and records that wait for "
        "delivery. A relative path starts at the working directory.",
    )
    on_damage: Literal["stop", "start_anew"] = Field(
        default="stop",
        description="What to do when the state file is damaged; it is set aside under another name "
        "either way. `stop`: exit with 7, at each start, until a person has acted. `start_anew`: "
        "collect again from `initial_start_time_in_utc`, so that records come twice rather than "
        "not at all.",
    )


class Persistence(Section):
    """How the state is kept."""

    type: Literal["sqlite"] = Field(
        default="sqlite",
        description="Kind of store. Devo's `filesystem` is `sqlite` here: one file in the folder.",
    )
    config: PersistenceConfig = Field(
        default=PersistenceConfig(), description="Settings of the store."
    )


class BatchLimits(Section):
    """When a batch is closed: at whichever limit comes first."""

    max_records: Count = Field(default=1000, description="Records in one batch, at most.")
    max_seconds: Seconds = Field(
        default=5.0, description="Age in seconds at which a batch is closed even if it is small."
    )


class SpoolLimits(Section):
    """The records that wait for outputs."""

    max_bytes: StoredBytes = Field(
        default=10 * 1024 * MIB,
        description="Bytes of records that may wait for outputs, in all, as they came: on the disk "
        "they are compressed, most often to a third. Pulling pauses when less than a twentieth "
        "of it is free, and goes on when a tenth is; nothing is dropped. The "
        "default holds about five million records of 2 KB: a day at 60 a second. Several "
        "`workers` may exceed it by what they take in a second less that twentieth: with the "
        "default by nothing up to three workers, by 2 GB at most with sixteen.",
    )


class DeadLetterLimits(Section):
    """How much is kept of what could not be read or was refused for good."""

    max_bytes: StoredBytes = Field(
        default=1024 * MIB,
        description="Bytes of dead letters that are kept, in all. Beyond it the oldest are "
        "deleted; each one that is deleted is counted and told in the log.",
    )


class Globals(Section):
    """Settings of the collector as a whole."""

    id: Text = Field(
        description='Identifier of this collector in its logs and metrics; text, so write `"4711"`.'
    )
    name: Name = Field(
        description="Name of this collector in its logs and metrics: letters, digits, - and _."
    )
    workers: Workers = Field(
        default=1,
        description="Processes that the sources are spread over, each pulling for its own; with "
        "more than one the process that was started supervises them, and delivers. Worth it where "
        "one core is busy all the time. VirtualMetric's `workers`.",
    )
    debug: bool = Field(default=False, description="Log at DEBUG instead of INFO.")
    log_format: Literal["text", "json"] = Field(
        default="text",
        description="Form of the log: `text` is the line form of Devo's collectors, "
        "`json` one JSON object a line.",
    )
    persistence: Persistence = Field(
        default=Persistence(), description="Where and how the state is kept."
    )
    batch: BatchLimits = Field(default=BatchLimits(), description="When a batch is closed.")
    spool: SpoolLimits = Field(default=SpoolLimits(), description="How much may wait for outputs.")
    dead_letters: DeadLetterLimits = Field(
        default=DeadLetterLimits(), description="How much is kept aside."
    )
    statistics_period_in_seconds: Seconds = Field(
        default=300.0, description="Seconds between two statistics of the senders in the log."
    )
    stall_limit_in_seconds: Seconds = Field(
        default=120.0,
        description="Seconds without progress after which a one-shot run (`--once`) no longer "
        "waits for an output; its records stay in the state for the next run.",
    )
    give_up_after_in_minutes: Minutes | None = Field(
        default=None,
        description="Minutes of failing without any success after which a source is tried no more, "
        "until the collector starts again or its credentials change. Default: never; records are "
        "not lost by trying. Sumo Logic gives up after 90.",
    )
    internal_tag: Tag = Field(
        default="devo.collectors.out",
        description="Tag (table) of the collector's own metrics, which no enabled service may "
        "have. The name of Devo's table is not public, so check it with Devo.",
    )
    secrets: Vault = Field(default=Vault(), description="Where secrets come from.")
    certificate_warning_in_days: Days = Field(
        default=30,
        description="Days before a certificate in a named file expires from which on `collector "
        "check`, the start, and the log once a day warn of it.",
    )
    allow_plaintext: bool = Field(
        default=False,
        description="Take `http://` and `ws://` URLs of other machines. They carry credentials "
        "and records in the clear; without this they are taken on loopback only.",
    )
