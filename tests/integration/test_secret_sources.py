"""Where ``$secret{name}`` comes from: a folder of files, the system's keyring, a command."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from collector.config.load import parse
from collector.config.models import Settings
from collector.config.problems import InvalidConfig, Problem
from collector.config.secrets import MAX_FILE_BYTES, Unresolved
from collector.config.secured import secrets_of
from collector.config.vaults import from_command, from_keyring
from tests.fakes.config import NOW, changed
from tests.fakes.keyrings import in_memory

CANARY = "c4n4ry-token"
ECHO = "import os, sys; print(os.environ['OF_' + sys.argv[1]])"


NAMED = "$secret{pod_token}"


def document(secrets: dict[str, Any], token: str = NAMED) -> dict[str, Any]:
    """A configuration whose token is a named secret."""
    named = changed("inputs.pod.credentials.token", token)
    named["globals"] = {**named["globals"], "secrets": secrets}
    return named


def loaded(
    secrets: dict[str, Any],
    base: Path,
    environ: dict[str, str] | None = None,
    token: str = NAMED,
) -> Settings:
    """That configuration as settings."""
    return parse(document(secrets, token), base, environ or {}, NOW)


def problem(secrets: dict[str, Any], base: Path, token: str = NAMED) -> Problem:
    """The one thing that is wrong with it; no secret is in it."""
    with pytest.raises(InvalidConfig) as caught:
        loaded(secrets, base, token=token)
    assert CANARY not in f"{caught.value} {caught.value.__context__!r}"
    (found,) = caught.value.problems
    return found


def command(code: str, *more: str) -> dict[str, Any]:
    """Settings for a Python program that is given the secret's name."""
    return {"from": "command", "command": [sys.executable, "-Ic", code, "{name}", *more]}


def test_files_are_the_default(tmp_path: Path) -> None:
    """In the folder ``secrets`` beside the configuration, or another one; less one line end."""
    for folder in ("secrets", "elsewhere"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "pod_token").write_text(f"{CANARY}-{folder}\n")
    assert f"{CANARY}-secrets" in secrets_of(loaded({}, tmp_path))
    assert f"{CANARY}-elsewhere" in secrets_of(loaded({"folder": "elsewhere"}, tmp_path))
    absolute = {"from": "files", "folder": str(tmp_path / "elsewhere")}
    assert f"{CANARY}-elsewhere" in secrets_of(loaded(absolute, Path("/nowhere")))


def test_a_secret_within_a_text(tmp_path: Path) -> None:
    """It may stand anywhere, beside other references; what it brings is not read for more."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "pod_token").write_text("${A}$secret{x}")
    token = "<$secret{pod_token}|${A}|$$secret{x}>"
    assert "<${A}$secret{x}|one|$secret{x}>" in secrets_of(
        loaded({}, tmp_path, {"A": "one"}, token=token)
    )


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """By the secret's name, with the place where it is looked for."""
    found = problem({}, tmp_path)
    assert found.path == "inputs.pod.credentials.token"
    assert "the secret pod_token cannot be read" in found.reason
    assert str(tmp_path / "secrets" / "pod_token") in found.fix


@pytest.mark.parametrize("name", ["", "../key", "a/b", ".hidden", "-x", "a b", "a" * 129, "é"])
def test_names_of_secrets(tmp_path: Path, name: str) -> None:
    """None leads out of the folder, and none is taken for an option."""
    assert "$$secret{" in problem({}, tmp_path, token=f"$secret{{{name}}}").fix
    assert "$$secret{" in problem({}, tmp_path, token="$secret{never closed").fix


def test_keyring(tmp_path: Path) -> None:
    """The secret of a service and user name; one that is not there, or locked, is named."""
    settings = {"from": "keyring", "service": "acme"}
    with in_memory() as memory:
        found = problem(settings, tmp_path)
        assert "holds no secret pod_token for the service acme" in found.reason
        memory.kept["acme", "pod_token"] = CANARY
        assert CANARY in secrets_of(loaded(settings, tmp_path))
        found = problem({"from": "keyring"}, tmp_path)
        assert "for the service collector" in found.reason
        memory.locked = True
        found = problem(settings, tmp_path)
        assert "does not give the secret pod_token: KeyringLocked" in found.reason


def test_keyring_is_an_extra() -> None:
    """Where it is not installed, the message tells how to get it."""

    def missing(name: str) -> ModuleType:
        raise ModuleNotFoundError(name)

    with pytest.raises(Unresolved) as caught:
        from_keyring("acme", "pod_token", missing)
    assert "the secret pod_token" in caught.value.reason
    assert "pip install 'proofpoint-collector[keyring]'" in caught.value.fix


def test_command(tmp_path: Path) -> None:
    """It is given the name as an argument and the environment, and prints the secret."""
    environ = {"OF_pod_token": CANARY}
    assert CANARY in secrets_of(loaded(command(ECHO), tmp_path, environ))


def test_no_shell(tmp_path: Path) -> None:
    """What a shell would read is an argument like any other."""
    settings = command("import sys; print(sys.argv[2:])", "; touch $HOME `id` > x && ls *")
    found = secrets_of(loaded(settings, tmp_path))
    assert "['; touch $HOME `id` > x && ls *']" in found


def test_a_secret_is_asked_for_once(tmp_path: Path) -> None:
    """However often it is named; each reading of the configuration asks again."""
    count = f"open({str(tmp_path / 'count')!r}, 'a').write('x'); print('{CANARY}')"
    for asked in (1, 2):
        loaded(command(count), tmp_path, token="$secret{a}$secret{a}")
        assert (tmp_path / "count").read_text() == "x" * asked


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (f"print('{CANARY}'); exit(3)", "ended with 3"),
        (f"import sys; sys.stderr.write('{CANARY}'); exit(1)", "ended with 1"),
        ("pass", "printed nothing"),
        ("print()", "printed nothing"),
        (f"print('{CANARY}' * {MAX_FILE_BYTES})", "printed more than 64 KiB"),
        ("while True: print('x' * 9999)", "printed more than 64 KiB"),
    ],
)
def test_commands_that_fail(tmp_path: Path, code: str, reason: str) -> None:
    """The message names the secret and how the program ended, never what it printed."""
    assert (
        f"the command for the secret pod_token {reason}" in problem(command(code), tmp_path).reason
    )


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    """It is a problem like any other."""
    found = problem({"from": "command", "command": [str(tmp_path), "{name}"]}, tmp_path)
    assert "cannot be started" in found.reason


@pytest.mark.parametrize(
    "code",
    [
        "import time; print('c4n4ry', flush=True); time.sleep(60)",
        "import os, time; os.close(1); time.sleep(60)",
        "import os, time\nif os.fork() == 0: time.sleep(60)",
    ],
)
def test_a_command_that_hangs_is_ended(code: str) -> None:
    """With all that it started; what it printed until then is no secret."""
    with pytest.raises(Unresolved, match="did not end within"):
        from_command([sys.executable, "-Ic", code], "pod_token", 0.3, {})


@pytest.mark.parametrize(
    ("secrets", "path"),
    [
        ({"from": "command"}, "globals.secrets"),
        ({"from": "command", "command": ["{name}"]}, "globals.secrets"),
        ({"from": "vault"}, "globals.secrets.from"),
        ({"folder": "$secret{x}"}, "globals.secrets.folder"),
        ({"folder": "${UNSET}"}, "globals.secrets.folder"),
        ({"timeout_in_seconds": 0}, "globals.secrets.timeout_in_seconds"),
        ({"command": ["x", "{name}", "${TOKEN}"]}, "globals.secrets.command[2]"),
        ({"command": ["x", "{name}", "file:token"]}, "globals.secrets.command[2]"),
    ],
)
def test_wrong_settings(tmp_path: Path, secrets: dict[str, Any], path: str) -> None:
    """They are told with every secret that cannot be looked up because of them."""
    with pytest.raises(InvalidConfig) as caught:
        loaded(secrets, tmp_path)
    found = {each.path: each.reason for each in caught.value.problems}
    assert set(found) == {path, "inputs.pod.credentials.token"}
    assert "globals.secrets is wrong" in found["inputs.pod.credentials.token"]
