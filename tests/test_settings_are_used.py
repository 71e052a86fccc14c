"""Every setting does something: a name in the configuration that nothing reads is a lie.

The rule is held by name: a field of a settings model must be read as an attribute
(or by ``getattr``) where settings become objects, or by the models' own methods.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import collector.config
from collector.config.fields import Section
from collector.config.inputs import Services
from collector.config.models import Settings

ROOT = Path(__file__).parent.parent / "collector"
# Where settings become objects, the logging of a run, and the rules between settings.
READERS = [*ROOT.glob("app/*.py"), ROOT / "cli" / "process.py", *ROOT.glob("config/*.py")]


def models(base: type[Section]) -> Iterator[type[Section]]:
    """All models of settings."""
    for model in base.__subclasses__():
        yield model
        yield from models(model)


def fields() -> list[str]:
    """The name of every setting, as ``Model.field``; a model has its parents' too."""
    for module in pkgutil.iter_modules(collector.config.__path__):
        importlib.import_module(f"collector.config.{module.name}")
    return sorted(
        f"{model.__name__}.{name}"
        for model in models(Section)
        # The names of services are read all together, from ``model_fields``.
        if not issubclass(model, Services)
        for name in model.model_fields
    )


def names_read(path: Path) -> Iterator[str]:
    """The attributes that a file reads, also by ``getattr``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr":
            yield from (str(each.value) for each in node.args if isinstance(each, ast.Constant))


READ = {name for path in READERS for name in names_read(path)}


@pytest.mark.parametrize("field", fields())
def test_every_setting_is_read(field: str) -> None:
    """Somebody asks for it."""
    assert field.partition(".")[2] in READ


def test_all_models_are_looked_at() -> None:
    """The list is not empty by mistake, and holds the deepest ones."""
    assert {"Globals.debug", "CasbRate.calls_per_day", "Confirm.policy"} <= set(fields())
    assert {f"Settings.{name}" for name in Settings.model_fields} <= set(fields())
