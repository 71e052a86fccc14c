"""Settings of pipelines: named lists of steps that a record goes through."""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from collector.config.fields import Section, refuse
from collector.config.secured import Secured
from collector.config.step_fields import (
    MAX_FIELDS,
    ConditionText,
    FieldName,
    FieldPaths,
    Key,
    NamedPath,
    PatternText,
    PlainText,
    Scalar,
    SinglePath,
    some,
)
from collector.pipeline.patterns import Pattern, template

MAX_STEPS = 64


class StepBase(Section):
    """What every step has."""

    enabled: bool = Field(default=True, description="Whether this step is done.")


class FallibleStep(StepBase):
    """A step that may fail on a record."""

    on_error: Literal["keep", "drop", "dead_letter"] = Field(
        default="keep",
        description="What becomes of a record that the step fails on. `keep`: it goes on as if the "
        "step were not there, with a flag. `drop`: it counts as filtered. `dead_letter`: it is "
        "kept aside as it came, with the reason. The pull goes on in any case.",
    )


class ParseJsonStep(FallibleStep):
    """A text that holds JSON becomes fields."""

    type: Literal["parse_json"] = Field(description="This kind of step.")
    field: NamedPath = Field(description="The field with the text; any other value stays.")
    new_name: FieldName | None = Field(
        default=None,
        description="Name of the parsed field, beside the old one. Default: it takes its place.",
    )
    keep_old: bool = Field(
        default=False, description="With `new_name`: keep the field with the text, too."
    )


class ExplodeStep(FallibleStep):
    """One record for each element of an array."""

    type: Literal["explode"] = Field(description="This kind of step.")
    field: SinglePath = Field(
        description="The field with the array; any other value, and an empty one, stays."
    )
    index_field: FieldName | None = Field(
        default=None, description="Field for the element's position, from 0. Default: none."
    )
    count_field: FieldName | None = Field(
        default=None, description="Field for the number of elements. Default: none."
    )
    keep_parent: bool = Field(
        default=True,
        description="Each record has all fields, with the element in place of the array. `false`: "
        "an element that is an object is the whole record.",
    )

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if self.index_field is not None and self.index_field == self.count_field:
            raise refuse("index_field and count_field are the same", "give them different names")
        return self


class FilterStep(FallibleStep):
    """Records are kept or dropped by a condition."""

    type: Literal["filter"] = Field(description="This kind of step.")
    condition: ConditionText = Field(description="A condition in CEL about `record`.")
    action: Literal["keep", "drop"] = Field(
        default="keep",
        description="What becomes of records for which the condition holds; of the others, the "
        "opposite.",
    )


class BypassStep(FallibleStep):
    """Some records pass by the rest of the pipeline."""

    type: Literal["bypass"] = Field(description="This kind of step.")
    condition: ConditionText = Field(
        description="A condition in CEL about `record`. Where it holds, the rest of this pipeline "
        "is passed by; the input's next pipeline begins."
    )


class AddStep(FallibleStep):
    """Fields with fixed values."""

    type: Literal["add"] = Field(description="This kind of step.")
    fields: dict[SinglePath, Scalar] = Field(
        min_length=1,
        max_length=MAX_FIELDS,
        description="Fields and their values: text, number, true or false. Objects on the way to "
        "a field are made where they are missing.",
    )
    overwrite: bool = Field(default=False, description="Overwrite fields that are there already.")


class RenameStep(FallibleStep):
    """Fields get other names."""

    type: Literal["rename"] = Field(description="This kind of step.")
    fields: dict[NamedPath, FieldName] = Field(
        min_length=1,
        max_length=MAX_FIELDS,
        description="Fields and the new name of each, in the same object and at the same place. A "
        "name that is taken is a failure: nothing is overwritten.",
    )


class DropStep(StepBase):
    """Fields are taken out."""

    type: Literal["drop"] = Field(description="This kind of step.")
    fields: FieldPaths = Field(description="The fields; one that is missing is no failure.")


class MaskStep(StepBase):
    """Fields, or parts of their text, are blacked out for good."""

    type: Literal["mask"] = Field(description="This kind of step.")
    fields: FieldPaths = Field(description="The fields; one that is missing is no failure.")
    pattern: PatternText | None = Field(
        default=None,
        description="Regular expression (RE2) of the parts to mask, in all texts within the "
        "fields. Default: each field as a whole.",
    )
    replacement: PlainText = Field(
        default="***",
        description="What stands in its place; with a pattern, `\\1` is its first group.",
    )

    @model_validator(mode="after")
    def _groups(self) -> Self:
        if self.pattern is not None:
            try:
                template(self.replacement, Pattern(self.pattern).groups)
            except ValueError as error:
                raise refuse(f"replacement {error}", "write ( ) around a part of it") from None
        return self


class PseudonymiseStep(Secured, StepBase):
    """Texts become keyed pseudonyms: nobody reads them back, and joins still work."""

    type: Literal["pseudonymise"] = Field(description="This kind of step.")
    fields: FieldPaths = Field(
        description="The fields; all texts and numbers within them are replaced."
    )
    key: Key = Field(
        description="The secret, at least 16 characters. The same key gives the same pseudonyms; "
        "with another one nothing joins with what was written before."
    )
    algorithm: Literal["hmac_sha256", "blake2b"] = Field(
        default="hmac_sha256", description="The keyed hash."
    )
    length: Annotated[int, Field(ge=16, le=64)] = Field(
        default=32, description="Hexadecimal digits of a pseudonym."
    )
    prefix: PlainText = Field(
        default="", description='What each pseudonym begins with, for example `"user-"`.'
    )
    pattern: PatternText | None = Field(
        default=None,
        description="Regular expression (RE2) of the parts to replace. Default: each text as a "
        "whole.",
    )
    ignore_case: bool = Field(
        default=False,
        description="Texts that differ in small and capital letters alone, as mail addresses do, "
        "have the same pseudonym.",
    )


StepConfig: TypeAlias = Annotated[
    ParseJsonStep
    | ExplodeStep
    | FilterStep
    | BypassStep
    | AddStep
    | RenameStep
    | DropStep
    | MaskStep
    | PseudonymiseStep,
    Field(discriminator="type"),
]


class PipelineConfig(Section):
    """A named list of steps."""

    steps: Annotated[
        tuple[StepConfig, ...], Field(strict=False, max_length=MAX_STEPS), AfterValidator(some)
    ] = Field(description="The steps, in order; each works on what the one before it gave.")
