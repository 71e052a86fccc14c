"""The number that opens a syslog message, in words (RFC 5424, 6.2.1)."""

from __future__ import annotations

HIGHEST = 191

_FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron"),
    *("authpriv", "ftp", "ntp", "audit", "alert", "clockd"),
    *(f"local{number}" for number in range(8)),
)
_SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")


def named(priority: int) -> dict[str, object]:
    """Facility and severity of a priority of 0 to 191."""
    return {"facility": _FACILITIES[priority // 8], "severity": _SEVERITIES[priority % 8]}
