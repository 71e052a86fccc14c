"""The rules of a section, judged whatever else is wrong in it.

pydantic asks a section's own rules (its validators of mode ``after``) only when all of
its settings are right, and stops at the first that refuses.  An operator is to read
everything at once: here the rules are asked together with the settings.  A rule that
reads a setting which is refused, or missing, is passed over.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError
from pydantic_core.core_schema import ErrorType

_BUILT_IN = frozenset(get_args(ErrorType))

Made = TypeVar("Made", bound=BaseModel)


def refuse(made: BaseModel, value: Any, info: ValidationInfo) -> None:
    """Raise ``ValidationError`` with all that the rules of a section say against it."""
    wrong = _refused(made, value, info)
    if wrong:
        raise _error(type(made), wrong)


def together(
    model: type[BaseModel], value: Any, error: ValidationError, info: ValidationInfo
) -> ValidationError:
    """The refusal of a section's settings, with what its rules say as well."""
    if not isinstance(value, dict) or not _rules(model):
        return error
    wrong = [_again(each) for each in error.errors()]
    return _error(model, wrong + _refused(_right(model, value, error, info), value, info))


def _error(model: type[BaseModel], wrong: list[InitErrorDetails]) -> ValidationError:
    return ValidationError.from_exception_data(model.__name__, wrong, hide_input=True)


def _refused(made: BaseModel, value: Any, info: ValidationInfo) -> list[InitErrorDetails]:
    """What the rules of a section say against it; settings may be missing from it."""
    found = []
    for rule in _rules(type(made)):
        try:
            rule(made, info)
        except PydanticCustomError as error:
            found.append(InitErrorDetails(type=error, loc=(), input=value))
        except AttributeError:
            continue  # it reads a setting that is refused: nothing can be said
    return found


@cache
def _rules(model: type[BaseModel]) -> tuple[Callable[[BaseModel, ValidationInfo], object], ...]:
    """The rules of a section, each asked in the same way."""
    rules = model.__pydantic_decorators__.model_validators.values()
    return tuple(_asked(rule.func) for rule in rules if rule.info.mode == "after")


def _asked(rule: Callable[..., object]) -> Callable[[BaseModel, ValidationInfo], object]:
    if len(inspect.signature(rule).parameters) > 1:
        return rule
    return lambda made, _info: rule(made)


def _right(
    model: type[Made], value: dict[str, Any], error: ValidationError, info: ValidationInfo
) -> Made:
    """The section with those settings that are right, and without the others."""
    wrong = {str(each["loc"][0]) for each in error.errors() if each["loc"]}
    given = {name: each for name, each in value.items() if name in model.model_fields}
    right: dict[str, Any] = {}
    for name in given.keys() - wrong:
        right[name] = _judge(model, name).validate_python(given[name], context=info.context)
    made = model.model_construct(set(given), **right)
    for name in wrong:
        made.__dict__.pop(name, None)
    return made


@cache
def _judge(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    field = model.model_fields[name]
    annotation: Any = Annotated[field.annotation, field]
    return TypeAdapter(annotation)


def _again(error: ErrorDetails) -> InitErrorDetails:
    """A finding in the form in which it is raised once more."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in _BUILT_IN:
        return InitErrorDetails(type=kind, loc=error["loc"], input=error["input"], ctx=context)
    own = PydanticCustomError(kind, "{reason}" if "reason" in context else error["msg"], context)
    return InitErrorDetails(type=own, loc=error["loc"], input=error["input"])
