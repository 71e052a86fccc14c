"""The page on outputs is held to the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collector.config.load import load
from collector.config.outputs import Output
from collector.core import times

PAGE = Path(__file__).parent.parent.parent / "docs" / "outputs.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
VARIABLES = (
    "SPLUNK_HEC_TOKEN",
    "ELASTIC_API_KEY",
    "SUMO_SOURCE_URL",
    "AZURE_CLIENT_SECRET",
    "LAKE_TOKEN",
)
REST = """
globals: {id: "4711", name: acme}
inputs:
  pod:
    type: proofpoint_pod
    credentials: {cluster_id: acme_hosted, token: invented}
    services: {audit: {}}
"""


def loaded(block: str, folder: Path) -> list[Output]:
    """The outputs of a block of the page."""
    path = folder / "config.yaml"
    path.write_text(block + REST, encoding="utf-8")
    environ = dict.fromkeys(VARIABLES, "https://sumo.example.com/invented")
    return [*load(path, environ, times.parse("2026-06-01T00:00:00Z")).outputs.values()]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split(":")[1].strip())
def test_each_configuration_is_valid(block: str, tmp_path: Path) -> None:
    """What a reader copies is accepted."""
    assert len(loaded(block, tmp_path)) == 1


def test_outputs_over_http_are_there(tmp_path: Path) -> None:
    """None of the services with an interface of their own is left out."""
    kinds = {output.type for block in BLOCKS for output in loaded(block, tmp_path)}
    assert kinds >= {"splunk_hec", "elasticsearch", "sumo_logic", "sentinel", "http"}
