"""docs/errors.md is held to the code: every number that can be told, each with one meaning."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from collector import errors
from collector.app.outcome import INTERNAL
from collector.config.problems import InvalidConfig
from collector.errors import CollectorError
from collector.wire.statuses import TABLE, error_for
from tests.test_architecture import MODULES, parsed
from tests.test_documents import DOCUMENTS, text

PAGE = text("docs/errors.md")
KINDS = {
    name: each.kind
    for name, each in {**vars(errors), "InvalidConfig": InvalidConfig}.items()
    if isinstance(each, type) and issubclass(each, CollectorError) and each is not CollectorError
}
"""What each class of error calls itself."""

STATUS = "ApiError"
"""The kind whose number is the HTTP status, whoever answered it: it has no number of its own."""
NAMED = re.compile(r"\b([A-Z]\w*Error) (\d+)\b")
"""An error in a text, as it is printed."""
BANDS = {
    kind: range(int(first), int(last) + 1)
    for first, last, kind in re.findall(r"^\| (\d+)-(\d+) \| (\w+) \|", PAGE, re.MULTILINE)
}


class Told(NamedTuple):
    """One place that tells of an error: its kind and number, and where the number is defined."""

    kind: str
    number: int
    home: str


class Constant(NamedTuple):
    """A whole number that has a name: the number, and where it is defined."""

    number: int
    home: str


def catalogued() -> list[tuple[str, int]]:
    """The rows of the page, with the heading that they stand under."""
    sections = re.findall(r"^## (\w+)$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return [
        (kind, int(number))
        for kind, section in sections
        for number in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)
    ]


@cache
def constants(module: str) -> dict[str, Constant]:
    """The whole numbers that have a name in a module, its own and the imported ones."""
    found: dict[str, Constant] = {}
    for node in parsed(MODULES[module]).body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and isinstance(number := literal(node.value), int):
                found[target.id] = Constant(number, f"{module}.{target.id}")
        elif isinstance(node, ast.ImportFrom):
            found |= imported(node)
    return found


def imported(node: ast.ImportFrom) -> dict[str, Constant]:
    """The numbers that an import brings, by name, or as ``module.NAME``."""
    found: dict[str, Constant] = {}
    for alias in node.names:
        known_as = alias.asname or alias.name
        if f"{node.module}.{alias.name}" in MODULES:
            inner = constants(f"{node.module}.{alias.name}")
            found |= {f"{known_as}.{name}": each for name, each in inner.items()}
        elif node.module in MODULES and alias.name in constants(node.module):
            found[known_as] = constants(node.module)[alias.name]
    return found


def literal(node: ast.expr | None) -> object:
    """The value of a literal; None for anything else."""
    return node.value if isinstance(node, ast.Constant) else None


def numbers(node: ast.expr, kind: str, module: str) -> Iterator[Told]:
    """What an expression for a number can be.

    A variable stands for a table of the module's: for all of the band that is named there.
    A status, and the number of another error, are told where they come from.
    """
    known = constants(module)
    name = ast.unparse(node)
    if isinstance(number := literal(node), int):
        yield Told(kind, number, module)
    elif name in known:
        yield Told(kind, known[name].number, known[name].home)
    elif isinstance(node, ast.IfExp):
        yield from numbers(node.body, kind, module)
        yield from numbers(node.orelse, kind, module)
    elif isinstance(node, ast.Name):
        for each in known.values():
            if each.number in BANDS[kind]:
                yield Told(kind, each.number, each.home)
    else:
        assert isinstance(node, ast.Attribute), f"{module}: which number is {name}?"
        assert node.attr in {"number", "status"}, f"{module}: which number is {name}?"


def kind_of_fault(number: ast.expr, module: str) -> str:
    """A health event bears the number of an error that nothing raises; its band tells the kind."""
    own = ("InternalError", "PullError", "DeliveryError")
    fits = [
        kind
        for kind in own
        if any(each.number in BANDS[kind] for each in numbers(number, kind, module))
    ]
    return fits[0] if fits else own[0]


def kinds(module: str) -> dict[str, str]:
    """What errors call themselves, also by variables that hold one of two classes."""
    chosen = {
        ast.unparse(node.targets[0]): KINDS[name]
        for node in ast.walk(parsed(MODULES[module]))
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp)
        if (name := ast.unparse(node.value.body)) in KINDS
    }
    return KINDS | chosen


def raised(module: str) -> Iterator[Told]:
    """The errors that a module makes, and the faults.

    Arguments that are spread are those of errors that choose an exit code, and are never shown.
    """
    known = kinds(module)
    for node in ast.walk(parsed(MODULES[module])):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        if name in known and node.args and not isinstance(node.args[0], ast.Starred):
            yield from numbers(node.args[0], known[name], module)
        for keyword in node.keywords:
            if name == "Fault" and keyword.arg == "number":
                kind = kind_of_fault(keyword.value, module)
                yield from numbers(keyword.value, kind, module)


def written(module: str) -> Iterator[Told]:
    """The errors that a module writes into the log as text."""
    for node in ast.walk(parsed(MODULES[module])):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for kind, number in NAMED.findall(node.value):
                yield Told(kind, int(number), module)


def answered() -> Iterator[Told]:
    """The errors that an HTTP status becomes, by the vendor's table."""
    for status in TABLE:
        error = error_for(status, "")
        yield Told(error.kind, error.number, "collector.wire.statuses")


TOLD = {
    *answered(),
    *(told for module in MODULES for told in (*raised(module), *written(module))),
}


def test_each_number_is_on_the_page() -> None:
    """Whoever looks a number up finds it."""
    assert {(each.kind, each.number) for each in TOLD} - set(catalogued()) == set()


def test_each_number_of_the_page_can_be_told() -> None:
    """The page names nothing that no longer happens, and each number once."""
    told = {(each.kind, each.number) for each in TOLD} | {(STATUS, 302)}
    rows = catalogued()
    assert sorted(set(rows) - told) == []
    assert rows == sorted(set(rows), key=rows.index)


def test_one_number_has_one_meaning() -> None:
    """A number is defined in one place; who needs it elsewhere imports its name."""
    homes = defaultdict(set)
    for each in TOLD:
        if each.kind != STATUS:
            homes[each.kind, each.number].add(each.home)
    assert {number: found for number, found in homes.items() if len(found) > 1} == {}


def test_each_number_lies_in_its_band() -> None:
    """The bands at the top of the page are those of the numbers below."""
    assert [each for each in TOLD if each.number not in BANDS[each.kind]] == []


def test_bands_name_each_kind_with_its_exit_code() -> None:
    """Each kind that can be printed has its band, and the exit code that a command ends with."""
    codes = re.findall(r"^\| [\d-]+ \| (\w+) \| (\d)", PAGE, re.MULTILINE)
    classes = [each for each in vars(errors).values() if isinstance(each, type)]
    known = {
        (each.kind, str(each.exit_code))
        for each in [*classes, InvalidConfig]
        if issubclass(each, CollectorError) and each.kind in BANDS
    }
    assert set(codes) <= known
    assert {kind for kind, _code in codes} == {*KINDS.values(), "InternalError"} - {"Stopped"}
    assert ("InternalError", str(INTERNAL)) in codes


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_documents_name_errors_as_they_are_printed(document: Path) -> None:
    """What a document calls an error can be found on the page."""
    named = {(kind, int(number)) for kind, number in NAMED.findall(text(document))}
    assert named - set(catalogued()) == set()
