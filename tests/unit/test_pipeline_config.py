"""Pipelines in the configuration: what is taken, what is refused, what comes of it."""

from typing import Any

import pytest

from collector.app.pipelines import pipeline_of
from collector.config.secured import secrets_of
from collector.pipeline import Outcome, Pipeline
from tests.fakes.config import changed, only, problems, settings

KEY = "an invented key, 32 characters.."


def configured(steps: list[dict[str, Any]], **service: Any) -> dict[str, Any]:
    """A configuration whose PoD input goes through one pipeline with these steps."""
    document = changed("pipelines", {"main": {"steps": steps}})
    document["inputs"]["pod"]["pipelines"] = ["main"]
    document["inputs"]["pod"]["services"]["message"] = service
    return document


def built(document: dict[str, Any]) -> Pipeline | None:
    """The pipeline of PoD messages."""
    found = settings(document)
    message = found.inputs["pod"].services.message  # type: ignore[union-attr]
    assert message is not None
    return pipeline_of(found, "pod", message)


STEPS: dict[str, tuple[dict[str, Any], bytes, list[bytes]]] = {
    "parse_json": ({"field": "m", "new_name": "p"}, b'{"m":"[1]"}', [b'{"p":[1]}']),
    "explode": (
        {"field": "l", "index_field": "n", "keep_parent": False},
        b'{"l":[{"a":1},{"a":2}]}',
        [b'{"a":1,"n":0}', b'{"a":2,"n":1}'],
    ),
    "filter": ({"condition": "record.a == 1", "action": "drop"}, b'{"a":1}', []),
    "bypass": ({"condition": "true"}, b'{"a":1}', [b'{"a":1}']),
    "add": ({"fields": {"x.y": 1.5, "z": False}}, b"{}", [b'{"x":{"y":1.5},"z":false}']),
    "rename": ({"fields": {"a": "b"}}, b'{"a":1}', [b'{"b":1}']),
    "drop": ({"fields": ["a", "l[*]"]}, b'{"a":1,"l":[1]}', [b'{"l":[]}']),
    "mask": (
        {"fields": ["a"], "pattern": "^(.).*", "replacement": "\\1*"},
        b'{"a":"xyz"}',
        [b'{"a":"x*"}'],
    ),
    "pseudonymise": (
        {"fields": ["a"], "key": KEY, "length": 16, "prefix": "u-"},
        b'{"a":"text"}',
        [b'{"a":"u-abfaf0da10de690d"}'],
    ),
}


@pytest.mark.parametrize("kind", STEPS)
def test_each_step_from_its_settings(kind: str) -> None:
    """What a step's settings say is what it does."""
    options, raw, records = STEPS[kind]
    pipeline = built(configured([{"type": kind, **options}]))
    assert pipeline is not None
    assert pipeline(raw) == Outcome(records)


def test_without_steps_there_is_no_pipeline() -> None:
    """An input that names none, or only disabled steps, has nothing to call."""
    step = {"type": "drop", "fields": ["a"]}
    assert built(configured([step])) is not None
    assert built(configured([{**step, "enabled": False}])) is None
    document = configured([step])
    del document["inputs"]["pod"]["pipelines"]
    assert built(document) is None


def test_a_service_has_its_own_pipelines() -> None:
    """A service names its pipelines instead of its input's, or none."""
    document = configured([{"type": "drop", "fields": ["a"]}], pipelines=["other", "main"])
    document["pipelines"]["other"] = {"steps": [{"type": "rename", "fields": {"b": "a"}}]}
    pipeline = built(document)
    assert pipeline is not None
    assert pipeline(b'{"b":1,"c":2}') == Outcome([b'{"c":2}'])
    assert built(configured([{"type": "drop", "fields": ["a"]}], pipelines=[])) is None


def test_on_error_reaches_the_step() -> None:
    """What becomes of a record that a step fails on is a setting."""
    step = {"type": "filter", "condition": "record.no == 1", "on_error": "dead_letter"}
    pipeline = built(configured([step]))
    assert pipeline is not None
    assert pipeline(b"{}").dead == 'filter: Key not found in map : "no"'


@pytest.mark.parametrize(
    ("step", "path", "reason"),
    [
        ({"type": "filter", "condition": "recrd.a"}, ".condition", "undeclared reference"),
        ({"type": "filter", "condition": "size(record)"}, ".condition", "gives INT"),
        ({"type": "bypass", "condition": ""}, ".condition", "Syntax error"),
        ({"type": "drop", "fields": ["a[b]"]}, ".fields[0]", "is no path of a field"),
        ({"type": "drop", "fields": []}, ".fields", "must not be empty"),
        ({"type": "parse_json", "field": "a[*]"}, ".field", "does not end in the name"),
        ({"type": "explode", "field": "a[0].b"}, ".field", "has an index"),
        ({"type": "add", "fields": {"a": [1]}}, ".fields.a", "is no text, number"),
        ({"type": "rename", "fields": {"a": ""}}, ".fields.a", "is empty"),
        ({"type": "mask", "fields": ["a"], "pattern": "["}, ".pattern", "cannot be read"),
        ({"type": "mask", "fields": ["a"], "pattern": "a*"}, ".pattern", "matches the empty"),
        (
            {"type": "mask", "fields": ["a"], "pattern": "a", "replacement": "\\2"},
            "",
            "names group 2",
        ),
        (
            {"type": "explode", "field": "a", "index_field": "n", "count_field": "n"},
            "",
            "are the same",
        ),
        ({"type": "pseudonymise", "fields": ["a"], "key": "short"}, ".key", "is shorter than 16"),
        ({"type": "drop", "feilds": ["a"], "fields": ["a"]}, ".feilds", "is no setting here"),
        ({"type": "dorp", "fields": ["a"]}, ".type", "is no known type"),
    ],
)
def test_what_is_wrong_with_a_step(step: dict[str, Any], path: str, reason: str) -> None:
    """Each mistake is told with the place where it stands, a reason and a fix."""
    problem = only(configured([step]))
    assert problem.path == f"pipelines.main.steps[0]{path}"
    assert reason in problem.reason
    assert problem.fix


def test_a_weak_key_is_not_shown() -> None:
    """A refused secret is not repeated, and an accepted one is known to the redactor."""
    wrong = configured([{"type": "pseudonymise", "fields": ["a"], "key": "tooshortkey"}])
    assert "tooshortkey" not in str(problems(wrong))
    right = configured([{"type": "pseudonymise", "fields": ["a"], "key": KEY}])
    assert KEY in secrets_of(settings(right))


def test_unknown_pipelines_are_told() -> None:
    """An input or service that names a pipeline which is not there is told what there is."""
    document = configured([{"type": "drop", "fields": ["a"]}], pipelines=["mian"])
    problem = only(document)
    assert problem.path == "inputs.pod.services.message.pipelines[0]"
    assert problem.fix == "choose from: main"
