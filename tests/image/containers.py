"""Containers of the image under test, restricted as ``compose.yaml`` restricts them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
ENGINE = os.environ["COLLECTOR_ENGINE"]
IMAGE = os.environ["COLLECTOR_IMAGE"]
BASE = os.environ["COLLECTOR_BASE"]
COMPOSE = os.environ["COLLECTOR_COMPOSE"].split()
"""The command of Compose, or nothing where there is none."""
LABEL = f"collector-test={os.environ['COLLECTOR_RUN']}"
"""By it ``run.sh`` finds what an interrupted test left behind."""
PATIENCE = 60.0
"""Seconds after which what should have come about is a failed test."""

SMALL = os.environ.get("REQUIREMENTS", "") in {"", "requirements.lock"}
"""Whether the image holds what every configuration may need, and no more."""

Done = subprocess.CompletedProcess[str]


def engine(*arguments: str) -> Done:
    """A command of the engine to its end."""
    command = [ENGINE, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def told(done: Done) -> str:
    """What it printed, provided that it succeeded."""
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def image(name: str = IMAGE) -> dict[str, Any]:
    """What the engine knows of an image."""
    (found,) = json.loads(told(engine("image", "inspect", name)))
    return dict(found)


@cache
def service() -> dict[str, Any]:
    """The one service of the compose file."""
    compose = YAML(typ="safe", pure=True).load((ROOT / "compose.yaml").read_text("utf-8"))
    (found,) = compose["services"].values()
    return dict(found)


def restrictions() -> list[str]:
    """Those of the compose file, as options of the engine."""
    found = service()
    options = ["--label", LABEL, "--pids-limit", str(found["pids_limit"])]
    options += ["--memory", found["mem_limit"]]
    options += [f"--cap-drop={name}" for name in found["cap_drop"]]
    options += [f"--security-opt={each}" for each in found["security_opt"]]
    options += [f"--tmpfs={each}" for each in found["tmpfs"]]
    options += [f"--env={name}={text}" for name, text in found["environment"].items()]
    if found["read_only"]:
        options.append("--read-only")
        # Podman would make /run and /var/tmp writable; Docker does not.
        options += ["--read-only-tmpfs=false"] if ENGINE == "podman" else []
    return options


class Site:
    """One installation: the folders of the README under ``folder``, and what runs over them."""

    def __init__(self, folder: Path, document: Mapping[str, Any], network: str = "none") -> None:
        """Make the folders as the README says; nothing is started."""
        self.folder = folder
        self._network = network
        for name in ("config", "certs", "credentials", "state", "out"):
            (folder / name).mkdir()
        (folder / "config" / "config.yaml").write_text(json.dumps(document), encoding="utf-8")
        (folder / "collector.env").touch()
        folder.chmod(0o755)  # pytest's own folders are closed to other users
        self.as_root("chown", "10001:10001", "state", "out")

    def as_root(self, *command: str) -> str:
        """A command of the image over these folders, by its root: what `sudo` does for a person."""
        program, *arguments = command
        mount = ["--volume", f"{self.folder}:/site", "--workdir", "/site", "--user", "0:0"]
        options = ["--rm", "--network", "none", "--label", LABEL, *mount]
        return told(engine("run", *options, "--entrypoint", program, IMAGE, *arguments))

    def options(self) -> list[str]:
        """How a container of this installation is started."""
        mounts = [each.replace("./", f"{self.folder}/", 1) for each in service()["volumes"]]
        options = [*restrictions(), "--network", self._network]
        options += ["--env-file", str(self.folder / "collector.env")]
        return options + [f"--volume={each}" for each in mounts]

    def run(self, *arguments: str, program: str | None = None) -> Done:
        """The image's command, or another of its programs, to its end."""
        entry = [] if program is None else ["--entrypoint", program]
        return engine("run", "--rm", *self.options(), *entry, IMAGE, *arguments)

    @contextmanager
    def running(self, *arguments: str) -> Iterator[Container]:
        """The image with its own command, in the background; removed at the end."""
        with background(*self.options(), IMAGE, *arguments) as container:
            yield container

    def lines(self) -> dict[str, int]:
        """How many lines each file of records has."""
        counted = self.as_root("sh", "-c", "cd out && wc -l *.ndjson || true").split("\n")
        pairs = [line.split() for line in counted if line.endswith(".ndjson")]
        return {name: int(count) for count, name in pairs}

    def close(self) -> None:
        """Let whoever runs the tests remove what the image's user made."""
        self.as_root("chmod", "-R", "a+rwX", ".")


class Project:
    """The compose file at work in the folder of an installation."""

    def __init__(self, site: Site) -> None:
        """Lay the file there, with another that names this image and gives it no network."""
        self._folder = site.folder
        shutil.copy(ROOT / "compose.yaml", self._folder)
        label, _, run = LABEL.partition("=")
        changed = {"image": IMAGE, "network_mode": "none", "labels": {label: run}}
        override = {"x-podman": {"in_pod": False}, "services": {"collector": changed}}
        (self._folder / "override.yaml").write_text(json.dumps(override), encoding="utf-8")
        self._name = f"collector-test-{uuid.uuid4().hex[:12]}"

    def __call__(self, *arguments: str) -> Done:
        """A command of Compose to its end."""
        files = ["--file", "compose.yaml", "--file", "override.yaml"]
        command = [*COMPOSE, "--project-name", self._name, *files, *arguments]
        return subprocess.run(
            command, cwd=self._folder, capture_output=True, text=True, timeout=100, check=False
        )


class Container:
    """One that runs in the background."""

    def __init__(self, name: str) -> None:
        self.name = name

    def execute(self, *command: str) -> Done:
        """A command inside it."""
        return engine("exec", self.name, *command)

    def health(self) -> Done:
        """What the image's HEALTHCHECK says: success, or anything else."""
        found = image()
        # Docker has it in Config, Podman beside that.
        how, *command = (found | found["Config"])["Healthcheck"]["Test"]
        assert how == "CMD"
        return self.execute(*command)

    def signal(self, name: str) -> None:
        """Send a signal to its first process."""
        told(engine("kill", "--signal", name, self.name))

    def log(self) -> str:
        """All that it printed."""
        done = engine("logs", self.name)
        return done.stdout + done.stderr

    def stop(self) -> int:
        """What `docker stop` does; the exit code, 137 when it had to be killed after 10 seconds."""
        told(engine("stop", "--time", "10", self.name))
        return int(told(engine("inspect", "--format", "{{.State.ExitCode}}", self.name)))


@contextmanager
def background(*arguments: str) -> Iterator[Container]:
    """A container with these options, image and command; removed at the end."""
    name = f"collector-test-{uuid.uuid4().hex[:12]}"
    try:
        told(engine("run", "--detach", "--name", name, "--label", LABEL, *arguments))
        yield Container(name)
    finally:
        engine("rm", "--force", "--volumes", name)


def eventually(condition: Callable[[], object], log: Callable[[], str]) -> None:
    """Look twice a second until it holds; shows the log when it never does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, log()
        time.sleep(0.5)
