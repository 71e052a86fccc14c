"""Sections with ``secure: true``: only ciphertexts, each in its own place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from collector.config.ciphertext import encrypt, new_key
from collector.config.load import load, parse
from collector.config.models import Settings
from collector.config.problems import InvalidConfig, Problem
from collector.config.secured import secrets_of
from tests.fakes.config import NOW, changed, problems
from tests.fakes.sealed import PLAIN, TOKEN, ciphertexts, configuration, key_file


@pytest.fixture
def texts(tmp_path: Path) -> dict[str, str]:
    """The ciphertexts of the template, under the key of a new key file."""
    key = new_key()
    key_file(tmp_path, key)
    return ciphertexts(key)


def loaded(folder: Path, texts: dict[str, str], environ: dict[str, str] | None = None) -> Settings:
    """The template with these texts as settings."""
    return load(configuration(folder, texts), environ or {}, NOW)


def refused(
    folder: Path, texts: dict[str, str], environ: dict[str, str] | None = None
) -> tuple[Problem, ...]:
    """What is wrong with the template with these texts; no secret is in it."""
    with pytest.raises(InvalidConfig) as caught:
        loaded(folder, texts, environ)
    told = f"{caught.value} {caught.value!r} {caught.value.__context__!r}"
    assert "c4n4ry" not in told
    assert not any(text in told for text in texts.values())
    return caught.value.problems


def test_secrets_are_decrypted(tmp_path: Path, texts: dict[str, str]) -> None:
    """Tokens, URLs and headers come out as they were encrypted; the log can strike them out."""
    assert set(PLAIN.values()) <= set(secrets_of(loaded(tmp_path, texts)))


def test_what_is_no_secret_stands_in_clear(tmp_path: Path, texts: dict[str, str]) -> None:
    """The cluster id needs no ciphertext, though its section is secure."""
    pod = loaded(tmp_path, texts).inputs["pod"]
    assert pod.credentials.cluster_id == "acme_hosted"  # type: ignore[union-attr]


def test_a_reference_may_bring_a_ciphertext(tmp_path: Path, texts: dict[str, str]) -> None:
    """From the environment or a file: so it can be replaced without touching the configuration."""
    (tmp_path / "token").write_text(texts[TOKEN] + "\n")
    for reference in ("${CIPHER}", "file:token"):
        found = loaded(tmp_path, texts | {TOKEN: f'"{reference}"'}, {"CIPHER": texts[TOKEN]})
        assert "c4n4ry-token" in secrets_of(found)


def test_the_key_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    """Where the configuration names none."""
    key = new_key()
    environ = {"COLLECTOR_KEY_FILE": str(key_file(tmp_path, key))}
    document = changed(
        "inputs.pod.credentials",
        {"secure": True, "cluster_id": "a", "token": encrypt(key, TOKEN, "decrypted")},
    )
    assert "decrypted" in secrets_of(parse(document, tmp_path, environ, NOW))


def test_a_moved_ciphertext_is_refused(tmp_path: Path, texts: dict[str, str]) -> None:
    """That of the header does not decrypt as the token, though the key is the same."""
    header = "outputs.lake.config.headers.Authorization"
    (problem,) = refused(tmp_path, texts | {TOKEN: texts[header]})
    assert problem.path == TOKEN
    assert "not encrypted for inputs.pod.credentials.token" in problem.reason
    assert problem.line == 14


def test_a_secret_in_clear_is_refused(tmp_path: Path, texts: dict[str, str]) -> None:
    """In a secure section; the fix is the very command to run."""
    (problem,) = refused(tmp_path, texts | {TOKEN: "c4n4ry-token"})
    assert problem.path == TOKEN
    assert problem.fix.endswith(f"collector secret encrypt --path {TOKEN}")


def test_a_reference_that_leads_nowhere_is_told_once(tmp_path: Path, texts: dict[str, str]) -> None:
    """Not again as a secret in clear."""
    (problem,) = refused(tmp_path, texts | {TOKEN: '"${GONE}"'})
    assert "GONE is not set" in problem.reason


def test_all_problems_at_once(tmp_path: Path, texts: dict[str, str]) -> None:
    """Each ciphertext that cannot be decrypted is named, with the reason."""
    (tmp_path / "key").unlink()
    found = refused(tmp_path, texts)
    assert {problem.path for problem in found} == set(PLAIN)
    assert all("there is no key file" in problem.reason for problem in found)


def test_open_key_files_are_refused(tmp_path: Path, texts: dict[str, str]) -> None:
    """Others must not be able to read it."""
    (tmp_path / "key").chmod(0o640)
    found = refused(tmp_path, texts)
    assert all("mode 0640" in problem.reason and "chmod 600" in problem.fix for problem in found)


@pytest.mark.parametrize(
    "path", ["inputs.pod.credentials.token", "globals.name", "inputs.casb.auth.header_prefix"]
)
def test_a_ciphertext_elsewhere_is_refused(path: str) -> None:
    """Where nothing says ``secure: true`` it would be taken for the secret itself."""
    found = problems(changed(path, encrypt(new_key(), path, "x")))
    assert any(each.path == path and "secure: true" in each.reason for each in found)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("inputs.pod.credentials.secure", "yes"),
        ("inputs.pod.secure", True),
        ("globals.secure", True),
        ("outputs.archive.config.secure", True),
    ],
)
def test_secure_stands_where_secrets_are(path: str, value: Any) -> None:
    """It is true or false, and a setting of credentials and of outputs with secrets."""
    assert [problem.path for problem in problems(changed(path, value))] == [path]


def test_secure_without_a_secret_is_refused() -> None:
    """It would promise what is not there."""
    relay = {"type": "syslog", "config": {"address": "relay.example.com", "secure": True}}
    (problem,) = problems(changed("outputs.relay", relay))
    assert problem.path == "outputs.relay.config"
    assert "no secret stands here" in problem.reason
