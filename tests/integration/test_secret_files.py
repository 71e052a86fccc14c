"""Files of secrets that are open to others: ``collector check`` warns, and goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from collector.cli import application
from collector.config.exposure import exposure
from tests.fakes.config import changed

TOKEN = "inputs.pod.credentials.token"
CANARY = "c4n4ry-token"


def warned(folder: Path, document: dict[str, Any]) -> list[dict[str, Any]]:
    """What ``collector check`` warns of; the configuration is valid all the same."""
    config = folder / "config.yaml"
    config.write_text(json.dumps(document), encoding="utf-8")
    done = CliRunner().invoke(application(), ["check", "--json", "--config", str(config)])
    assert done.exit_code == 0, done.output
    assert CANARY not in done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)["warnings"]
    return found


def kept(folder: Path, mode: int) -> Path:
    """A file of the default folder with a secret and this mode."""
    path = folder / "secrets" / "pod_token"
    path.parent.mkdir(exist_ok=True)
    path.write_text(CANARY)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("reference", ["$secret{pod_token}", "file:secrets/pod_token"])
@pytest.mark.parametrize(
    ("mode", "how"),
    [
        (0o644, "can be read by every user"),
        (0o444, "can be read by every user"),
        (0o660, "can be written by other users"),
        (0o646, "can be written by other users"),
    ],
)
def test_a_file_that_is_open(tmp_path: Path, reference: str, mode: int, how: str) -> None:
    """By the setting, with the file, its mode, and what to do."""
    path = kept(tmp_path, mode)
    (found,) = warned(tmp_path, changed(TOKEN, reference))
    assert found["path"] == TOKEN
    assert found["line"] == 1
    assert how in found["reason"]
    assert f"{path}" in found["reason"]
    assert f"(mode {mode:04o})" in found["reason"]
    assert f"chmod 600 {path}" in found["fix"]


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_a_file_of_its_owner(tmp_path: Path, mode: int) -> None:
    """Its owner's, and a group's that may read it: nothing to warn of."""
    kept(tmp_path, mode)
    assert warned(tmp_path, changed(TOKEN, "$secret{pod_token}")) == []


def test_once_a_file(tmp_path: Path) -> None:
    """Two settings with one secret are one warning; what is no secret has none."""
    kept(tmp_path, 0o644)
    document = changed("inputs.casb.credentials.api_key", "$secret{pod_token}")
    document["inputs"]["casb"]["credentials"]["client_id"] = "file:secrets/pod_token"
    assert len(warned(tmp_path, document)) == 1
    assert warned(tmp_path, changed("inputs.pod.description", "file:secrets/pod_token")) == []


def test_what_a_container_is_given(tmp_path: Path) -> None:
    """Beneath the folder of such secrets mode 0444 is their nature, links included."""
    path = kept(tmp_path, 0o444)
    link = tmp_path / "linked"
    link.symlink_to(path)
    assert exposure(path) is not None
    assert exposure(path, provided=path.parent) is None
    assert exposure(link, provided=path.parent) is None


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """That is told with the settings, not here."""
    assert exposure(tmp_path / "gone") is None
