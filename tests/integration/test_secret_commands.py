"""``collector secret``: keys and ciphertexts are made, and made anew, without showing a secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collector.cli import application
from collector.config import keyfile
from collector.config.ciphertext import decrypt, encrypt, key_id, new_key
from collector.config.load import load
from collector.config.secured import secrets_of
from collector.errors import ConfigError
from tests.fakes.config import NOW
from tests.fakes.sealed import PLAIN, TOKEN, ciphertexts, configuration, key_file

CANARY = "c4n4ry"


def run(*words: str, given: str | bytes = "", environ: dict[str, str] | None = None) -> Result:
    """``collector secret`` with these words and this on standard input."""
    return CliRunner().invoke(application(), ["secret", *words], input=given, env=environ or {})


def failed(*words: str, given: str | bytes = "") -> ConfigError:
    """The error that it ends with; no secret is in it."""
    error = run(*words, given=given).exception
    assert isinstance(error, ConfigError)
    assert CANARY not in f"{error} {error.__context__!r}"
    return error


def test_keygen_prints_one_line() -> None:
    """A key for a pipe, another one each time."""
    first, second = run("keygen").stdout, run("keygen").stdout
    assert keyfile.FORM.fullmatch(first.strip())
    assert first.count("\n") == 1
    assert first != second


def test_keygen_writes_a_file(tmp_path: Path) -> None:
    """And tells the key's id, not the key; ``--add`` makes it the newest."""
    path = tmp_path / "key"
    for add in ([], ["--add"]):
        result = run("keygen", "--out", str(path), *add)
        newest = keyfile.read(path)[-1]
        assert result.exit_code == 0
        assert newest.id in result.stderr
        assert keyfile.line(newest) not in result.output
    assert len(keyfile.read(path)) == 2
    assert "--add" in failed("keygen", "--out", str(path)).remedy
    assert "--out" in failed("keygen", "--add").remedy


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_encrypt(tmp_path: Path, end: str) -> None:
    """One line on standard output, which decrypts to what was given less one line end."""
    path = key_file(tmp_path)
    words = ["encrypt", "--path", TOKEN, "--key-file", str(path)]
    result = run(*words, given=f"{CANARY} é{end}")
    text = result.stdout.removesuffix("\n")
    assert decrypt(keyfile.read(path), TOKEN, text) == f"{CANARY} é"
    assert CANARY not in result.output


def test_encrypt_uses_the_newest_key(tmp_path: Path) -> None:
    """Of the file that the configuration names, or the environment, or the option."""
    old, new = new_key(), new_key()
    path = key_file(tmp_path, old, new)
    config = str(configuration(tmp_path, ciphertexts(old)))
    for words, environ in (
        (["--key-file", str(path)], {}),
        (["--config", config], {}),
        ([], {"CONFIG_FILE": str(tmp_path / "gone.yaml"), "COLLECTOR_KEY_FILE": str(path)}),
    ):
        result = run("encrypt", "--path", TOKEN, *words, given=CANARY, environ=environ)
        assert key_id(result.stdout.strip()) == new.id


@pytest.mark.parametrize(
    ("path", "given"),
    [
        (TOKEN, ""),
        (TOKEN, "\n"),
        (TOKEN, b"c4n4ry\xff"),
        (TOKEN, f"{CANARY}\n{CANARY}\n"),
        (TOKEN, f"{CANARY}\n\n"),
        (TOKEN, f" {CANARY}"),
        (TOKEN, f"{CANARY}\t{CANARY}"),
        (TOKEN, CANARY * 20_000),
        ("token", CANARY),
        ("inputs.pod", CANARY),
        ("globals.name", CANARY),
        ("inputs.pod.credentials. token", CANARY),
        ("", CANARY),
    ],
)
def test_encrypt_refuses(tmp_path: Path, path: str, given: str | bytes) -> None:
    """What no setting takes for a secret; a path that is no setting of an input or output."""
    key = str(key_file(tmp_path))
    assert failed("encrypt", "--path", path, "--key-file", key, given=given).remedy


def test_a_message_of_several_lines(tmp_path: Path) -> None:
    """The one secret that may have them is encrypted as it is, less the last line end."""
    path, place = key_file(tmp_path), "inputs.far.services.stream.initial_message"
    words = ["encrypt", "--path", place, "--key-file", str(path)]
    text = run(*words, given="one\n two\n").stdout.removesuffix("\n")
    assert decrypt(keyfile.read(path), place, text) == "one\n two"


def test_encrypt_needs_a_key(tmp_path: Path) -> None:
    """A file that is not there, or open to others, is named with what to do."""
    gone = str(tmp_path / "gone")
    words = ["encrypt", "--path", TOKEN, "--key-file"]
    assert "keygen" in failed(*words, gone, given=CANARY).remedy
    path = key_file(tmp_path)
    path.chmod(0o644)
    assert "chmod 600" in failed(*words, str(path), given=CANARY).remedy


def test_a_secret_is_no_argument() -> None:
    """Arguments can be read by everybody: there is nowhere to put one."""
    assert run("encrypt", "--path", TOKEN, CANARY).exit_code == 2


def test_rekey(tmp_path: Path) -> None:
    """Only the ciphertexts change; what they stand for, comments, layout and mode do not."""
    old, new = new_key(), new_key()
    texts = ciphertexts(old)
    path = configuration(tmp_path, texts)
    path.chmod(0o640)
    key_file(tmp_path, old, new)
    before = path.read_text()
    result = run("rekey", "--config", str(path))
    assert result.exit_code == 0
    assert all(f"is encrypted anew: {each}" in result.stdout for each in PLAIN)
    after = path.read_text()
    for text in texts.values():
        before = before.replace(text, "")
    for text in (
        found := [
            word
            for word in after.replace('"', " ").replace("'", " ").split()
            if word.startswith("enc:v1:")
        ]
    ):
        assert key_id(text) == new.id
        after = after.replace(text, "")
    assert len(found) == len(PLAIN)
    assert after == before
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in tmp_path.iterdir()) == ["config.yaml", "key"]
    (tmp_path / "key").unlink()
    key_file(tmp_path, new)
    assert set(PLAIN.values()) <= set(secrets_of(load(path, {}, NOW)))


def test_rekey_again_changes_nothing(tmp_path: Path) -> None:
    """What is under the newest key stays as it is, and ``--check`` says so."""
    key = new_key()
    path = configuration(tmp_path, ciphertexts(key))
    key_file(tmp_path, key)
    before = path.read_bytes()
    for words in (["--check"], []):
        result = run("rekey", "--config", str(path), *words)
        assert (result.exit_code, path.read_bytes()) == (0, before)
        assert "under the newest key already: 3" in result.stdout


def test_check_changes_nothing(tmp_path: Path) -> None:
    """It tells what would, and exits with 8."""
    old = new_key()
    path = configuration(tmp_path, ciphertexts(old))
    key_file(tmp_path, old, new_key())
    before = path.read_bytes()
    result = run("rekey", "--check", "--config", str(path))
    assert (result.exit_code, path.read_bytes()) == (8, before)
    assert result.stdout.count("would be encrypted anew") == 3


def test_all_or_nothing(tmp_path: Path) -> None:
    """With one ciphertext that cannot be decrypted the file stays as it is; all are told."""
    old, lost = new_key(), new_key()
    texts = ciphertexts(old) | {TOKEN: encrypt(lost, TOKEN, PLAIN[TOKEN])}
    texts["outputs.lake.config.url"] = texts["outputs.lake.config.headers.Authorization"]
    path = configuration(tmp_path, texts)
    key_file(tmp_path, old, new_key())
    before = path.read_bytes()
    error = failed("rekey", "--config", str(path))
    assert f"{TOKEN}: was encrypted with the key {lost.id}" in error.cause
    assert "not encrypted for outputs.lake.config.url" in error.cause
    assert path.read_bytes() == before


def test_a_ciphertext_in_pieces(tmp_path: Path) -> None:
    """One that YAML puts together from two lines is not rewritten by guessing."""
    old = new_key()
    texts = ciphertexts(old)
    path = configuration(tmp_path, texts | {TOKEN: f'"\\x65{texts[TOKEN][1:]}"'})
    key_file(tmp_path, old, new_key())
    before = path.read_bytes()
    assert "one piece" in failed("rekey", "--config", str(path)).cause
    assert path.read_bytes() == before


def test_ciphertexts_of_references(tmp_path: Path) -> None:
    """They are not in the file: they are named, and the exit code says that work is left."""
    old = new_key()
    texts = ciphertexts(old)
    (tmp_path / "token").write_text(texts[TOKEN])
    path = configuration(tmp_path, texts | {TOKEN: "file:token"})
    key_file(tmp_path, old, new_key())
    result = run("rekey", "--config", str(path))
    assert result.exit_code == 8
    assert f"encrypt it anew by hand: {TOKEN}" in result.stdout
    assert result.stdout.count("is encrypted anew") == 2


def test_rekey_of_a_hosted_document(tmp_path: Path) -> None:
    """JSON in Devo's form is rewritten like any other."""
    old = new_key()
    key = "inputs.proofpoint_casb.credentials.api_key"
    credentials = {"secure": True, "api_key": encrypt(old, key, CANARY)}
    inputs = {"proofpoint_casb": {"credentials": credentials}}
    overrides = {"secrets": {"key_file": str(key_file(tmp_path, old, new_key()))}}
    path = tmp_path / "job.json"
    path.write_text(json.dumps({"global_overrides": overrides, "inputs": inputs}))
    result = run("rekey", "--config", str(path))
    assert f"is encrypted anew: {key}" in result.stdout
    again = json.loads(path.read_text())["inputs"]["proofpoint_casb"]["credentials"]["api_key"]
    assert decrypt(keyfile.read(tmp_path / "key"), key, again) == CANARY
    assert again != credentials["api_key"]


def test_a_linked_configuration_stays_linked(tmp_path: Path) -> None:
    """What the link leads to is replaced, not the link."""
    old = new_key()
    (tmp_path / "real").mkdir()
    configuration(tmp_path / "real", ciphertexts(old))
    link = tmp_path / "config.yaml"
    link.symlink_to("real/config.yaml")
    key_file(tmp_path, old, new_key())
    assert run("rekey", "--config", str(link)).exit_code == 0
    assert link.is_symlink()
    assert run("rekey", "--check", "--config", str(link)).exit_code == 0


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("inputs.pod.credentials.tokn", "did you mean inputs.pod.credentials.token"),
        ("inputs.pdo.credentials.token", "did you mean pod?"),
        ("inputs.pod.credentials.api_key", "inputs.pod.credentials.token"),  # CASB's
        ("inputs.pod.services.message.tag", "choose from: "),  # nothing there is encrypted
        ("outputs.lake.config.headers", "outputs.lake.config.headers.NAME"),
        ("outputs.screen.config.pretty", "outputs.screen has no secrets"),
    ],
)
def test_encrypt_for_a_setting_that_is_none(tmp_path: Path, path: str, remedy: str) -> None:
    """Refused with the settings that are near: the ciphertext would be bound to nothing."""
    key = new_key()
    key_file(tmp_path, key)
    config = configuration(tmp_path, ciphertexts(key))
    error = failed("encrypt", "--path", path, "--config", str(config), given=CANARY)
    assert error.number == 45
    assert remedy in error.remedy


@pytest.mark.parametrize(
    "path",
    [
        "outputs.lake.config.headers.X-Key",
        "outputs.lake.config.tls.key_password",
        "inputs.pod.proxy.password",
        "inputs.pod.credentials.cluster_id",
        "pipelines.blind.steps[2].key",
    ],
)
def test_encrypt_for_any_text_of_a_section_that_may_be_secure(tmp_path: Path, path: str) -> None:
    """Also where nothing is written yet."""
    key = new_key()
    key_file(tmp_path, key)
    config = configuration(tmp_path, ciphertexts(key))
    result = run("encrypt", "--path", path, "--config", str(config), given=CANARY)
    assert decrypt((key,), path, result.stdout.strip()) == CANARY


def test_encrypt_for_a_configuration_that_is_not_there_yet(tmp_path: Path) -> None:
    """By the settings that each type has; a slip is found all the same."""
    words = ["--key-file", str(key_file(tmp_path))]
    away = {"CONFIG_FILE": str(tmp_path / "none.yaml")}
    good = ["encrypt", "--path", "inputs.new.credentials.api_key", *words]
    assert run(*good, given=CANARY, environ=away).exit_code == 0
    bad = ["encrypt", "--path", "inputs.new.credentials.api_kye", *words]
    error = run(*bad, given=CANARY, environ=away).exception
    assert "did you mean inputs.new.credentials.api_key" in str(error)
