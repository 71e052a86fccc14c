"""The wheel as a user installs it; `make wheel-test` runs this away from the source tree.

The collector is installed with its locked run-time packages alone into the virtual
environment that ``COLLECTOR_VENV`` names, so a file missing from the wheel or a package
missing from ``requirements.lock`` shows here and nowhere else.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

INSTALLED = Path(os.environ["COLLECTOR_VENV"]) / "bin"


def run(program: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of the installed environment in an empty folder, and return what it said."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(INSTALLED / program), *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def python(code: str, cwd: Path) -> str:
    """What the installed environment's Python prints for this code."""
    done = run("python", "-c", code, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_package_comes_from_the_wheel(tmp_path: Path) -> None:
    """The tests below would prove nothing if the source tree were imported."""
    assert "site-packages" in python("import collector; print(collector.__file__)", tmp_path)


def test_version_is_that_of_the_wheel(tmp_path: Path) -> None:
    """`collector version` and the wheel's metadata say the same."""
    metadata = "import importlib.metadata as m; print(m.version('proofpoint-collector'))"
    done = run("collector", "version", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert python(metadata, tmp_path) in done.stdout


@pytest.mark.parametrize("command", ["run", "check", "state", "simulate", "demo", "schema"])
def test_help_names_every_command(command: str, tmp_path: Path) -> None:
    """The console script starts and lists the commands."""
    done = run("collector", "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert command in done.stdout


def test_schema_is_json(tmp_path: Path) -> None:
    """`collector schema` prints a JSON Schema that knows the three top-level sections."""
    done = run("collector", "schema", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {"globals", "inputs", "outputs"} <= set(json.loads(done.stdout)["properties"])


def test_check_refuses_a_missing_config(tmp_path: Path) -> None:
    """Without a configuration the exit code is that of a config error."""
    done = run("collector", "check", "--config", "absent.yaml", cwd=tmp_path)
    assert done.returncode == 3
    assert "absent.yaml" in done.stdout + done.stderr


def test_module_runs_too(tmp_path: Path) -> None:
    """`python -m collector` is the same program (the Docker image starts it so)."""
    done = run("python", "-m", "collector", "version", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


IMPORT_ALL = """
import collector, importlib, pkgutil
absent = set()
for module in pkgutil.walk_packages(collector.__path__, "collector."):
    if module.name.endswith("__main__"):
        continue
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        absent.add(error.name.partition(".")[0])
print(*sorted(absent))
"""
OPTIONAL = {"aiokafka", "boto3", "botocore", "confluent_kafka", "pyarrow"}


def test_every_module_can_be_imported(tmp_path: Path) -> None:
    """No module needs a package that the wheel did not bring, but those of optional outputs."""
    absent = set(python(IMPORT_ALL, tmp_path).split())
    assert "confluent_kafka" in absent  # else nothing was looked at, or the extras were there
    assert absent <= OPTIONAL


def test_type_information_is_shipped(tmp_path: Path) -> None:
    """The marker that lets type checkers read the package's annotations is in the wheel."""
    code = "import importlib.resources as r; print((r.files('collector') / 'py.typed').is_file())"
    assert python(code, tmp_path) == "True"


def test_licence_is_shipped(tmp_path: Path) -> None:
    """The licence text travels with the wheel."""
    code = "import importlib.metadata as m; print(m.files('proofpoint-collector'))"
    assert "LICENSE" in python(code, tmp_path)
