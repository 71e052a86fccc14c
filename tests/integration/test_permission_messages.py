"""What the collector's user may not read or write is refused with that user's number."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.app.heartbeat import barred
from collector.config.load import content
from collector.config.problems import InvalidConfig
from collector.config.secrets import Unresolved, file_text
from collector.demo.show import prepare
from collector.errors import ConfigError, StateError
from collector.persistence.database import take_lock
from collector.senders.failures import file_failure
from tests.fakes.somebody import somebody


@pytest.fixture(name="folder")
def _folder() -> Iterator[Path]:
    """A folder below which file permissions count, even when the tests run as root."""
    with somebody() as folder:
        yield folder


@pytest.fixture(name="closed")
def _closed(folder: Path) -> Path:
    """A file in it that nobody may open."""
    path = folder / "closed"
    path.write_text("x", encoding="utf-8")
    path.chmod(0)
    return path


def test_state_folder(folder: Path) -> None:
    """A state folder that cannot be made, as where a container's mount is root's."""
    folder.chmod(0o500)
    with pytest.raises(StateError, match=rf"202.*chown.* to user {os.geteuid()},"):
        take_lock(folder / "state")


def test_configuration(closed: Path) -> None:
    """The remedy is not another path."""
    with pytest.raises(InvalidConfig) as refused:
        content(closed, "name another file")
    (problem,) = refused.value.problems
    assert (
        problem.fix
        == f"let user {os.geteuid()}, which runs the collector, read it (chown or chmod)"
    )


def test_secret_file(closed: Path) -> None:
    """The same for a file that a reference names."""
    with pytest.raises(Unresolved) as refused:
        file_text(closed, "file:closed")
    assert f"let user {os.geteuid()}, which runs the collector, read it" in refused.value.fix


def test_file_of_records(closed: Path) -> None:
    """An output that may not write its file."""
    with pytest.raises(PermissionError) as refused:
        closed.open("ab")
    assert f"give user {os.geteuid()}," in file_failure(refused.value, closed).remedy


def test_sign_of_life(folder: Path) -> None:
    """``collector health`` tells a state folder that is closed to it from one that is at rest."""
    assert barred(folder) is None
    (folder / "heartbeat").touch()
    assert barred(folder) is None
    folder.chmod(0)
    reason = barred(folder)
    folder.chmod(0o700)
    assert reason is not None
    assert f"{folder}/heartbeat cannot be read: Permission denied; let user" in reason


def test_folder_of_the_demo(folder: Path) -> None:
    """One below a folder that may not be written, and one that may not be written itself."""
    folder.chmod(0o500)
    for place in (folder / "out", folder):
        with pytest.raises(ConfigError, match=r"cannot be used: Permission denied"):
            prepare(place)
