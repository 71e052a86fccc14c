"""docs/coverage.md is held to the code: rows, settings, commands, metrics, pages, tests."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import pytest
import typer

from collector.cli import application
from collector.config.schema import Node, below, kinds, resolve, root
from tests.fakes.corpora import BESIDE
from tests.test_reliability_map import named_in

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "coverage.md"
TEXT = PAGE.read_text(encoding="utf-8")
IDS = (ROOT / "tests" / "data" / "feature_ids.txt").read_text(encoding="utf-8").split()
INVENTORY = BESIDE / "features.md"
"""The notes that the ids were taken from, which are not published."""

PLANNED = {"DEVO-05"}
"""Rows that may wait: they want the web console, or many collectors on one source."""
STATES = ("done", "does not apply", "planned")
PRODUCTS = ("OBS", "VM", "STE", "SUMO", "DEVO")
GROUPS = ("globals.", "inputs.", "outputs.", "pipelines.")


class Row(NamedTuple):
    """One line of the page: what is meant, how it stands, where it is, which tests show it."""

    id: str
    feature: str
    state: str
    here: str
    tests: str


def cells(text: str, first: str) -> Iterator[list[str]]:
    """The cells of the rows of tables whose first cell fits."""
    for line in re.findall(rf"^\| ((?:{first}) \|.*) \|$", text, re.MULTILINE):
        yield [cell.strip() for cell in line.split(" | ")]


def spans(text: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


FEATURES, _, DECISIONS = TEXT.partition("## Contradictions")
ROWS = [Row(*row) for row in cells(FEATURES, r"[A-Z]+-\d\d")]
MAPPED = "\n".join("\n".join(row) for row in ROWS) + DECISIONS
SPANS = sorted(set(spans(MAPPED)))
LINKS = sorted(set(re.findall(r"\]\(([^)]+)\)", MAPPED)))
DEFAULTS = sorted(set(re.findall(r"`([^`]+)` \(default ([^)]+)\)", MAPPED)))


def is_test(span: str) -> bool:
    """``tests/unit/test_x.py::test_y``."""
    return span.startswith("tests/")


def is_command(span: str) -> bool:
    """``collector test --json``."""
    return span.startswith("collector ")


def is_setting(span: str) -> bool:
    """``inputs.<name>.enabled``, or ``inputs.<name>.enabled: false``."""
    return span.startswith(GROUPS)


def is_metric(span: str) -> bool:
    """``health_event``, or ``health_event.remedy``: a record of the internal lane, its field."""
    return span.partition(".")[0] in metrics()


def places(path: str) -> list[Node]:
    """Where the schema has a setting: in each kind of input, output or step that has it.

    ``<name>`` stands for any name, ``<service>`` for every service, ``[]`` for list items.
    """
    found: list[Node] = [root()]
    for step in re.sub(r"\[\]", ".[]", path).split("."):
        resolved = [each for node in found for each in alternatives(resolve(node))]
        found = [inner for node in resolved for inner in under(node, step) if inner]
    return found


def alternatives(node: Node) -> Iterable[Node]:
    """The kinds that a node chooses from, or itself."""
    return kinds(node).values() or (node,)


def under(node: Node, step: str) -> Iterable[Node]:
    """The nodes below one, by a step of a path."""
    if step == "<service>":
        return list(node.get("properties", {}).values())
    return [below(node, step)]


def values(node: Node) -> set[str]:
    """What a setting can be, where that is a choice."""
    resolved = resolve(node)
    if resolved.get("type") == "boolean":
        return {"true", "false"}
    return {str(each) for each in resolved.get("enum", [resolved.get("const")])}


def default(node: Node) -> str:
    """A setting's default, as the page writes it."""
    value = node.get("default")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,g}"
    return value if isinstance(value, str) else str(value).lower()


@cache
def metrics() -> dict[str, set[str]]:
    """The records of the internal lane with their fields, from the code that makes them."""
    tree = ast.parse((ROOT / "collector" / "app" / "internal.py").read_text(encoding="utf-8"))
    made = [pair for node in ast.walk(tree) for pair in heads(node)]
    common = fields(next(each for each in ast.walk(tree) if is_head(each)))
    return {kind: common | fields(record) for kind, record in made}


def heads(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The type of record that a dictionary becomes: it begins with its head, or follows it."""
    if isinstance(node, ast.Dict):
        opened = [value for key, value in zip(node.keys, node.values, strict=True) if key is None]
        yield from ((kind, node) for value in opened for kind in headed(value))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        yield from ((kind, node.right) for kind in headed(node.left))


def headed(node: ast.AST) -> Iterator[str]:
    """``service_metrics`` of ``self._head("service_metrics")``."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "self._head":
        yield str(ast.literal_eval(node.args[0]))


def is_head(node: ast.AST) -> bool:
    """Whether this is the function that every record begins with."""
    return isinstance(node, ast.FunctionDef) and node.name == "_head"


def fields(node: ast.AST) -> set[str]:
    """The names that dictionaries within a node have."""
    found = [each for each in ast.walk(node) if isinstance(each, ast.Dict)]
    keys = [key for each in found for key in each.keys]
    return {str(key.value) for key in keys if isinstance(key, ast.Constant)}


def unknown_of_command(words: list[str]) -> list[str]:
    """What the program does not have of a command line, without its name."""
    command: Any = typer.main.get_command(application())
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    return unknown_options(command, words)


def unknown_options(command: Any, words: list[str]) -> list[str]:
    """The words that are no option of a command, nor a value that its option takes."""
    options = {name: each for each in command.params for name in each.opts + each.secondary_opts}
    unknown = []
    while words:
        option = options.get(word := words.pop(0))
        if option is None:
            unknown.append(word)
        elif words and not option.is_flag and not words[0].startswith("-"):
            unknown += refused(command, option.name, words.pop(0))
    return unknown


def refused(command: Any, name: str, value: str) -> list[str]:
    """The value, unless an option takes it: one that is a choice takes its own alone."""
    kind = get_type_hints(command.callback)[name]
    is_choice = isinstance(kind, type) and issubclass(kind, Enum)
    return [value] if is_choice and value not in {each.value for each in kind} else []


def slug(heading: str) -> str:
    """A heading as links name it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_every_row_is_there_once() -> None:
    """All features, in the order of the list."""
    assert [row.id for row in ROWS] == IDS


@pytest.mark.skipif(not INVENTORY.exists(), reason="the notes behind the ids are not published")
def test_the_list_is_the_inventorys() -> None:
    """No feature was left out of the list, and no contradiction is undecided."""
    features, _, contradictions = INVENTORY.read_text(encoding="utf-8").partition("## Contra")
    assert [row[0] for row in cells(features, r"[A-Z]+-\d+")] == IDS
    first = rf"(?:{'|'.join(PRODUCTS)})-\d\d[^|]*"
    assert [row[0] for row in cells(DECISIONS, first)] == [
        row[0] for row in cells(contradictions, first)
    ]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_row_says_where_and_what_shows_it(row: Row) -> None:
    """Done: something that can be looked up, and a test. Else: why, and only where it may."""
    assert row.state in STATES
    assert row.feature
    assert all(map(is_test, spans(row.tests)))
    if row.state == "done":
        known = [is_setting, is_command, is_metric]
        assert "](" in row.here or any(is_one(each) for each in spans(row.here) for is_one in known)
        assert spans(row.tests)
    else:
        assert len(row.here.split()) > 3


def test_only_these_are_planned() -> None:
    """Nothing else waits for a later release."""
    assert {row.id for row in ROWS if row.state == "planned"} == PLANNED


def test_the_summary_counts() -> None:
    """Rows of each product, by state; the last line is the sum."""
    counted = Counter((row.id.partition("-")[0], row.state) for row in ROWS)
    table = [[counted[product, state] for state in STATES] for product in PRODUCTS]
    table.append([sum(column) for column in zip(*table, strict=True)])
    shown = [row[1:] for row in cells(TEXT.partition("## OBS")[0], r"\[[^|]+|all")]
    assert shown == [[str(sum(counts)), *map(str, counts)] for counts in table]


@pytest.mark.parametrize("span", SPANS)
def test_what_is_in_backticks_exists(span: str) -> None:
    """A setting, a value it takes, a command with its options, a metric, a test, or one word."""
    if is_test(span):
        path, _, name = span.partition("::")
        assert name in named_in(path)
    elif is_command(span):
        assert unknown_of_command(span.split()[1:]) == []
    elif is_setting(span):
        path, _, value = span.partition(": ")
        assert places(path)
        assert not value or any(value in values(node) for node in places(path))
    elif is_metric(span):
        kind, _, field = span.partition(".")
        assert not field or field in metrics()[kind]
    else:
        assert re.fullmatch(r"[\w@$-]+", span), "only names of ours may be longer than a word"


@pytest.mark.parametrize(("setting", "written"), DEFAULTS)
def test_defaults_are_as_written(setting: str, written: str) -> None:
    """In every kind of input, output or step that has the setting."""
    assert {default(node) for node in places(setting)} == {written}


@pytest.mark.parametrize("link", LINKS)
def test_linked_sections_exist(link: str) -> None:
    """Each page is named with the section that is meant; without a page it is this one."""
    path, _, section = link.partition("#")
    page = (PAGE.parent / (path or PAGE.name)).read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    assert section in map(slug, re.findall(r"^#+ (.+)$", prose, re.MULTILINE))


def test_the_checks_can_fail() -> None:
    """What is not there is found to be missing."""
    assert places("inputs.<name>.services.<service>.enabled")
    assert not places("inputs.<name>.services.<service>.enabld")
    assert unknown_of_command(["secret", "rekey", "--check"]) == []
    assert unknown_of_command(["secret", "rekey", "--chek"]) == ["--chek"]
    assert unknown_of_command(["import", "--from", "nobody"]) == ["nobody"]
    assert unknown_of_command(["tset"]) == ["tset"]
    assert {"type", "remedy"} <= metrics()["health_event"]
    assert "remdy" not in metrics()["health_event"]
