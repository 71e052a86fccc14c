"""What the collector's user may not read or write is refused with that user's number."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.config.load import content
from collector.config.problems import InvalidConfig
from collector.config.secrets import Unresolved, file_text
from collector.errors import StateError
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
