"""The examples of docs/pipelines.md do what the page says."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from collector.app.metadata import metadata_of
from collector.app.pipelines import pipeline
from collector.config.pipelines import PipelineConfig, StepBase
from collector.config.source import parse
from collector.core.metadata import described
from collector.pipeline import Outcome
from collector.pipeline.conditions import Condition
from tests.fakes.config import MINIMAL, settings

PAGE = (Path(__file__).parents[2] / "docs" / "pipelines.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(yaml|json)\n(.*?)```", PAGE, re.DOTALL)
STEPS = [text for kind, text in BLOCKS if kind == "yaml" and text.startswith("{type:")]
SHOWN = [
    (step, records)
    for (kind, step), (next_kind, records) in pairwise(BLOCKS)
    if (kind, next_kind) == ("yaml", "json")
]
CONFIGS = [text for kind, text in BLOCKS if kind == "yaml" and "inputs:" in text]
CONDITIONS = re.findall(
    r"^\| `(record.*?|has.*?)` \| ", PAGE.partition("## Conditions")[2], re.MULTILINE
)


def config_of(step: str) -> PipelineConfig:
    """A pipeline of one step as the page writes it."""
    return PipelineConfig.model_validate({"steps": [parse(step.encode()).data]})


def kind_of(step: str) -> str:
    """The type of a step."""
    kind: str = parse(step.encode()).data["type"]
    return kind


def test_each_kind_of_step_has_an_example() -> None:
    """No step is left out."""
    kinds = re.findall(r"^### `(\w+)`", PAGE, re.MULTILINE)
    known = [model.__name__ for model in leaves(StepBase)]
    assert sorted(kind.replace("_", "") + "step" for kind in kinds) == sorted(
        name.lower() for name in known
    )
    assert {kind_of(step) for step in STEPS} == set(kinds)


def leaves(model: type[Any]) -> list[type[Any]]:
    """The models of steps that have no children."""
    below = model.__subclasses__()
    return [leaf for each in below for leaf in leaves(each)] if below else [model]


@pytest.mark.parametrize(("step", "records"), SHOWN, ids=[kind_of(step) for step, _ in SHOWN])
def test_examples(step: str, records: str) -> None:
    """The first record becomes those below it."""
    before, *after = records.encode().splitlines()
    work = pipeline([config_of(step)])
    assert work is not None
    assert work(before) == Outcome(after)


@pytest.mark.parametrize("step", STEPS)
def test_steps_are_valid(step: str) -> None:
    """Each step can be taken over as it stands."""
    assert pipeline([config_of(step)]) is not None


@pytest.mark.parametrize("text", CONDITIONS)
def test_conditions_are_valid(text: str) -> None:
    """Each condition of the table compiles."""
    assert isinstance(Condition(text), Condition)


@pytest.mark.parametrize("text", CONFIGS)
def test_configurations_are_valid(text: str) -> None:
    """Each configuration is accepted, with outputs and invented secrets."""
    text = re.sub(r'"file:[^"]*"|"\$\{[^"]*\}"', '"an invented secret"', text)
    found = settings({**MINIMAL, **parse(text.encode()).data})
    message = found.inputs["pod"].services.message  # type: ignore[union-attr]
    assert message is not None
    said = described(metadata_of(found, "pod", "message", message))
    assert bool(said) == ("tenant" in text)
