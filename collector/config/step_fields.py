"""The kinds of value that the settings of steps have: paths, conditions, patterns, keys."""

import re
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, Field, SecretStr, WithJsonSchema

from collector.config.fields import Secret, conceal, refuse
from collector.pipeline import paths
from collector.pipeline.conditions import Condition
from collector.pipeline.patterns import Pattern

MAX_FIELDS = 256
MIN_KEY = 16

_PLAIN = re.compile(r"[^\x00-\x1f\x7f]{0,1024}")
_EXAMPLE = "write one like msg.header.from[0] or envelope.rcpts[*]"


def _parsed(text: str) -> paths.Path:
    try:
        return paths.parse(text)
    except ValueError as error:
        raise refuse(f"is no path of a field: it {error}", _EXAMPLE) from None


def _path(text: str) -> str:
    _parsed(text)
    return text


def _named(text: str) -> str:
    if not paths.named(_parsed(text)):
        raise refuse("does not end in the name of a field", "write one like msgParts[*].md5")
    return text


def _single(text: str) -> str:
    if not paths.single(_parsed(text)):
        raise refuse("has an index, but must be one field", "write names and dots alone")
    return text


def _plain(text: str) -> str:
    if not _PLAIN.fullmatch(text):
        reason = "is longer than 1024 characters or has control characters"
        raise refuse(reason, "write a short text")
    return text


def _field(text: str) -> str:
    if not text:
        raise refuse("is empty", "write the name of a field")
    return _plain(text)


def _condition(text: str) -> str:
    try:
        Condition(text)
    except ValueError as error:
        fix = 'write CEL about record, like has(record.guid) && record.guid != ""'
        raise refuse(str(error), f"{fix}; see docs/pipelines.md") from None
    return text


def _pattern(text: str) -> str:
    try:
        Pattern(text)
    except ValueError as error:
        fix = "write a regular expression of RE2, like ^[^@]+; see docs/pipelines.md"
        raise refuse(str(error), fix) from None
    return text


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return _plain(value)
    if not isinstance(value, bool | int | float):
        raise refuse("is no text, number, true or false", "write a single value")
    return value


def some(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse an empty list; asked only when its entries are right."""
    if not values:
        raise refuse("must not be empty", "add at least one entry")
    return values


def _key(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < MIN_KEY:
        reason = f"is shorter than {MIN_KEY} characters, so that pseudonyms could be guessed back"
        raise conceal(reason, "make one with: openssl rand -hex 32")
    return secret


FieldPath: TypeAlias = Annotated[str, AfterValidator(_path)]
NamedPath: TypeAlias = Annotated[str, AfterValidator(_named)]
SinglePath: TypeAlias = Annotated[str, AfterValidator(_single)]
PlainText: TypeAlias = Annotated[str, AfterValidator(_plain)]
FieldName: TypeAlias = Annotated[str, AfterValidator(_field)]
ConditionText: TypeAlias = Annotated[str, AfterValidator(_condition)]
PatternText: TypeAlias = Annotated[str, AfterValidator(_pattern)]
Scalar: TypeAlias = Annotated[
    Any, AfterValidator(_scalar), WithJsonSchema({"type": ["string", "number", "boolean"]})
]
Key: TypeAlias = Annotated[Secret, AfterValidator(_key)]
FieldPaths: TypeAlias = Annotated[
    tuple[FieldPath, ...], Field(strict=False, max_length=MAX_FIELDS), AfterValidator(some)
]
