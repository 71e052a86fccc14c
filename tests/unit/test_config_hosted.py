"""Devo's hosted form, and our own as JSON."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from collector.config import json_source, source
from collector.config.load import load
from collector.config.models import Settings
from collector.config.problems import InvalidConfig, Problem
from tests.fakes.config import CASB, MINIMAL, NOW

JOB: dict[str, Any] = {
    "global_overrides": {"debug": True},
    "inputs": {
        "proofpoint_casb": {
            "id": "12345",
            "enabled": True,
            "credentials": CASB,
            "services": {"alerts": {"request_period_in_seconds": 300}, "events": {}},
        }
    },
}
"""As it is pasted into Devo's form (docs/vendor-notes.md, Devo 1)."""

BASE = """\
globals:
  id: "77"
  name: acme
  batch: {max_records: 5, max_seconds: 6.5}
  secrets: {folder: mine}
outputs:
  lake: {type: http, config: {url: "file:url", headers: {X-Token: "$secret{lake}"}}}
inputs: {never: used}
"""


def taken(folder: Path, job: Any, base: str | None = None) -> Settings:
    """The hosted document as settings, over a base in a folder of its own."""
    path = folder / "job.json"
    path.write_text(job if isinstance(job, str) else json.dumps(job))
    environ = {}
    if base is not None:
        (folder / "etc" / "mine").mkdir(parents=True, exist_ok=True)
        (folder / "etc" / "base.yaml").write_text(base)
        (folder / "etc" / "url").write_text("https://lake.example.com")
        (folder / "etc" / "mine" / "lake").write_text("c4n4ry")
        environ["COLLECTOR_BASE_CONFIG"] = str(folder / "etc" / "base.yaml")
    return load(path, environ, NOW)


def refused(folder: Path, job: Any, base: str | None = None) -> list[Problem]:
    """What is wrong with it."""
    with pytest.raises(InvalidConfig) as caught:
        taken(folder, job, base)
    assert "c4n4ry" not in f"{caught.value} {caught.value.__context__!r}"
    return list(caught.value.problems)


def job(**changes: Any) -> dict[str, Any]:
    """The hosted document with other blocks."""
    return deepcopy(JOB) | changes


def test_over_a_base(tmp_path: Path) -> None:
    """Outputs and globals are the base's, less what is overridden; its inputs do not count."""
    found = taken(tmp_path, job(global_overrides={"batch": {"max_records": 9}}), BASE)
    assert (found.globals.id, found.globals.name) == ("77", "acme")
    assert (found.globals.batch.max_records, found.globals.batch.max_seconds) == (9, 6.5)
    assert list(found.inputs) == ["proofpoint_casb"]
    assert found.inputs["proofpoint_casb"].type == "proofpoint_casb"
    assert list(found.outputs) == ["lake"]


def test_paths_of_the_base_start_at_its_folder(tmp_path: Path) -> None:
    """Its ``file:`` and its folder of secrets are where it lies, not where the job lies."""
    lake = taken(tmp_path, JOB, BASE).outputs["lake"]
    assert lake.config.url.get_secret_value() == "https://lake.example.com"  # type: ignore[union-attr]
    assert lake.config.headers["X-Token"].get_secret_value() == "c4n4ry"  # type: ignore[union-attr]


def test_outputs_of_its_own(tmp_path: Path) -> None:
    """They take the place of the base's, and make one unnecessary."""
    own = job(outputs={"screen": {"type": "console"}})
    for base in (None, BASE):
        assert list(taken(tmp_path, own, base).outputs) == ["screen"]
    assert taken(tmp_path, own).globals.name == "collector"


def test_without_outputs(tmp_path: Path) -> None:
    """The fix names the variable that brings them."""
    (problem,) = refused(tmp_path, JOB)
    assert problem.path == "outputs"
    assert "$COLLECTOR_BASE_CONFIG" in problem.fix


def test_settings_of_devo(tmp_path: Path) -> None:
    """Those about its own processes are taken without effect, the others by their name here."""
    overrides = {
        "debug": False,
        "multiprocessing": True,
        "queue_max_size_in_mb": 1024,
        "sender_stats_period_in_sec": 60,
        "persistence": {"type": "filesystem", "config": {"directory_name": "kept"}},
    }
    found = taken(tmp_path, job(global_overrides=overrides), BASE).globals
    assert found.statistics_period_in_seconds == 60
    assert found.persistence.config.directory_name == Path("kept")


def test_problems_are_told_where_they_stand(tmp_path: Path) -> None:
    """In the words of the file at fault, with its line, all at once."""
    text = json.dumps(job(global_overrides={"debug": "no", "zzz": 1}), indent=1)
    base = BASE.replace("max_records: 5", "max_records: x")
    found = {problem.path: problem for problem in refused(tmp_path, text, base)}
    assert set(found) == {
        "global_overrides.debug",
        "global_overrides.zzz",
        "globals.batch.max_records",
    }
    assert (found["global_overrides.zzz"].line, found["globals.batch.max_records"].line) == (4, 4)
    assert "$COLLECTOR_BASE_CONFIG" in found["globals.batch.max_records"].reason
    assert "$COLLECTOR_BASE_CONFIG" not in found["global_overrides.debug"].reason


def test_repeated_names_are_refused(tmp_path: Path) -> None:
    """With the path of their block."""
    text = json.dumps(JOB).replace('"events": {}', '"events": {}, "events": {}')
    (problem,) = refused(tmp_path, text, BASE)
    assert problem.path == "inputs.proofpoint_casb.services"
    assert "'events' stands here twice" in problem.reason


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"globals": {"id": "1"}}, "globals"),
        ({"nonsense": 1}, "nonsense"),
        ({"global_overrides": 1}, "global_overrides"),
        ({"inputs": "c4n4ry"}, "inputs"),
        ({"inputs": {"proofpoint_casb": "c4n4ry"}}, "inputs.proofpoint_casb"),
        ({"inputs": {"proofpoint_casb": None}}, "inputs.proofpoint_casb"),
        ({"global_overrides": {"persistence": "c4n4ry"}}, "global_overrides.persistence"),
    ],
)
def test_blocks_of_the_wrong_kind(tmp_path: Path, changes: dict[str, Any], path: str) -> None:
    """They are refused by their path, never with a crash."""
    assert path in [problem.path for problem in refused(tmp_path, job(**changes), BASE)]


@pytest.mark.parametrize("base", ["c4n4ry: [", "- c4n4ry", "a: 1\na: 2\n", ""])
def test_a_base_that_cannot_be_read(tmp_path: Path, base: str) -> None:
    """It is the base that is named, not the document."""
    found = refused(tmp_path, JOB, base)
    assert all("$COLLECTOR_BASE_CONFIG" in f"{each.reason}{each.fix}" for each in found)


def test_a_base_that_is_not_there(tmp_path: Path) -> None:
    """It is asked for by its variable."""
    (tmp_path / "job.json").write_text(json.dumps(JOB))
    with pytest.raises(InvalidConfig, match=r"COLLECTOR_BASE_CONFIG"):
        load(tmp_path / "job.json", {"COLLECTOR_BASE_CONFIG": str(tmp_path / "gone")}, NOW)


def test_our_own_form_as_json(tmp_path: Path) -> None:
    """By its name it is read as JSON, with the lines of its settings."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(MINIMAL, indent="\t"))
    assert set(load(path, {}, NOW).inputs) == {"casb", "pod"}
    path.write_text(json.dumps({**MINIMAL, "zzz": 1}, indent="\t"))
    with pytest.raises(InvalidConfig) as caught:
        load(path, {}, NOW)
    assert [(each.path, each.line) for each in caught.value.problems] == [("zzz", 38)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'{"a": "\ud83d\ude00\u00e9\/\n"}', "\U0001f600\u00e9/\n"),
        ('{"a":1e3}', 1000.0),
        ('{"a":-0.5E-1}', -0.05),
        ('{\t"a"\t:\t[\t]\t}', []),
        ('\ufeff{"a":"no"}', "no"),
        ('{"a":"yes: # & *"}', "yes: # & *"),
        ('{"a":null}', None),
    ],
)
def test_json_values(text: str, value: object) -> None:
    """They are what JSON says they are."""
    document = json_source.parse(text.encode())
    assert (document.data, document.problems) == ({"a": value}, ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"a": 1,}',
        "{'a': 1}",
        "{a: 1}",
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 01}',
        '{"a": 1} {}',
        '{"a": 1} # c4n4ry',
        '{"a": "c4n4ry\t"}',
        r'{"a": "\c4n4ry"}',
        '{"a": "c4n4ry\n"}',
        "[" * 100_000,
        '{"a": ' + "9" * 10_000 + "}",
        '{"a": 1' + " " * source.MAX_BYTES + "}",
    ],
)
def test_what_is_not_json(text: str) -> None:
    """It is refused with its line, and nothing of it is repeated."""
    with pytest.raises(InvalidConfig) as caught:
        json_source.parse(text.encode())
    assert "c4n4ry" not in f"{caught.value} {caught.value.__context__!r}"
    assert all(each.fix for each in caught.value.problems)


def test_json_is_bounded() -> None:
    """Depth and number of values are those of the YAML reader."""
    deep = '{"a":' * 20 + "1" + "}" * 20
    many = json.dumps({str(number): 1 for number in range(source.MAX_VALUES)})
    for text in (deep, many):
        with pytest.raises(InvalidConfig):
            json_source.parse(text.encode())
