"""The numbers of one pull, as the reference page's statistics line wants them."""

from __future__ import annotations

import msgspec


class PullStats(msgspec.Struct):
    """Counts since the pull began; ``generated`` counts records, the others events."""

    requests: int = 0
    received: int = 0
    duplicates: int = 0
    generated: int = 0
    filtered: int = 0
    rejected: int = 0

    def add(self, other: PullStats) -> None:
        """Count another part of the same pull."""
        self.requests += other.requests
        self.received += other.received
        self.duplicates += other.duplicates
        self.generated += other.generated
        self.filtered += other.filtered
        self.rejected += other.rejected
