"""docs/reliability.md is held to the code: rows, tests, settings, defaults."""

from __future__ import annotations

import ast
import importlib
import json
import re
from functools import cache
from pathlib import Path

import pytest

from collector.config.reference import reference

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
LATER = range(31, 36)
ROWS = {int(row[1]): row[2] for row in re.finditer(r"^\| (\d+) \| (.+) \|$", TEXT, re.MULTILINE)}
INVARIANTS = dict(re.findall(r"^\| (I\d+) \| (.+) \|$", TEXT, re.MULTILINE))
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))
SETTINGS = sorted(set(re.findall(r"`((?:globals|inputs|outputs)\.[\w.<>]+)`", TEXT)))
LIMITS = re.findall(
    r"^\| [^|]+ \| (\d+) (\w+) \| `([^`]+)` \| [^|]+ \| .*tests/.* \|$", TEXT, re.MULTILINE
)
UNITS = {"s": 1, "KiB": 1024, "MiB": 1024**2, "times": 1, "pages": 1, "characters": 1, "levels": 1}


@cache
def named_in(path: str) -> set[str]:
    """The names of the tests of a file: functions, and state machines assigned to a name."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    targets = [node.targets[0] for node in tree.body if isinstance(node, ast.Assign)]
    machines = {target.id for target in targets if isinstance(target, ast.Name)}
    return {name for name in functions | machines if name.startswith(("test_", "Test"))}


@cache
def defaults() -> dict[str, str]:
    """Every setting as the manual names it, without group and name, with its default."""
    return dict(re.findall(r"^\| `([^`]+)` \| [^|]+ \| `?([^|`]+)`? \|", reference(), re.MULTILINE))


def in_manual(setting: str) -> list[str]:
    """A setting's names in the manual: ``<service>`` stands for each that has it."""
    group, _, rest = setting.partition(".")
    path = rest if group == "globals" else rest.removeprefix("<name>.")
    pattern = re.escape(path).replace("<service>", r"\w+")
    return [name for name in defaults() if re.fullmatch(pattern, name)]


def constant(name: str) -> object:
    """The value of a constant, or of a field of a class that has a default for each."""
    place, _, last = name.rpartition(".")
    module, _, kind = place.rpartition(".")
    if kind[0].isupper():
        return getattr(getattr(importlib.import_module(module), kind)(), last)
    return getattr(importlib.import_module(place), last)


def test_every_row_is_there() -> None:
    """All 38 of the fault matrix, in order."""
    assert list(ROWS) == list(range(1, 39))


@pytest.mark.parametrize("row", range(1, 39))
def test_every_row_has_a_test(row: int) -> None:
    """But those for a later release, which say so."""
    assert ("for a later release" in ROWS[row]) == (row in LATER)
    assert ("::test_" in ROWS[row]) == (row not in LATER)


def test_every_invariant_is_judged() -> None:
    """All 14 of them, by at least one test each."""
    assert list(INVARIANTS) == [f"I{n}" for n in range(1, 15)]
    assert [name for name, row in INVARIANTS.items() if "::" not in row] == []


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_every_named_test_exists(path: str, name: str) -> None:
    """Under that name, in that file."""
    assert name in named_in(path)


def test_every_reference_is_looked_at() -> None:
    """None is spelled in a way that the tests here would pass over."""
    assert TEXT.count("::") == len(re.findall(r"`tests/[\w/]+\.py::\w+`", TEXT))
    assert len(LIMITS) == TEXT.partition("## Limits of bad input")[2].count("\n| ") - 7


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_exists(setting: str) -> None:
    """The manual has it."""
    assert in_manual(setting)


@pytest.mark.parametrize(("number", "unit", "name"), LIMITS)
def test_every_default_is_as_written(number: str, unit: str, name: str) -> None:
    """A limit is what the page says it is."""
    value = int(number) * UNITS[unit]
    if name.startswith("inputs."):
        assert {float(json.loads(defaults()[each])) for each in in_manual(name)} == {value}
    else:
        assert constant(name) == value


def test_nothing_listens() -> None:
    """There is no management interface: only the simulator opens a port (row 38)."""
    product = [
        path
        for path in (ROOT / "collector").rglob("*.py")
        if "simulator" not in path.relative_to(ROOT).parts
    ]
    called = {
        node.func.attr
        for path in product
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not called & {"bind", "create_server", "start_server", "serve_forever", "TCPSite"}
    assert len(product) > 50
