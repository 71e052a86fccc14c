"""Which of the configured sources a process runs."""

from __future__ import annotations

from collections.abc import Collection


class Selection:
    """Which inputs, services and sources (``input#service``) to run; empty means all.

    ``only_looks``: of them the hours that are to be read once more, and nothing else.
    """

    def __init__(
        self,
        inputs: Collection[str] = (),
        services: Collection[str] = (),
        sources: Collection[str] = (),
        *,
        only_looks: bool = False,
    ) -> None:
        self.only_looks = only_looks
        self._inputs = frozenset(inputs)
        self._services = frozenset(services)
        self._sources = frozenset(sources)

    def has_input(self, name: str) -> bool:
        """Whether this input is wanted."""
        named = {source.partition("#")[0] for source in self._sources}
        return (not self._inputs or name in self._inputs) and (not named or name in named)

    def has_source(self, name: str, service: str) -> bool:
        """Whether this service of this input is wanted."""
        return (
            self.has_input(name)
            and (not self._services or service in self._services)
            and (not self._sources or f"{name}#{service}" in self._sources)
        )


NOTHING = Selection(inputs={""})
"""Runs nothing: no input has an empty name."""
