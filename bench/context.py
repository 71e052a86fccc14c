"""What all rows share: where things are, how much is measured, and scratch space."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from bench.certificate import Certificate
from bench.measured import cost


class Product(NamedTuple):
    """The installed collector: its folder of programs."""

    programs: Path

    @property
    def python(self) -> str:
        """The interpreter that it is installed in."""
        return str(self.programs / "python")

    @property
    def command(self) -> str:
        """The command as users run it."""
        return str(self.programs / "collector")


class Context:
    """One run of the benchmark.

    ``rounds`` is how often each thing is measured, ``quick`` asks for less of it;
    ``folder`` is where scratch space is taken.
    """

    def __init__(
        self, folder: Path, certificate: Certificate, product: Product, *, rounds: int, quick: bool
    ) -> None:
        self.certificate = certificate
        self.product = product
        self.rounds = rounds
        self.quick = quick
        self.folder = folder

    def records(self, full: int, quick: int) -> int:
        """How many records to measure with."""
        return quick if self.quick else full

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A new empty folder, gone at the end: spools and segment files are large."""
        with TemporaryDirectory(dir=self.folder) as name:
            yield Path(name)

    def each_round(self) -> Iterator[int]:
        """The rounds, so that what is compared can take turns."""
        return iter(range(self.rounds))

    def worker(self, name: str, *options: object, tools: bool = False) -> dict[str, Any]:
        """What ``bench.workers.NAME`` prints, in the product's interpreter or that of the tools.

        Raises ``Failed`` when the worker does.
        """
        python = sys.executable if tools else self.product.python
        command = [python, "-m", f"bench.workers.{name}", *map(str, options)]
        with self.scratch() as folder:
            told: dict[str, Any] = json.loads(cost(command, folder).output.splitlines()[-1])
        return told
