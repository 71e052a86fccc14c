"""A file becomes settings, or everything that is wrong with it at once."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from collector.config.load import find, load
from collector.config.models import Settings
from collector.config.problems import SHOWN, InvalidConfig, Problem, spell
from collector.errors import ConfigError
from tests.fakes.config import MINIMAL, NOW, POD, changed, only, problems

EXAMPLE = Path(__file__).parents[2] / "config.yaml.example"
ENVIRON = {
    "CASB_API_KEY": "canary-api-key",
    "CASB_CLIENT_ID": "canary-client-id",
    "CASB_CLIENT_SECRET": "canary-client-secret",
    "POD_CLUSTER_ID": "acme_hosted",
    "POD_TOKEN": "canary-pod-token",
    "GATEWAY_TOKEN": "canary-gateway-token",
    "KAFKA_PASSWORD": "canary-kafka-password",
    "ACME_P12_PASSWORD": "canary-p12-password",
    "LAKE_TOKEN": "canary-lake-token",
    "SPLUNK_HEC_TOKEN": "canary-splunk-token",
    "ELASTIC_API_KEY": "canary-elastic-key",
    "SUMO_SOURCE_URL": "https://sumo.example.com/canary-sumo-code",
    "AZURE_CLIENT_SECRET": "canary-azure-secret",
}
USED = sorted(name for name in ENVIRON if name.startswith(("CASB_", "POD_")))
"""The variables of what the example has switched on."""


def written(folder: Path, text: str) -> Path:
    """A configuration file with this text."""
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def refused(folder: Path, text: str, environ: dict[str, str] | None = None) -> InvalidConfig:
    """What loading this text raises."""
    with pytest.raises(InvalidConfig) as caught:
        load(written(folder, text), environ or {}, NOW)
    return caught.value


def test_example_loads() -> None:
    """The example is right as it stands, once its variables are set."""
    found = load(EXAMPLE, ENVIRON, NOW)
    assert list(found.inputs) == ["casb", "pod"]
    assert list(found.outputs) == ["archive"]


def test_example_loads_with_every_line_used(tmp_path: Path) -> None:
    """What the example shows commented out is right too, and covers every output."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "pod_archive_token").write_text("canary-archive-token\n")
    used = re.sub(r"^( *)#(?=\S)", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE)
    found = load(written(tmp_path, used), ENVIRON, NOW)
    kinds = {output.type for output in found.outputs.values()}
    vendors = {"splunk_hec", "elasticsearch", "sumo_logic", "sentinel", "kafka", "s3"}
    assert kinds >= {"file", "devo", "syslog", "http", "console", *vendors}


def test_example_names_its_variables() -> None:
    """Without its variables the example tells each one that is missing, with its line."""
    with pytest.raises(InvalidConfig) as caught:
        load(EXAMPLE, {}, NOW)
    reasons = [problem.reason for problem in caught.value.problems]
    assert sorted(reasons) == [f"the environment variable {name} is not set" for name in USED]
    assert all(problem.line for problem in caught.value.problems)


BROKEN = """\
globals:
  id: 4711
  name: acme
  name: acme2
  debug: no
outputs:
  archive: {type: file, config: {path: out, max_byte: 5000}}
  second: {type: file, config: {path: ./out/}}
inputs:
  casb:
    type: proofpoint_casb
    credentials: {api_key: "${UNSET}", client_id: x}
    outputs: [archive, gone]
    services:
      alerts: {flatten: pivot, initial_start_time_in_utc: "2030-01-01T00:00:00Z"}
      events:
  pod: {type: proofpoint_pod, endpoint: "ws://pod.example.com", services: {message: {}},
        credentials: {cluster_id: a, token: same}}
  pod2: {type: proofpoint_pod, services: {message: {}},
         credentials: {cluster_id: a, token: same}}
"""


def test_all_problems_at_once(tmp_path: Path) -> None:
    """Syntax, references, types and rules between settings report together, in file order."""
    found = refused(tmp_path, BROKEN).problems
    assert [(problem.path, problem.line) for problem in found] == [
        ("globals.id", 2),
        ("globals", 4),
        ("globals.debug", 5),
        ("outputs.archive.config.max_byte", 7),
        ("outputs.second.config.path", 8),
        ("inputs.casb.credentials.api_key", 12),
        ("inputs.casb.credentials.client_secret", 12),
        ("inputs.casb.outputs[1]", 13),
        ("inputs.casb.services.alerts.flatten", 15),
        ("inputs.casb.services.alerts.initial_start_time_in_utc", 15),
        ("inputs.casb.services.events", 16),
        ("inputs.pod.endpoint", 17),
        ("inputs.pod2.credentials.token", 20),
    ]
    assert all(problem.reason and problem.fix for problem in found)


def test_error_tells_all_on_one_line(tmp_path: Path) -> None:
    """The error's text names each problem and its fix."""
    error = refused(tmp_path, BROKEN)
    assert isinstance(error, ConfigError)
    assert (error.number, error.exit_code, "\n" in str(error)) == (3, 3, False)
    assert "inputs.casb.outputs[1] [line 13]: is no output" in str(error)
    assert "did you mean max_bytes?" in str(error)
    assert "archive, second" in str(error)


def test_error_text_is_bounded() -> None:
    """However many problems there are, the one-line text stays short."""
    many = [Problem(path=f"x{i}", reason="r", fix="f") for i in range(SHOWN + 5)]
    error = InvalidConfig(3, many)
    assert len(error.problems) == SHOWN + 5
    assert "and 5 more" in str(error)


def test_missing_setting_has_the_line_of_its_block(tmp_path: Path) -> None:
    """What is not there is told at the block that lacks it."""
    found = refused(tmp_path, "globals:\n  id: a\noutputs: {x: {type: console}}\n").problems
    assert [(problem.path, problem.line) for problem in found] == [
        ("inputs", None),
        ("globals.name", 1),
    ]


@pytest.mark.parametrize("text", ["- globals\n", "just text\n", "12\n", "~\n"])
def test_no_block_at_top(tmp_path: Path, text: str) -> None:
    """A file that holds no named settings is refused as such."""
    (problem,) = refused(tmp_path, text).problems
    assert "config.yaml.example" in problem.fix


@pytest.mark.parametrize("name", ["gone.yaml", "."])
def test_no_file(tmp_path: Path, name: str) -> None:
    """A path without a file names the ways to give one."""
    with pytest.raises(InvalidConfig) as caught:
        load(tmp_path / name, {}, NOW)
    assert caught.value.number == 1
    assert "--config" in str(caught.value)


def test_large_file(tmp_path: Path) -> None:
    """A file of 2 MB is refused."""
    assert "1 MiB" in str(refused(tmp_path, "#" * 2_000_000))


def test_file_reference_starts_at_the_config_folder(tmp_path: Path) -> None:
    """A relative ``file:`` does not depend on the working directory."""
    (tmp_path / "token").write_text("from-file\n")
    text = json.dumps(changed("inputs.pod.credentials.token", "file:token"))
    found = load(written(tmp_path, text), {}, NOW).inputs["pod"]
    assert found.credentials.token.get_secret_value() == "from-file"  # type: ignore[union-attr]


def test_find() -> None:
    """``--config`` wins over ``$CONFIG_FILE``, which wins over ``config.yaml``."""
    environ = {"CONFIG_FILE": "from-environ.yaml"}
    assert find(Path("given.yaml"), environ) == Path("given.yaml")
    assert find(None, environ) == Path("from-environ.yaml")
    assert find(None, {"CONFIG_FILE": ""}) == Path("config.yaml")
    assert find(None, {}) == Path("config.yaml")


def pods(**second: Any) -> dict[str, Any]:
    """Two PoD inputs that are alike but for what is given for the second."""
    one = {"type": "proofpoint_pod", "credentials": POD, "services": {"message": {}}}
    return changed("inputs", {"a": one, "b": {**one, **second}})


def test_one_session_per_token_and_service() -> None:
    """Two inputs that would fight for a session are refused, without showing the token."""
    problem = only(pods())
    assert problem.path == "inputs.b.credentials.token"
    assert "inputs.a.credentials.token" in problem.reason
    assert "pod-token" not in str(problem)


@pytest.mark.parametrize(
    "second",
    [
        {"enabled": False},
        {"services": {"maillog": {}}},
        {"services": {"message": {"enabled": False}, "audit": {}}},
        {"credentials": {**POD, "token": "another"}},
    ],
)
def test_sessions_apart(second: dict[str, Any]) -> None:
    """A disabled input or service, another service or another token is no fight."""
    assert problems(pods(**second)) == ()


def test_archive_token_is_a_second_one() -> None:
    """The same token twice in one input gives no second session."""
    problem = only(changed("inputs.pod.credentials.archive_token", POD["token"]))
    assert problem.path == "inputs.pod.credentials.archive_token"


def test_unset_token_is_told_once_each() -> None:
    """Two unresolved references are not taken for the same token."""
    found = problems(pods(credentials={**POD, "token": "${X}"}) | {"globals": MINIMAL["globals"]})
    assert [problem.path for problem in found] == ["inputs.b.credentials.token"]


def test_renamed_setting() -> None:
    """A name of another collector leads to ours."""
    assert "rate" in only(changed("inputs.casb.requests_per_second", 5)).fix


def test_unknown_setting_lists_the_known_ones() -> None:
    """A name like no other is answered with those of its block."""
    fix = only(changed("globals.batch.zzz", 5)).fix
    assert fix == "choose from: max_records, max_seconds"


def test_spell() -> None:
    """List positions are in brackets."""
    assert spell(("inputs", "casb", "outputs", 0)) == "inputs.casb.outputs[0]"
    assert spell(()) == ""


CANARY = "c4n4ry"

MISPLACED: list[tuple[str, Any]] = [
    ("inputs.casb.credentials.api_key", [CANARY]),
    ("inputs.casb.credentials.api_key", {"value": CANARY}),
    ("inputs.casb.credentials.client_secret", f"{CANARY}\n{CANARY}"),
    ("inputs.casb.credentials.client_secret", f" {CANARY}"),
    ("inputs.casb.credentials.api_kee", CANARY),
    ("inputs.casb.credentials", CANARY),
    ("inputs.casb.credentials", [CANARY]),
    ("inputs.casb.auth.extra_fields", CANARY),
    ("inputs.casb.api_key", CANARY),
    ("inputs.casb", CANARY),
    ("inputs", CANARY),
    ("inputs.casb.region", CANARY),
    ("inputs.casb.rate.calls_per_day", CANARY),
    ("inputs.casb.enabled", CANARY),
    ("inputs.casb.endpoints.auth", f"https://u:{CANARY}@example.com"),
    ("inputs.casb.endpoints.auth", f"https://example.com/?k={CANARY}"),
    ("inputs.pod.endpoint", f"wss://example.com/?token={CANARY}"),
    ("inputs.pod.credentials.cluster_id", f" {CANARY}"),
    ("inputs.pod.credentials.cluster_id", [CANARY]),
    ("outputs.lake", {"type": "http", "config": {"url": CANARY}}),
    ("outputs.lake", {"type": "http", "config": {"url": {"u": CANARY}}}),
    ("outputs.lake", {"type": CANARY}),
    ("outputs.lake", {"type": "http", "config": {"url": "https://a", "headers": CANARY}}),
    ("outputs.lake", {"type": "http", "config": {"url": "https://a", "headers": {"A": [CANARY]}}}),
    ("outputs.relay", {"type": "syslog", "config": {"address": f"u:{CANARY}@example.com"}}),
    ("globals.log_format", "${SECRET}"),
    ("globals.batch.max_records", "${SECRET}"),
    ("globals.id", "file:${SECRET}"),
    ("globals.name", "${SECRET} x"),
]


@pytest.mark.parametrize(("path", "value"), MISPLACED)
def test_no_secret_in_errors(tmp_path: Path, path: str, value: object) -> None:
    """A secret that is refused or stands in the wrong place is in no message."""
    error = refused(tmp_path, json.dumps(changed(path, value)), {"SECRET": CANARY})
    chain = f"{error} {error!r} {error.args} {error.problems} {error.__context__!r}"
    assert CANARY not in chain


def test_no_secret_in_syntax_errors(tmp_path: Path) -> None:
    """Broken YAML around a secret does not print it."""
    for text in (f"a: {CANARY}\na: {CANARY}\n", f"a: '{CANARY}\n", f"a: !{CANARY}!x y\n"):
        error = refused(tmp_path, text)
        assert CANARY not in f"{error} {error!r} {error.__context__!r}"


def secrets_in(settings: Settings) -> list[str]:
    """The ways of printing these settings that show a secret."""
    shown = [repr(settings), str(settings), settings.model_dump_json(), f"{settings.inputs}"]
    shown += [str(settings.model_dump()), str(settings.model_dump(mode="json"))]
    return [text for text in shown if "canary" in text]


def test_no_secret_in_settings(tmp_path: Path) -> None:
    """Settings can be printed and dumped; secrets are in none of it."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "pod_archive_token").write_text("canary-archive-token\n")
    text = re.sub(r"^( *)#(?=\S)", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE)
    text = text.replace("https://lake.example.com/ingest", "https://lake.example.com/canary-token")
    found = load(written(tmp_path, text), ENVIRON, NOW)
    assert secrets_in(found) == []


def test_secrets_are_there() -> None:
    """Whoever sends a secret can reveal it."""
    found = load(EXAMPLE, ENVIRON, NOW).inputs["casb"]
    assert found.credentials.api_key.get_secret_value() == "canary-api-key"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("path", "word", "meant"),
    [
        ("inputs.casb.type", "proofpoint_csb", "proofpoint_casb"),
        ("inputs.pod.services.message.mode", "hybird", "hybrid"),
        ("outputs.archive.config.compression", "gz", "gzip"),
        ("inputs.casb.region", "uk", None),
        ("outputs.archive.type", "kafak", "kafka"),
    ],
)
def test_a_misspelt_word(path: str, word: str, meant: str | None) -> None:
    """It is shown, with the word that was meant where there is one that is nearly it."""
    found = {each.path: each for each in problems(changed(path, word))}[path]
    assert found.value == f"'{word}'"
    assert ("did you mean" in found.fix) == (meant is not None)
    assert meant is None or f"did you mean {meant}?" in found.fix


def test_a_word_among_credentials_is_not_shown() -> None:
    """It may be a secret in the wrong place."""
    one = {"type": "websocket", "uri": "wss://a.example.com", "services": {"stream": {}}}
    inputs = {"one": one | {"credentials": {"strategy": "baerer"}}}
    assert "baerer" not in str(problems(MINIMAL | {"inputs": inputs}))


def test_behind_a_misspelt_type_all_is_told() -> None:
    """What it holds is judged as the type that was meant; with none that is, nothing is said."""
    document = changed("inputs.casb.type", "proofpoint_csb")
    document["inputs"]["casb"]["services"]["alerts"] = {"flaten": "split"}
    document["pipelines"] = {"tidy": {"steps": [{"type": "drpo", "fields": []}]}}
    assert {each.path for each in problems(document)} == {
        "inputs.casb.type",
        "inputs.casb.services.alerts.flaten",
        "pipelines.tidy.steps[0].type",
        "pipelines.tidy.steps[0].fields",
    }
    document["inputs"]["casb"]["type"] = "something"
    assert "inputs.casb.services.alerts.flaten" not in {each.path for each in problems(document)}
