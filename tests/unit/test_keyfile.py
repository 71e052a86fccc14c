"""The file of shared keys: only its owner's, whole, the newest last."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collector.config import keyfile
from collector.config.ciphertext import Key, new_key
from collector.config.keyfile import MAX_BYTES
from collector.config.secrets import Unresolved
from collector.errors import ConfigError

KEY = Key(b"k" * 32)


def written(folder: Path, content: str | bytes, mode: int = 0o600) -> Path:
    """A key file with this content and mode."""
    path = folder / "key"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


def reason(path: Path) -> str:
    """Why the file cannot be used; no key is in it."""
    with pytest.raises(Unresolved) as caught:
        keyfile.read(path)
    assert caught.value.fix
    assert keyfile.line(KEY).rpartition(":")[2] not in caught.value.reason
    return caught.value.reason


def test_made_and_read(tmp_path: Path) -> None:
    """A new file is its owner's alone; keys that are added come last."""
    path, newer = tmp_path / "key", new_key()
    keyfile.create(path, KEY)
    assert path.stat().st_mode & 0o777 == 0o600
    keyfile.add(path, newer)
    assert keyfile.read(path) == (KEY, newer)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


def test_comments_and_blank_lines(tmp_path: Path) -> None:
    """They are passed over, and kept when a key is added."""
    content = f"# of acme\n\n  {keyfile.line(KEY)}  \n# the end, without a line end"
    path = written(tmp_path, content, 0o400)
    assert keyfile.read(path) == (KEY,)
    keyfile.add(path, KEY)
    assert path.read_text() == f"{content}\n{keyfile.line(KEY)}\n"


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    """A new key never takes the place of one that may still be needed."""
    path = written(tmp_path, keyfile.line(KEY))
    with pytest.raises(ConfigError, match="--add"):
        keyfile.create(path, new_key())
    assert keyfile.read(path) == (KEY,)


def test_what_cannot_be_written(tmp_path: Path) -> None:
    """A folder that is not there, a file that is no key file."""
    with pytest.raises(ConfigError, match="cannot be written"):
        keyfile.create(tmp_path / "gone" / "key", KEY)
    with pytest.raises(ConfigError, match="no whole key"):
        keyfile.add(written(tmp_path, "my notes"), KEY)


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o601, 0o666])
def test_others_must_not_read_it(tmp_path: Path, mode: int) -> None:
    """Nor write it: whatever right they have on it is too much."""
    assert f"mode {mode:04o}" in reason(written(tmp_path, keyfile.line(KEY), mode))


@pytest.mark.parametrize(
    "content",
    [
        keyfile.line(KEY)[:-1],
        keyfile.line(KEY) + "A",
        keyfile.line(KEY).replace("v1", "v2"),
        keyfile.line(KEY).replace(KEY.id, "0123456789abcdef"),
        keyfile.line(KEY)[:-1] + "t",
        b"\xff\xfe",
        "k" * 32,
    ],
)
def test_no_whole_key(tmp_path: Path, content: str | bytes) -> None:
    """A line that was cut, changed or is another thing is named by its number."""
    assert "line 1" in reason(written(tmp_path, content))


def test_no_key_at_all(tmp_path: Path) -> None:
    """An empty file, a large one, a folder, a pipe, a device, none."""
    assert "holds no key" in reason(written(tmp_path, "# none\n"))
    assert "64 KiB" in reason(written(tmp_path, "#" * (MAX_BYTES + 1)))
    assert "cannot be read" in reason(tmp_path) or "is no file" in reason(tmp_path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "is no file" in reason(tmp_path / "pipe")
    assert "is no file" in reason(Path("/dev/null"))
    assert "there is no key file" in reason(tmp_path / "gone")
