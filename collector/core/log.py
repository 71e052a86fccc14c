"""The logger that everything is handed: it speaks for one component."""

from __future__ import annotations

from typing import Protocol


class Log(Protocol):
    """What the log takes (``collector.logs.ComponentLogger``)."""

    def during(self, pulling_id: int) -> Log:
        """The same component during one pull."""
        ...

    def info(self, msg: object, /, *args: object) -> None:
        """Log at INFO."""
        ...

    def warning(self, msg: object, /, *args: object) -> None:
        """Log at WARNING."""
        ...

    def error(self, msg: object, /, *args: object) -> None:
        """Log at ERROR."""
        ...
