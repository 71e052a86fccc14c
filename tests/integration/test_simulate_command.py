"""``collector simulate``: what it says when it cannot listen."""

from __future__ import annotations

import socket

import pytest
from typer.testing import CliRunner

from collector.cli import application
from collector.errors import ConfigError


def test_a_port_that_is_taken() -> None:
    """It is one error of ours with a remedy, not a stack trace."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        done = CliRunner().invoke(application(), ["simulate", "--port", str(port)])
    assert isinstance(done.exception, ConfigError)
    assert f"port {port}" in done.exception.cause
    assert "--port 0" in done.exception.remedy


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_is_none(port: str) -> None:
    """It is refused as a mistake of the command line."""
    done = CliRunner().invoke(application(), ["simulate", "--port", port])
    assert done.exit_code == 2
