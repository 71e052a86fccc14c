"""From the settings of pipelines to the pipeline of a service."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch

from collector.config.inputs import Service
from collector.config.models import Settings
from collector.config.pipelines import (
    AddStep,
    BypassStep,
    DropStep,
    ExplodeStep,
    FallibleStep,
    FilterStep,
    MaskStep,
    ParseJsonStep,
    PipelineConfig,
    PseudonymiseStep,
    RenameStep,
    StepBase,
    StepConfig,
)
from collector.pipeline import Pipeline, Step, choice, disguise, edits, shape
from collector.pipeline.conditions import Condition
from collector.pipeline.paths import Path, parse
from collector.pipeline.patterns import Pattern
from collector.pipeline.step import Work


def pipeline_of(settings: Settings, name: str, service: Service) -> Pipeline | None:
    """The pipeline of a service of the input ``name``; None when there is nothing to do."""
    own = service.pipelines
    names = settings.inputs[name].pipelines if own is None else own
    return pipeline(settings.pipelines[each] for each in names)


def pipeline(configs: Iterable[PipelineConfig]) -> Pipeline | None:
    """These pipelines, one after the other; None without a step that is enabled."""
    stages = [[_step(step) for step in each.steps if step.enabled] for each in configs]
    return Pipeline(stages) if any(stages) else None


def _step(step: StepConfig) -> Step:
    on_error = step.on_error if isinstance(step, FallibleStep) else "keep"
    return Step(kind=step.type, work=_work(step), on_error=on_error)


@singledispatch
def _work(step: StepBase) -> Work:
    """What a step does; each kind of step is registered below."""
    raise TypeError(type(step).__name__)


@_work.register
def _parse_json(step: ParseJsonStep) -> Work:
    return shape.parse_json(parse(step.field), step.new_name, keep_old=step.keep_old)


@_work.register
def _explode(step: ExplodeStep) -> Work:
    field = parse(step.field)
    return shape.explode(field, step.index_field, step.count_field, keep_parent=step.keep_parent)


@_work.register
def _filter(step: FilterStep) -> Work:
    chosen = choice.keep_where if step.action == "keep" else choice.drop_where
    return chosen(Condition(step.condition))


@_work.register
def _bypass(step: BypassStep) -> Work:
    return choice.bypass(Condition(step.condition))


@_work.register
def _add(step: AddStep) -> Work:
    fields = {parse(path): value for path, value in step.fields.items()}
    return edits.add(fields, overwrite=step.overwrite)


@_work.register
def _rename(step: RenameStep) -> Work:
    return edits.rename({parse(path): name for path, name in step.fields.items()})


@_work.register
def _drop(step: DropStep) -> Work:
    return edits.drop(_paths(step.fields))


@_work.register
def _mask(step: MaskStep) -> Work:
    return disguise.mask(_paths(step.fields), step.replacement, _pattern(step.pattern))


@_work.register
def _pseudonymise(step: PseudonymiseStep) -> Work:
    token = disguise.tokens(
        step.key.get_secret_value(),
        algorithm=step.algorithm,
        length=step.length,
        prefix=step.prefix,
        ignore_case=step.ignore_case,
    )
    return disguise.pseudonymise(_paths(step.fields), token, _pattern(step.pattern))


def _paths(fields: Iterable[str]) -> list[Path]:
    return [parse(path) for path in fields]


def _pattern(text: str | None) -> Pattern | None:
    return None if text is None else Pattern(text)
