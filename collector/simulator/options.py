"""What the simulated vendor is like: its history, its limits and its oddities.

The defaults are the vendor's habits (docs/vendor-notes.md, PoD 2 to 6 and 9,
CASB A2 to A4 and A8).  Rates are shares of the records, 0 to 1.  Seconds are
seconds of the simulator's clock.

What is said of a field here is its help on the command line; the bounds are
those of values that come from there (``assignments``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta

from collector.core.model import Frozen, Micros
from collector.core.times import HOUR

CASB_SERVICES: Final = ("alerts", "events")
POD_SERVICES: Final = ("message", "maillog", "audit")
SERVICES: Final = CASB_SERVICES + POD_SERVICES

DEFAULT_RATES: Final[Mapping[str, float]] = {
    "alerts": 60,
    "events": 240,
    "message": 850,
    "maillog": 2200,
    "audit": 20,
}
"""Records an hour: a small tenant (docs/vendor-notes.md, PoD 5)."""

MAX_RECORDS: Final = 5_000_000
"""The most records one service's history may hold; its times are kept in memory."""

CONTENT_ODDITIES: Final = (
    "missing_id",
    "missing_time",
    "unreadable_time",
    "invalid_utf8",
    "control_characters",
    "huge_record",
    "odd_keys",
    "colon_offset",
    "unparsable",
)
"""The oddities of which a record has at most one; each has its rate."""

Instant: TypeAlias = Annotated[Micros, Meta(ge=0)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=366 * 86_400)]
Text: TypeAlias = Annotated[str, Meta(min_length=1)]
Hourly: TypeAlias = Annotated[
    float, Meta(ge=0, le=1e9, description="records an hour; 0: the service is silent")
]


def says(meaning: str) -> Meta:
    """What a field means, in the words of the command line's help."""
    return Meta(description=meaning)


class Oddities(Frozen, frozen=True, kw_only=True):
    """How often a record or a frame is odd; a record has at most one oddity of content."""

    missing_id_rate: Annotated[Share, says("records without their id")] = 0.001
    missing_time_rate: Annotated[Share, says("records without their time")] = 0.001
    unreadable_time_rate: Annotated[Share, says("records with a time that is none")] = 0.0005
    invalid_utf8_rate: Annotated[Share, says("records with bytes that are not UTF-8")] = 0.001
    control_characters_rate: Annotated[
        Share, says("records with raw control characters in a text")
    ] = 0.001
    huge_record_rate: Annotated[
        Share, says("message: records with a text of huge_record_bytes")
    ] = 0.0001
    huge_record_bytes: Annotated[
        int, Meta(ge=0, le=64 * 1024 * 1024), says("size of the text of a huge record")
    ] = 1_200_000
    odd_keys_rate: Annotated[
        Share, says("message: records with blanks, dots and colons in keys")
    ] = 0.01
    unparsable_rate: Annotated[Share, says("PoD: records cut in the middle")] = 0.0
    colon_offset_rate: Annotated[Share, says("records dated +01:00 instead of +0100")] = 0.02
    numeric_pri_rate: Annotated[
        Share, says("maillog: records with a number for pri where others have text")
    ] = 0.1
    truncated_stat_rate: Annotated[
        Share, says("maillog: records with a cut stat, the vendor's own parse bug")
    ] = 0.45

    duplicate_rate: Annotated[Share, says("records sent twice on the live stream")] = 0.005
    archive_duplicate_rate: Annotated[Share, says("records sent twice by the archive")] = 0.02
    late_archive_rate: Annotated[
        Share, says("records that reach the archive late_archive_seconds after the others")
    ] = 0.0
    late_archive_seconds: Annotated[Seconds, says("how late such a record is")] = 7200.0
    late_alert_rate: Annotated[
        Share, says("alerts that appear late_alert_seconds late, in a window already old")
    ] = 0.0
    late_alert_seconds: Annotated[Seconds, says("how late such an alert is")] = 30.0
    alert_burst: Annotated[
        int,
        Meta(ge=0, le=100_000),
        says("alerts in one and the same millisecond, once in the history"),
    ] = 60

    binary_frames: Annotated[bool, says("PoD: frames of type binary instead of text")] = False
    trailing_newline: Annotated[bool, says("PoD: a line end after each record")] = False
    fragmented_rate: Annotated[Share, says("PoD: records sent in several fragments")] = 0.002
    empty_message_rate: Annotated[Share, says("PoD: records sent after an empty message")] = 0.001

    zone_offset_hours: Annotated[
        int, Meta(ge=-12, le=14), says("the gateway's local zone, which dates PoD records")
    ] = 1
    daylight_saving: Annotated[bool, says("an hour more in summer, by the European rule")] = True


class SimulatorOptions(Oddities, kw_only=True, frozen=True):
    """One simulated vendor.  The same options give the same records, always.

    Records are dated from ``history_start`` to ``history_end``; each appears when
    the clock passes it.  Raises ``ValueError`` for options that make no sense.
    """

    history_start: Annotated[Instant, says("time of the first record, ISO 8601")]
    history_end: Annotated[Instant, says("end of the times of records, ISO 8601")]
    seed: Annotated[int, says("the same seed makes the same records")] = 1
    rates: Mapping[str, Hourly] = msgspec.field(default_factory=lambda: dict(DEFAULT_RATES))
    """Records an hour; a service left out is silent."""

    api_key: Annotated[Text, says("CASB: the key of each call")] = "simulated-api-key"
    client_id: Annotated[Text, says("CASB: who asks for a token")] = "simulated-client-id"
    client_secret: Annotated[Text, says("CASB: and with what secret")] = "simulated-client-secret"  # noqa: S105 - a made-up value
    cluster_id: Annotated[Text, says("PoD: the customer's cluster")] = "example_hosted"
    tokens: Annotated[
        tuple[Text, ...],
        Meta(min_length=1),
        says("PoD: the tokens it takes, with commas between; each has sessions of its own"),
    ] = ("simulated-token",)

    token_lifetime_seconds: Annotated[Seconds, says("CASB: how long a token is good")] = 3600.0
    token_calls: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        says("CASB: how many calls a token is good for; none: any number"),
    ] = None
    calls_per_day: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        says("CASB: calls until 429, auth calls too, given again at midnight UTC; none: no limit"),
    ] = 1000
    page_size: Annotated[int, Meta(ge=1, le=10_000), says("CASB: records a page holds")] = 50
    events_lookback_seconds: Annotated[
        Seconds, says("CASB: how far back events start when the call does not say")
    ] = 86_400.0

    completion_jitter_seconds: Annotated[
        Seconds, says("a record appears up to so long after its time")
    ] = 5.0
    live_overlap: Annotated[
        int, Meta(ge=0, le=100_000), says("records sent once more when live is resumed")
    ] = 5
    live_memory_seconds: Annotated[
        Seconds, says("how far back live starts, and how long it can be resumed")
    ] = 3600.0
    dead_session_seconds: Annotated[
        Seconds, says("PoD: how long 409 answers after a session that was reset")
    ] = 45.0
    idle_limit_seconds: Annotated[
        Seconds, says("PoD: live closes a client that has sent nothing, not even a pong")
    ] = 300.0
    archive_delay_seconds: Annotated[
        Seconds, says("how long after it appears a record is in the archive")
    ] = 1800.0
    archive_rate: Annotated[
        Annotated[float, Meta(gt=0, le=1e9)] | None,
        says("records a second of an archive session; none: as fast as it goes"),
    ] = None
    archive_shares_session: Annotated[
        bool, says("live and archive of a type take the same one session of a token")
    ] = True
    retention_days: Annotated[
        float, Meta(ge=0, le=3660), says("PoD: how far back the archive may be asked")
    ] = 30.0
    deflate: Annotated[bool, says("PoD: frames are compressed for a client that offers it")] = True
    backlog_limit_bytes: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        says("PoD: a slow client is dropped above it; none: it is held back"),
    ] = None

    def __post_init__(self) -> None:
        """Refuse what no history can be made of."""
        if self.history_end < self.history_start:
            raise ValueError("history_end is before history_start")
        unknown = sorted(set(self.rates) - set(SERVICES))
        if unknown:
            raise ValueError(f"rates names no service of the vendor: {', '.join(unknown)}")
        for service in self.rates:
            if not 0 <= self.records(service) <= MAX_RECORDS:
                raise ValueError(f"rates.{service} gives less than 0 or over {MAX_RECORDS} records")
        shares = {f"{name}_rate": getattr(self, f"{name}_rate") for name in CONTENT_ODDITIES}
        if math.fsum(shares.values()) > 1:
            used = ", ".join(name for name, share in shares.items() if share)
            raise ValueError(f"a record has one of these oddities at most; over 1 in all: {used}")

    def records(self, service: str) -> int:
        """How many records the whole history of a service holds."""
        return int((self.history_end - self.history_start) * self.rates.get(service, 0) / HOUR)


QUIET: Final[Mapping[str, float | int | bool]] = {
    name: 0
    for name in Oddities.__struct_fields__
    if name.endswith("_rate") or name == "alert_burst"
}
"""Pass ``**QUIET`` for a vendor without oddities, and switch on what a test is about."""
