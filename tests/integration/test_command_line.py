"""The command line as a whole: which part of it a command loads."""

from __future__ import annotations

import subprocess
import sys

from tests.fakes.processes import ROOT


def loaded_by(*words: str) -> set[str]:
    """The modules that a command has loaded at its end."""
    code = (
        "import atexit, sys\n"
        "from collector.cli import main\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        f"sys.argv = {['collector', *words]!r}\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stderr.split())


def test_a_command_loads_what_it_needs() -> None:
    """Its own module; ``health``, which a container asks for ever, nothing that collects."""
    health = loaded_by("health", "--help")
    assert "collector.cli.health" in health
    assert not {"collector.cli.run", "collector.app.collector", "numpy", "sqlite3"} & health
    assert not {"collector.config.models", "cryptography"} & loaded_by("version")


def test_help_knows_all() -> None:
    """Without a command everything is loaded, so that the list is whole."""
    assert {"collector.cli.run", "collector.cli.ledger"} <= loaded_by("--help")
