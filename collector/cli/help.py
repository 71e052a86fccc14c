"""What a command's help shows of its parameters: a switch takes no value, an argument has its name.

Typer writes the type beside every parameter, and the least and greatest of numbers:
``<bool>`` for what is either given or not, ``<list[int]> [1<=x<=9223372036854775807]``
for numbers that are copied from a list.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption


class Command(TyperCommand):
    """A command, whose help shows no more than is to be typed."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        _plainly(self.get_params(ctx))
        super().format_help(ctx, formatter)


class Group(TyperGroup):
    """The same for a group of commands."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        _plainly(self.get_params(ctx))
        super().format_help(ctx, formatter)


def _plainly(parameters: list[Any]) -> None:
    for each in parameters:
        if isinstance(each, TyperOption) and each.is_flag:
            each.metavar = ""
        elif isinstance(each, TyperArgument):
            # Nothing else in typer says so.
            each.display_type_rich = _nothing  # type: ignore[method-assign]
            each._get_number_range_help_str = _nothing  # type: ignore[method-assign]  # noqa: SLF001


def _nothing(*_: Any, **__: Any) -> None:
    return None
