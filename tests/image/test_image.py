"""The image: what is in it, and how it works within the restrictions of the compose file."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from collector.clock import SystemClock
from collector.core.times import SECOND
from collector.demo.judge import TAGS
from tests.image.containers import (
    BASE,
    COMPOSE,
    SMALL,
    Container,
    Project,
    Site,
    eventually,
    image,
    told,
)

MAX_BYTES = 200_000_000
"""What the image may add to its base, with requirements.lock."""
FILES = {f"{tag}.ndjson" for tag in TAGS.values()}
OPTIONAL = {"aiokafka", "boto3", "botocore", "confluent_kafka", "pyarrow"}

small = pytest.mark.skipif(not SMALL, reason="the image was built with more packages")

IMPORT_ALL = """
import collector, importlib, pkgutil, zstandard
from cel_expr_python.ext import ext_optional, ext_strings
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
CONDITION = """
from collector.pipeline.conditions import Condition
print(Condition("record.subject.lowerAscii().contains('invoice')")({"subject": "An INVOICE"}))
"""


@small
def test_it_adds_little_to_its_base() -> None:
    """The image is slim."""
    assert image()["Size"] - image(BASE)["Size"] < MAX_BYTES


def test_nothing_is_left_of_the_build(alone: Site) -> None:
    """No pip, no tests of packages, and no project file but the licence."""
    found = told(alone.run("/opt/venv", "-name", "tests", "-o", "-name", "pip", program="find"))
    assert found == ""
    listed = told(alone.run("/app", program="ls")).split()
    assert set(listed) == {
        "LICENSE", "certs", "collector", "config", "credentials", "out", "state"
    }  # fmt: skip


def test_every_module_can_be_imported(alone: Site) -> None:
    """The packages are complete, but for those of optional outputs; nothing is compiled anew."""
    done = alone.run("-v", "-c", IMPORT_ALL, program="python")
    assert set(told(done).split()) <= OPTIONAL
    compiled = re.findall(r"code object from '?(/(?:app|opt/venv)/.*\.py)\b", done.stderr)
    assert compiled == []


def test_conditions_work(alone: Site) -> None:
    """What was taken out of a library's folder is not missed."""
    assert told(alone.run("-c", CONDITION, program="python")).strip() == "True"


def test_its_user_has_no_rights(alone: Site) -> None:
    """User 10001, without capabilities, and no way to get any."""
    status = told(alone.run("/proc/self/status", program="cat"))
    assert re.search(r"^Uid:(\s+10001){4}$", status, re.MULTILINE)
    assert re.search(r"^Gid:(\s+10001){4}$", status, re.MULTILINE)
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
    assert image()["Config"]["User"] == "10001:10001"


@pytest.mark.parametrize("folder", ["/", "/usr", "/app", "/run", "config", "certs", "credentials"])
def test_what_is_read_only(folder: str, alone: Site) -> None:
    """The root file system and the mounts that the collector only reads."""
    done = alone.run("-c", f"touch {folder}/x", program="sh")
    assert "Read-only file system" in done.stderr


def test_what_can_be_written(alone: Site) -> None:
    """The mounts of state and records, and /tmp."""
    told(alone.run("-c", "touch state/x out/x /tmp/x", program="sh"))


def test_version(alone: Site) -> None:
    """The command is on the path, for `docker exec`, and what the image starts."""
    assert told(alone.run("version")) == told(alone.run("version", program="collector"))


def test_check(alone: Site) -> None:
    """Secrets come from the environment file and from files."""
    assert "The configuration is valid" in told(alone.run("check"))
    (alone.folder / "credentials" / "pod_token").unlink()
    (alone.folder / "collector.env").write_text("")
    done = alone.run("check")
    assert done.returncode == 3
    assert "CASB_API_KEY" in done.stdout + done.stderr
    assert "pod_token" in done.stdout + done.stderr


@small
def test_extras_are_asked_for(alone: Site, document: dict[str, Any]) -> None:
    """What the small image does not hold is named, with how to build the other one."""
    document["outputs"]["lake"] = {"type": "s3", "config": {"bucket": "logs"}}
    (alone.folder / "config" / "config.yaml").write_text(json.dumps(document), "utf-8")
    done = alone.run("check")
    assert done.returncode == 3
    assert "REQUIREMENTS=requirements-extras.lock" in done.stdout + done.stderr


def test_demo(alone: Site) -> None:
    """The demonstration needs no network, and loses and doubles nothing."""
    assert "nothing lost, nothing doubled" in told(alone.run("demo"))


def test_one_shot_twice(site: Site) -> None:
    """The first run delivers all five services into the mounted folder, the second nothing."""
    told(site.run("run", "--once"))
    first = {name: count for name, count in site.lines().items() if name in FILES}
    assert set(first) == FILES
    assert min(first.values()) > 0
    told(site.run("run", "--once"))
    assert {name: count for name, count in site.lines().items() if name in FILES} == first


def test_health_and_stop(site: Site) -> None:
    """Healthy while it works, not while it stands still; `docker stop` ends it in order."""
    with site.running() as container:
        eventually(lambda: container.health().returncode == 0, container.log)
        eventually(lambda: set(site.lines()) >= FILES, container.log)
        assert container.execute("collector", "status").returncode in {0, 8}
        _stand_still(site, container)
        assert container.health().returncode == 1
        container.signal("CONT")
        eventually(lambda: container.health().returncode == 0, container.log)
        assert container.stop() == 0
    assert site.run("health").returncode == 1


def _stand_still(site: Site, container: Container) -> None:
    """As after two minutes in which the collector did nothing."""
    container.signal("STOP")
    then = SystemClock().now() - 120 * SECOND
    site.as_root("sh", "-c", f"printf {then} > state/heartbeat")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("chown 0:0 state", 7),
        ("chmod 600 config/config.yaml", 3),
        ("chmod 600 credentials/pod_token", 3),
    ],
)
def test_wrong_permissions(command: str, code: int, alone: Site) -> None:
    """The message says what cannot be used, and for whom it must be made usable."""
    alone.as_root(*command.split())
    done = alone.run("run", "--once")
    assert done.returncode == code
    said = " ".join((done.stdout + done.stderr).split())
    assert command.rpartition("/")[2].split()[-1] in said
    assert "user 10001, which runs the collector" in said


def test_records_folder_of_somebody_else(site: Site) -> None:
    """The records wait in the state, and the log says whom to let write."""
    site.as_root("chown", "0:0", "out")
    with site.running() as container:
        eventually(
            lambda: "give user 10001, which runs the collector" in container.log(), container.log
        )
        assert container.stop() == 0


def test_labels() -> None:
    """An image says under which licence it is."""
    assert image()["Config"]["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


@pytest.mark.skipif(not COMPOSE, reason="neither docker compose nor podman-compose is there")
def test_compose_file(alone: Site) -> None:
    """The steps of the README: check, up, healthy, down."""
    compose = Project(alone)
    assert "The configuration is valid" in told(compose("run", "--rm", "-T", "collector", "check"))
    try:
        told(compose("up", "--detach", "--no-build"))
        eventually(
            lambda: compose("exec", "-T", "collector", "collector", "health").returncode == 0,
            lambda: compose("logs").stdout,
        )
    finally:
        told(compose("down"))
    assert alone.run("health").returncode == 1
