"""The documents are held to the code: what they name exists, and what exists is named."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import typer
from ruamel.yaml import YAML

from collector import __version__
from collector.app.outcome import MEANING
from collector.cli import application
from collector.config.casb import HOST_SUFFIX
from collector.config.load import load
from collector.core import times

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for folder in (ROOT, ROOT / "docs", ROOT / "docs" / "decisions")
    for path in folder.glob("*.md")
)
NOW = times.parse("2026-06-01T00:00:00Z")


def text(name: str | Path) -> str:
    """A document's text."""
    return (ROOT / name).read_text(encoding="utf-8")


def commands() -> set[str]:
    """Every command of the command line, groups with their members."""
    click = typer.main.get_command(application())
    found = set()
    for name, command in click.commands.items():  # type: ignore[attr-defined]
        if command.hidden:
            continue
        members = getattr(command, "commands", None)
        found |= {f"{name} {member}" for member in members} if members else {name}
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document: Path) -> None:
    """Each relative link in a document names a file or folder that is there."""
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text(document))
    missing = [
        link for link in links if "://" not in link and not (ROOT / document.parent / link).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_named_files_exist(document: Path) -> None:
    """Each path of this repository in backticks exists."""
    named = re.findall(r"`((?:collector|tests|docs)/[\w./-]+)`", text(document))
    missing = [name for name in named if not (ROOT / name).exists()]
    assert missing == []


def test_readme_opens_with_the_two_commands() -> None:
    """A newcomer sees `make run` and `make test` first."""
    first = re.search(r"```sh\n(.*?)```", text("README.md"), re.DOTALL)
    assert first is not None
    assert [line.split("#")[0].strip() for line in first[1].splitlines()] == [
        "make run",
        "make test",
    ]


def test_exit_codes_in_readme() -> None:
    """The README's table of exit codes is the program's."""
    rows = dict(re.findall(r"^\| (\d+) \| (.+?) \|$", text("README.md"), re.MULTILINE))
    assert rows == {str(code): meaning for code, meaning in MEANING.items()}


def test_every_command_is_in_a_document() -> None:
    """Each command is shown in the README or the manual, and each one shown exists."""
    manual = text("README.md") + text("docs/operation.md")
    shown = set(
        re.findall(
            r"collector ((?:(?:state|ledger|secret|pipeline) )?[a-z]+)\b(?=[ `)\n]| -)", manual
        )
    )
    known = commands()
    assert {name for name in known if f"collector {name}" not in manual} <= {"version"}
    assert {name for name in shown if name not in known} <= {
        "and",
        "for",
        "is",
        "repairs",
        "state",
        "stops",
        "to",
    }


def test_config_in_readme_is_valid(tmp_path: Path) -> None:
    """The README's configuration loads as it stands."""
    block = re.search(r"```yaml\n(.*?)```", text("README.md"), re.DOTALL)
    assert block is not None
    (tmp_path / "config.yaml").write_text(block[1], encoding="utf-8")
    (tmp_path / "credentials").mkdir()
    for name in ("casb_client_secret", "pod_token"):
        (tmp_path / "credentials" / name).write_text("invented", encoding="utf-8")
    environ = {"CASB_API_KEY": "invented", "CASB_CLIENT_ID": "invented"}
    settings = load(tmp_path / "config.yaml", environ, NOW)
    assert set(settings.inputs) == {"casb", "pod"}


def test_the_example_agrees_with_the_manual() -> None:
    """Its mask is that of the page, which leaves an address readable; its regions are all."""
    example = text("config.yaml.example")
    (mask,) = re.findall(r"\{type: mask, .*\}", example)
    assert mask in text("docs/pipelines.md")
    region = re.search(r"^    region: (.*)$", example, re.MULTILINE)
    assert region is not None
    assert [name for name in HOST_SUFFIX if not re.search(rf"\b{name}\b", region[1])] == []


def test_changelog_begins_with_this_version() -> None:
    """The newest entry of the changelog is the version of the program."""
    newest = re.search(r"^## (\S+)", text("CHANGELOG.md"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == __version__


def test_each_dependency_has_its_reason() -> None:
    """The decision page names exactly the run-time dependencies of the project, and its extras."""
    project = tomllib.loads(text("pyproject.toml"))["project"]
    page = text("docs/decisions/0001-dependencies.md")
    reasons = re.findall(r"^\| ([\w.-]+) \| [A-Z]", page, re.MULTILINE)
    assert sorted(reasons) == sorted(map(package, project["dependencies"]))
    extras = re.findall(r"^\| `([\w-]+)` \| `([\w.-]+)`: \w", page, re.MULTILINE)
    assert sorted(extras) == sorted(
        (extra, package(line))
        for extra, lines in project["optional-dependencies"].items()
        for line in lines
    )


def package(requirement: str) -> str:
    """The package that a requirement names."""
    return re.split(r"[<>=!~\[; ]", requirement)[0]


def test_each_decision_is_in_the_index() -> None:
    """The index lists the pages that are there."""
    pages = {path.name for path in (ROOT / "docs" / "decisions").glob("0*.md")}
    assert set(re.findall(r"\((0[\w-]+\.md)\)", text("docs/decisions/README.md"))) == pages


def test_compose_file_is_yaml_with_the_mounts_of_the_readme() -> None:
    """Each folder that the README says is mounted is a mount."""
    compose = YAML(typ="safe", pure=True).load(text("compose.yaml"))
    (service,) = compose["services"].values()
    mounts = " ".join(str(mount) for mount in service["volumes"])
    assert [
        name for name in ("config", "certs", "credentials", "state", "out") if name not in mounts
    ] == []


def test_secrets_of_the_compose_file() -> None:
    """The README's steps make its file of secrets, which names each variable of the example."""
    compose = YAML(typ="safe", pure=True).load(text("compose.yaml"))
    (service,) = compose["services"].values()
    assert service["env_file"] == [{"path": "collector.env", "required": False}]
    assert "install -m 600 collector.env.example collector.env" in text("README.md")
    named = re.findall(r"^([A-Z_]+)=$", text("collector.env.example"), re.MULTILINE)
    used = re.findall(r"^ *[^ #].*\$\{([A-Z_]+)\}", text("config.yaml.example"), re.MULTILINE)
    assert named == used


def test_secrets_stay_out_of_repository_and_image() -> None:
    """Git ignores the file of secrets; the image gets nothing that is not listed."""
    assert "/collector.env" in text(".gitignore").splitlines()
    kept_out, *let_in = [
        line for line in text(".dockerignore").splitlines() if not line.startswith("#")
    ]
    assert kept_out == "*"
    assert "!collector" in let_in
    assert [line for line in let_in if ".env" in line or line == "!*"] == []


def test_no_path_of_any_machine_is_in_a_document() -> None:
    """Documents speak of the project alone."""
    homes = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/")
    assert [str(name) for name in DOCUMENTS if homes.search(text(name))] == []
