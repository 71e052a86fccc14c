"""The shape of the code: who imports whom, how long things are, where time comes from.

The rules are those of ARCHITECTURE.md; this module reads the tree and holds them.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRODUCT = sorted((ROOT / "collector").rglob("*.py"))
UNIT_TESTS = sorted((ROOT / "tests" / "unit").rglob("*.py"))

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
MAX_MEDIAN_FUNCTION_LINES = 10

# What a package may import of the collector besides itself.  What is not named here
# (app, cli, ...) puts the parts together and may import all of them.
LAYERS = {
    "core": set[str](),
    "errors": set[str](),
    "clock": {"core"},
    "codecs": {"core", "errors"},
    "net": set[str](),
    "redaction": set[str](),
    "logs": {"redaction"},
    "config": {"core", "errors", "pipeline"},  # which judges paths, conditions and patterns
    "importers": {"core", "errors", "config"},
    "setup": {"core", "errors"},
    "pullers": {"core", "errors"},
    "pipeline": {"core", "errors"},
    "wire": {"core", "errors", "net"},
    "persistence": {"core", "errors"},
    "senders": {"core", "errors", "net"},
    "probe": {"core", "errors", "net"},
    "simulator": {"core", "errors"},
}

# Where each third-party library may be imported; msgspec alone is everywhere.
LIBRARIES = {
    "aiohappyeyeballs": ("collector.wire.handshake",),
    "aiokafka": (
        "collector.senders.kafka_aiokafka",
        "collector.senders.kafka_hearing",
        "collector.senders.kafka_session",
    ),
    "aiohttp": ("collector.simulator",),
    "apscheduler": ("collector.app",),
    "boto3": ("collector.senders.s3_store",),
    "botocore": (
        "collector.senders.s3_store",
        "collector.senders.s3_failures",
        "collector.senders.s3_transport",
    ),
    "cel_expr_python": ("collector.pipeline.conditions",),
    "confluent_kafka": (
        "collector.senders.kafka_failures",
        "collector.senders.kafka_hearing",
        "collector.senders.kafka_librdkafka",
    ),
    "cryptography": ("collector.config.ciphertext", "collector.net", "collector.app.certificates"),
    "deepdiff": ("collector.app.pre_pull",),
    "numpy": ("collector.core.digest_set",),
    "picows": ("collector.wire.handshake", "collector.wire.inbox", "collector.wire.stream"),
    "pyarrow": ("collector.senders.parquet",),
    "pydantic": ("collector.config", "collector.app"),
    "python_socks": ("collector.wire.handshake",),
    "re2": ("collector.pipeline.patterns",),
    "requests": ("collector.net.http", "collector.wire.http", "collector.senders.http_client"),
    "ruamel": ("collector.config",),
    "sqlite_utils": ("collector.persistence",),
    "zlib_ng": ("collector.persistence.seals", "collector.senders.compression"),
    "zstandard": ("collector.persistence.packing", "collector.senders.compression"),
}

# Modules that ask the operating system the time; everything else is given a Clock.
# ``time.monotonic`` stays free: how long a socket or a lock may block is real time.
CLOCKS = {"collector.clock"}
TIME_CALLS = {
    "date.today",
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "time.sleep",
    "time.time",
    "time.time_ns",
}
MOCKS = {"mock", "monkeypatch", "mocker", "pytest_mock", "requests_mock", "responses"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def relative(path: Path) -> str:
    """The path as a test id."""
    return path.relative_to(ROOT).as_posix()


each_product_file = pytest.mark.parametrize("path", PRODUCT, ids=relative)


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def module_name(path: Path) -> str:
    """``collector/core/model.py`` is ``collector.core.model``; a package is its own name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in PRODUCT}


def imported_names(path: Path) -> Iterator[str]:
    """Dotted names of all that a file imports, wherever in the file it does.

    ``from a.b import c`` gives ``a.b.c``, which may be a module or a name in ``a.b``.
    """
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_modules(path: Path) -> set[str]:
    """The collector's own modules that a file imports."""
    own = {name for name in imported_names(path) if name.split(".")[0] == "collector"}
    return {name if name in MODULES else name.rpartition(".")[0] for name in own}


def inside(module: str, place: str) -> bool:
    """Whether the module is the place, or lies in it."""
    return module == place or module.startswith(f"{place}.")


def layer(module: str) -> str:
    """``collector.core.model`` lies in ``core``; ``collector`` itself in no layer."""
    return module.partition(".")[2].partition(".")[0]


def functions(path: Path) -> Iterator[Function]:
    """All functions and methods of a file, nested ones included."""
    return (node for node in ast.walk(parsed(path)) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines from ``def`` to the last statement, the docstring included."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def body_length(function: Function) -> int:
    """Lines from ``def`` to the last statement, without the docstring."""
    first = function.body[0]
    documented = ast.get_docstring(function, clean=False) is not None
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0
    return length(function) - docstring


@each_product_file
def test_layers(path: Path) -> None:
    """A layer imports only the layers below it."""
    module = module_name(path)
    allowed = LAYERS.get(layer(module))
    if allowed is not None:
        used = {layer(name) for name in imported_modules(path)} - {layer(module), ""}
        assert used <= allowed


def test_no_import_cycle() -> None:
    """Modules can be read in an order in which each needs only those before it."""
    graph = {name: imported_modules(path) - {name} for name, path in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        pytest.fail(" -> ".join(cycle.args[1]))


@each_product_file
def test_libraries_have_one_home(path: Path) -> None:
    """A third-party library is imported where the design puts it, nowhere else."""
    module = module_name(path)
    strays = {
        root
        for root in {name.split(".")[0] for name in imported_names(path)}
        if root in LIBRARIES and not any(inside(module, home) for home in LIBRARIES[root])
    }
    assert not strays


@each_product_file
def test_core_is_pure(path: Path) -> None:
    """The core knows the standard library, msgspec and numpy, and nothing that does I/O."""
    if layer(module_name(path)) == "core":
        roots = {name.split(".")[0] for name in imported_names(path)}
        assert roots - set(sys.stdlib_module_names) <= {"collector", "msgspec", "numpy"}
        assert not roots & {"asyncio", "logging", "os", "socket", "threading", "time"}


@each_product_file
def test_time_comes_from_the_clock(path: Path) -> None:
    """Only the clock module asks the operating system the time, or waits."""
    if module_name(path) not in CLOCKS:
        assert not time_calls(path)


def time_calls(path: Path) -> set[str]:
    """The calls of ``TIME_CALLS`` in a file, as ``module.function``, imported by name or not."""
    attributes = {
        f"{owner}.{node.attr}"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute)
        for owner in [ast.unparse(node.value).rpartition(".")[2]]
    }
    return (attributes | set(imported_names(path))) & TIME_CALLS


@each_product_file
def test_files_are_short(path: Path) -> None:
    """A file that outgrows the limit wants to be two."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES


@each_product_file
def test_functions_are_short(path: Path) -> None:
    """No function is longer than a screen, its docstring included."""
    long = {f.name: length(f) for f in functions(path) if length(f) > MAX_FUNCTION_LINES}
    assert not long


def test_most_functions_are_very_short() -> None:
    """Half of all functions have fewer than ten lines besides their docstring."""
    lengths = [body_length(function) for path in PRODUCT for function in functions(path)]
    assert statistics.median(lengths) < MAX_MEDIAN_FUNCTION_LINES


@pytest.mark.parametrize("path", UNIT_TESTS, ids=relative)
def test_unit_tests_use_no_mock(path: Path) -> None:
    """Fakes are small real implementations; nothing is patched."""
    words = {node.id for node in ast.walk(parsed(path)) if isinstance(node, ast.Name)}
    words |= {node.arg for node in ast.walk(parsed(path)) if isinstance(node, ast.arg)}
    words |= {part for name in imported_names(path) for part in name.split(".")}
    assert not words & MOCKS
