"""What the simulated vendor is like: its history, its limits and its oddities.

The defaults are the vendor's habits as the vendor notes give them (PoD
sections 2 to 6 and 9; CASB A2 to A4 and the list at the end of A8).  Rates are
shares of the records, 0 to 1.  Seconds are seconds of the simulator's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

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
"""Records an hour: a small tenant (vendor notes on PoD, section 5)."""

MAX_RECORDS: Final = 5_000_000
"""The most records one service's history may hold; its times are kept in memory."""


class Oddities(Frozen, frozen=True, kw_only=True):
    """How often a record or a frame is odd; a record has at most one oddity of content."""

    missing_id_rate: float = 0.001
    missing_time_rate: float = 0.001
    unreadable_time_rate: float = 0.0005
    invalid_utf8_rate: float = 0.001
    control_characters_rate: float = 0.001
    huge_record_rate: float = 0.0001  # message only
    huge_record_bytes: int = 1_200_000
    odd_keys_rate: float = 0.01  # blanks, dots and colons in keys; message only
    unparsable_rate: float = 0.0  # PoD: cut in the middle, not in Truth.emitted
    colon_offset_rate: float = 0.02  # +01:00 instead of +0100
    numeric_pri_rate: float = 0.1  # maillog: a number where others have text
    truncated_stat_rate: float = 0.45  # maillog: the vendor's own parse bug

    duplicate_rate: float = 0.005  # sent twice on the live stream
    archive_duplicate_rate: float = 0.02
    late_archive_rate: float = 0.0  # missing from the archive until late_archive_seconds
    late_archive_seconds: float = 7200.0
    late_alert_rate: float = 0.0  # inserted into a window that is already old
    late_alert_seconds: float = 30.0
    alert_burst: int = 60  # alerts in one and the same millisecond, once in the history

    binary_frames: bool = False
    trailing_newline: bool = False
    fragmented_rate: float = 0.002
    empty_message_rate: float = 0.001

    zone_offset_hours: int = 1  # the gateway's local zone, which dates PoD records
    daylight_saving: bool = True  # by the European rule


class SimulatorOptions(Oddities, kw_only=True, frozen=True):
    """One simulated vendor.  The same options give the same records, always.

    Records are dated from ``history_start`` to ``history_end``; each appears when
    the clock passes it.  Raises ``ValueError`` for options that make no sense.
    """

    history_start: Micros
    history_end: Micros
    seed: int = 1
    rates: Mapping[str, float] = msgspec.field(default_factory=lambda: dict(DEFAULT_RATES))
    """Records an hour; a service left out is silent."""

    api_key: str = "simulated-api-key"
    client_id: str = "simulated-client-id"
    client_secret: str = "simulated-client-secret"  # noqa: S105 - a made-up value
    cluster_id: str = "example_hosted"
    tokens: tuple[str, ...] = ("simulated-token",)

    token_lifetime_seconds: float = 3600.0
    token_calls: int | None = None  # a CASB token dies after so many calls
    calls_per_day: int | None = 1000  # auth calls count; given again at midnight UTC
    page_size: int = 50
    events_lookback_seconds: float = 86_400.0  # where events start when nothing says so

    completion_jitter_seconds: float = 5.0  # a record appears up to so long after its time
    live_overlap: int = 5
    live_memory_seconds: float = 3600.0
    dead_session_seconds: float = 45.0
    idle_limit_seconds: float = 300.0
    archive_delay_seconds: float = 1800.0
    archive_rate: float | None = None  # records a second; None: as fast as it goes
    archive_shares_session: bool = True
    retention_days: float = 30.0
    deflate: bool = True
    backlog_limit_bytes: int | None = None  # a slow client is dropped above it; None: held back

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

    def records(self, service: str) -> int:
        """How many records the whole history of a service holds."""
        return int((self.history_end - self.history_start) * self.rates.get(service, 0) / HOUR)


QUIET: Final[Mapping[str, float | int | bool]] = {
    name: 0
    for name in Oddities.__struct_fields__
    if name.endswith("_rate") or name == "alert_burst"
}
"""Pass ``**QUIET`` for a vendor without oddities, and switch on what a test is about."""
