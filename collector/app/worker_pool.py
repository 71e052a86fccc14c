"""Who pulls besides this process: nobody, or the workers of ``collector.app.worker_processes``."""

from __future__ import annotations

from typing import Protocol


class WorkerPool(Protocol):
    """The worker processes, as the supervisor's main thread sees them."""

    @property
    def sources(self) -> int:
        """How many sources they have."""
        ...

    def start(self) -> None:
        """Start them; returns at once."""
        ...

    def finish(self) -> None:
        """Return when all have ended; when the program stops, ask them to and return at once."""
        ...

    def look(self) -> None:
        """Note how they and the spool they fill fare."""
        ...

    def ask_to_stop(self) -> None:
        """Let them come to rest; returns at once."""
        ...

    def rests(self) -> bool:
        """Ask them, if they were not; whether none is left after a bounded wait."""
        ...

    def kill(self) -> None:
        """End them at once."""
        ...


class NoWorkers:
    """No worker: this process does all of it."""

    sources = 0

    def start(self) -> None:
        """There is nobody."""

    def finish(self) -> None:
        """There is nobody."""

    def look(self) -> None:
        """There is nobody."""

    def ask_to_stop(self) -> None:
        """There is nobody."""

    def rests(self) -> bool:
        """Nobody is left."""
        return True

    def kill(self) -> None:
        """There is nobody."""
