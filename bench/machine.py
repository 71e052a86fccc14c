"""The machine and the programs that figures come from."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import ssl
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

_LIBRARIES = ("devo-sdk", "msgspec", "picows", "uvloop", "websocket-client", "websockets")


def machine() -> dict[str, str]:
    """What to tell beside any figure, by its name."""
    return {
        "measured at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "CPU": _first(Path("/proc/cpuinfo"), r"model name\s*: (.+)") or platform.processor(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "system": f"{platform.system()} {_numbers(platform.release())}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "TLS": ssl.OPENSSL_VERSION,
        "libraries": ", ".join(_versions()),
    }


def _memory() -> str:
    kilobytes = _first(Path("/proc/meminfo"), r"MemTotal:\s*(\d+)")
    return f"{int(kilobytes) / 1024**2:.0f} GiB" if kilobytes else "unknown"


def _numbers(release: str) -> str:
    """``6.1.0`` of ``6.1.0-18-amd64``: the rest names a build, which may be a private one."""
    found = re.match(r"\d+(\.\d+)*", release)
    return found[0] if found else ""


def _first(path: Path, pattern: str) -> str | None:
    found = re.search(pattern, path.read_text(encoding="utf-8")) if path.exists() else None
    return found[1] if found else None


def _versions() -> list[str]:
    installed = {each.name.lower(): each.version for each in metadata.distributions()}
    return [f"{name} {installed[name]}" for name in _LIBRARIES if name in installed]
