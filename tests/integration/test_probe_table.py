"""Every failure of the table at every type of output, as an operator reads it.

The failing step, what was seen, explanation, recommendation and exit code; what follows
is told as not run; and no secret of the configuration is on the screen.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from confluent_kafka import KafkaError
from typer.testing import CliRunner

from collector.cli import application
from collector.probe.findings import Step
from collector.probe.products import table
from collector.probe.verdicts import Side, Trouble
from tests.fakes import processes
from tests.fakes.azure import AzureServer, error
from tests.fakes.bulk import BulkServer
from tests.fakes.connect_proxy import ConnectProxy
from tests.fakes.hec import HecServer, told
from tests.fakes.kafka_brokers import KafkaBrokers
from tests.fakes.pki import Pki
from tests.fakes.probed_outputs import CANARY, OVER_HTTP, OVER_NETWORK, SECRETS, Site, echo
from tests.fakes.probing import BAD, document, resolving, secure
from tests.fakes.processes import free_port
from tests.fakes.receivers import Answer, HttpReceiver, Posted, StreamReceiver
from tests.fakes.somebody import somebody
from tests.fakes.sumo import SumoServer

WAY = (Step.NAME, Step.ADDRESS, Step.PROXY, Step.TLS)
PLACES = {"sentinel": 2}
"""How many places an output is tested at, where it is not one."""
NOWHERE = "siem.invalid"

each_output = pytest.mark.parametrize("kind", OVER_NETWORK)
each_http = pytest.mark.parametrize("kind", OVER_HTTP)


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name server is asked for the reserved names (RFC 6761) that nobody has."""
    resolving(monkeypatch)


class Shown:
    """What ``collector test`` shows of one output."""

    def __init__(self, folder: Path, kind: str, settings: dict[str, Any], *options: str) -> None:
        """Run the test; no secret is shown, and the exit code is that of a failed output."""
        made = document(folder, outputs={"siem": {"type": kind, "config": settings}})
        config = processes.Site(folder, made).config
        done = CliRunner().invoke(
            application(), ["test", "--config", str(config), *options, "siem"]
        )
        assert not [secret for secret in SECRETS if secret in done.output]
        assert done.exit_code == 6, done.output
        self.kind = kind
        self.lines = done.stdout.splitlines()

    def steps(self) -> Sequence[tuple[str, str]]:
        """Each step and how it went, in order."""
        parts = [line.split(": ") for line in self.lines if line.startswith("output siem: ")]
        return [
            (step, next(each for each in rest if _is_result(each)).partition(" in ")[0])
            for _, step, *rest in parts
        ]

    def failed(self, step: Step, trouble: Trouble, seen: str, to_do: str = "") -> None:
        """The first failure is this one, with the words of its row, or what else is to do."""
        row = table(Side.DESTINATION, self.kind)[trouble]
        at = next(n for n, line in enumerate(self.lines) if ": failed" in line)
        head, explanation, recommendation = self.lines[at : at + 3]
        assert head.startswith(f"output siem: {step}: ")
        assert seen in head
        assert explanation == f"  explanation ({trouble}): {row.explanation}"
        assert recommendation == f"  recommendation: {to_do or row.recommendation}"
        assert self.lines[-1] == "failed: output siem"

    @property
    def advice(self) -> str:
        """The recommendation of the one failure."""
        (line,) = [line for line in self.lines if "  recommendation: " in line]
        return line.partition(": ")[2]


def _is_result(part: str) -> bool:
    return part.startswith(("ok in ", "failed", "skipped", "not run"))


def broken(kind: str, at: Step) -> Sequence[tuple[str, str]]:
    """All steps of an output whose way ends at a step."""
    place = WAY.index(at)
    before = [(step, "skipped" if step is Step.PROXY else "ok") for step in WAY[:place]]
    after = [(step, "not run") for step in WAY[place + 1 :]]
    return [*before, (at, "failed"), *after] * PLACES.get(kind, 1) + [(Step.PROBE, "not run")]


def shown(folder: Path, kind: str, to: Site, *options: str, **changed: Any) -> Shown:
    """What is shown of an output of this type that leads there."""
    return Shown(folder, kind, {**OVER_NETWORK[kind](to), **changed}, *options)


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    """A new authority."""
    return Pki(tmp_path)


def files(kind: str, pki: Pki) -> dict[str, str]:
    """The files of TLS; Devo always wants a client certificate."""
    ours = pki.issue(issuer=pki.ca)
    own = {"cert": str(ours.cert), "key": str(ours.key)} if kind == "devo" else {}
    return {"ca": str(pki.ca.cert), **own}


@each_output
def test_unknown_name(tmp_path: Path, pki: Pki, kind: str) -> None:
    """A name that nobody knows."""
    found = shown(tmp_path, kind, Site(NOWHERE, 443, files=files(kind, pki)))
    found.failed(Step.NAME, Trouble.NO_NAME, "Name or service not known")
    assert found.steps() == broken(kind, Step.NAME)


@each_output
def test_refused(tmp_path: Path, pki: Pki, kind: str) -> None:
    """A port on which nothing listens."""
    found = shown(tmp_path, kind, Site("127.0.0.1", free_port(), files=files(kind, pki)))
    found.failed(Step.ADDRESS, Trouble.REFUSED, "127.0.0.1: Connection refused")
    assert found.steps() == broken(kind, Step.ADDRESS)


@each_output
def test_silent(tmp_path: Path, pki: Pki, kind: str) -> None:
    """A port that takes the connection and never answers."""
    with StreamReceiver() as server:
        to = Site("127.0.0.1", server.port, files=files(kind, pki))
        found = shown(tmp_path, kind, to, "--timeout", "0.2")
    found.failed(Step.TLS, Trouble.TIMED_OUT, "nothing in time")
    assert found.steps() == broken(kind, Step.TLS)


SEEN = {
    Trouble.TLS_NAME: "mismatch",
    Trouble.TLS_AUTHORITY: "self-signed certificate",
    Trouble.TLS_DATES: "certificate has expired",
}


@pytest.mark.parametrize("trouble", BAD, ids=str)
@each_output
def test_bad_certificate(tmp_path: Path, pki: Pki, kind: str, trouble: Trouble) -> None:
    """A certificate for another name, of an unknown authority, or expired; nothing is sent."""
    with StreamReceiver(secure(BAD[trouble](pki))) as server:
        found = shown(tmp_path, kind, Site("127.0.0.1", server.port, files=files(kind, pki)))
    found.failed(Step.TLS, trouble, SEEN[trouble])
    assert found.steps() == broken(kind, Step.TLS)
    assert server.received == b""


@pytest.mark.parametrize(
    ("status", "trouble"),
    [(f"407 {CANARY}-proxy", Trouble.PROXY_LOGIN), ("403 No", Trouble.PROXY_REFUSED)],
    ids=["407", "403"],
)
@each_http
def test_proxy_refuses(tmp_path: Path, pki: Pki, kind: str, status: str, trouble: Trouble) -> None:
    """A proxy that does not know us, or does not let us pass."""
    with ConnectProxy(status=status) as proxy:
        login = {"url": proxy.url, "username": "ann", "password": f"{CANARY}-proxy"}
        to = Site("siem.example.com", 443, files=files(kind, pki))
        found = shown(tmp_path, kind, to, proxy=login)
    found.failed(Step.PROXY, trouble, f"answered {status[:3]}")
    steps = [("name", "ok"), ("address", "ok"), ("proxy", "failed"), ("tls", "not run")]
    assert found.steps() == steps * PLACES.get(kind, 1) + [("probe", "not run")]


def test_proxy_of_the_environment_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pki: Pki
) -> None:
    """S3 takes the environment's proxy, which does not know us."""
    with ConnectProxy(status="407 No") as proxy:
        login = proxy.url.replace("//", f"//ann:{CANARY}-proxy@")
        monkeypatch.setenv("HTTPS_PROXY", login)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        found = shown(tmp_path, "s3", Site("s3.example.com", 443, files=files("s3", pki)))
    found.failed(Step.PROXY, Trouble.PROXY_LOGIN, "answered 407")


STATUSES = {
    302: (Step.PROBE, Trouble.REDIRECTED),
    400: (Step.PROBE, Trouble.REJECTED),
    401: (Step.AUTHENTICATION, Trouble.UNAUTHORIZED),
    403: (Step.AUTHENTICATION, Trouble.FORBIDDEN),
    404: (Step.PROBE, Trouble.NOT_FOUND),
    405: (Step.PROBE, Trouble.METHOD_REFUSED),
    407: (Step.PROXY, Trouble.PROXY_LOGIN),
    409: (Step.PROBE, Trouble.CONFLICT),
    413: (Step.PROBE, Trouble.REJECTED),
    429: (Step.PROBE, Trouble.TOO_MANY),
    500: (Step.PROBE, Trouble.SERVER),
    503: (Step.PROBE, Trouble.SERVER),
}


def answering(
    tmp_path: Path, kind: str, answer: Callable[[Posted], Answer], **changed: Any
) -> Shown:
    """What is shown of an output over HTTP whose destination answers so."""
    with HttpReceiver() as server:
        server.answer = answer
        port = int(server.url.split(":")[2].partition("/")[0])
        return shown(tmp_path, kind, Site("127.0.0.1", port, "http"), **changed)


@pytest.mark.parametrize("status", STATUSES)
@each_http
def test_statuses(tmp_path: Path, kind: str, status: int) -> None:
    """Each status has its row; the step that it really was is named, and the probe not run."""
    entra = AzureServer()

    def answer(posted: Posted) -> Answer:
        return entra(posted) if "/oauth2/" in posted.path else Answer(status, (), echo(kind))

    found = answering(tmp_path, kind, answer)
    step, trouble = STATUSES[status]
    found.failed(step, trouble, str(status))
    last = [("probe", "failed")] if step is Step.PROBE else [(step, "failed"), ("probe", "not run")]
    assert found.steps()[-len(last) :] == last


@pytest.mark.parametrize("kind", ["http", "splunk_hec", "elasticsearch", "sumo_logic"])
def test_answer_never_comes(tmp_path: Path, kind: str) -> None:
    """A destination that takes the record and says nothing."""
    with HttpReceiver() as server:
        server.stalled.set()
        port = int(server.url.split(":")[2].partition("/")[0])
        to = Site("127.0.0.1", port, "http")
        found = shown(tmp_path, kind, to, timeout_in_seconds=0.2)
        server.stalled.clear()
    found.failed(Step.PROBE, Trouble.TIMED_OUT, "did not answer")


def test_splunk_token(tmp_path: Path) -> None:
    """Splunk's 403 says that the token is none of its own."""
    found = answering(tmp_path, "splunk_hec", HecServer())
    found.failed(Step.AUTHENTICATION, Trouble.FORBIDDEN, "answered 403, code 4")


@pytest.mark.parametrize(("code", "to_do"), [(7, "Check index: "), (14, "Switch on indexer ")])
def test_splunk_settings(tmp_path: Path, code: int, to_do: str) -> None:
    """A 400 that speaks of a setting names that setting."""
    found = answering(tmp_path, "splunk_hec", lambda _: told(code))
    found.failed(Step.PROBE, Trouble.SETTING, f"code {code}", found.advice)
    assert found.advice.startswith(to_do)


@pytest.mark.parametrize(
    ("status", "step", "trouble"),
    [
        (403, Step.AUTHENTICATION, Trouble.FORBIDDEN),
        (404, Step.PROBE, Trouble.NOT_FOUND),
        (429, Step.PROBE, Trouble.TOO_MANY),
        (400, Step.PROBE, Trouble.REJECTED),
    ],
)
def test_elasticsearch_documents(tmp_path: Path, status: int, step: Step, trouble: Trouble) -> None:
    """What the cluster says of the document counts, whatever the answer's own status."""
    cluster = BulkServer(authorization=f"ApiKey {CANARY}-token")
    cluster.judge = lambda _: (status, f"security_exception {CANARY}-token")
    found = answering(tmp_path, "elasticsearch", cluster)
    found.failed(step, trouble, f"answered {status} for ")


def test_sumo_url(tmp_path: Path) -> None:
    """Sumo Logic's 401 says that the URL is none of its own."""
    found = answering(tmp_path, "sumo_logic", SumoServer())
    found.failed(Step.AUTHENTICATION, Trouble.UNAUTHORIZED, "answered 401")
    assert "Copy the URL anew" in found.advice


def test_sentinel_without_token(tmp_path: Path) -> None:
    """Microsoft Entra refuses the secret, and its answer repeats it."""
    found = answering(tmp_path, "sentinel", AzureServer(), client_secret=f"{CANARY}-secret")
    found.failed(Step.AUTHENTICATION, Trouble.UNAUTHORIZED, "grants no token: ")
    assert "the secret's value, not its id" in found.advice


def test_sentinel_without_role(tmp_path: Path) -> None:
    """A token that may not write through the rule."""
    entra = AzureServer()

    def answer(posted: Posted) -> Answer:
        return entra(posted) if "/oauth2/" in posted.path else error(403, "OperationFailed")

    found = answering(tmp_path, "sentinel", answer)
    found.failed(Step.AUTHENTICATION, Trouble.FORBIDDEN, "OperationFailed was found")
    assert "role Monitoring Metrics Publisher" in found.advice
    assert "30 minutes" in found.advice


@pytest.mark.parametrize(
    ("changed", "seen", "to_do"),
    [
        ({"stream_name": "Custom-Other"}, "400: ", "Check stream_name: "),
        ({"rule_id": "dcr-1"}, "404: ", "Check rule_id: "),
    ],
    ids=["stream", "rule"],
)
def test_sentinel_settings(tmp_path: Path, changed: dict[str, str], seen: str, to_do: str) -> None:
    """A stream or a rule that Azure does not know is named by its setting."""
    found = answering(tmp_path, "sentinel", AzureServer(), **changed)
    found.failed(Step.PROBE, Trouble.SETTING, f"answered {seen}", found.advice)
    assert found.advice.startswith(to_do)


@pytest.mark.parametrize(
    ("code", "step", "trouble", "to_do"),
    [
        (
            KafkaError.TOPIC_AUTHORIZATION_FAILED,
            Step.AUTHENTICATION,
            Trouble.DENIED,
            "Allow the collector's user to WRITE and DESCRIBE the topic.",
        ),
        (
            KafkaError.UNKNOWN_TOPIC_OR_PART,
            Step.PROBE,
            Trouble.TIMED_OUT,
            "",
        ),
        (
            KafkaError.TOPIC_EXCEPTION,
            Step.PROBE,
            Trouble.TOPIC,
            "Correct topic: a broker does not take such a name.",
        ),
        (KafkaError.NOT_ENOUGH_REPLICAS, Step.PROBE, Trouble.TIMED_OUT, ""),
    ],
    ids=["no right", "no topic", "bad topic", "no replicas"],
)
def test_kafka_refuses(tmp_path: Path, code: int, step: Step, trouble: Trouble, to_do: str) -> None:
    """A topic that the user may not write to, that is not there, or that cannot confirm."""
    with KafkaBrokers() as brokers:
        brokers.refuse([code] * 100)
        # What may pass by itself is tried again for so long; the others are told at once.
        patience = 0.5 if trouble is Trouble.TIMED_OUT else 20.0
        host, _, port = brokers.servers.rpartition(":")
        found = shown(tmp_path, "kafka", Site(host, int(port), "http"), timeout_in_seconds=patience)
    found.failed(step, trouble, "Kafka: ", to_do)


BUCKET_ANSWERS = {
    "NoSuchBucket": (404, Step.PROBE, Trouble.BUCKET, ""),
    "AccessDenied": (403, Step.AUTHENTICATION, Trouble.DENIED, "Allow the credentials s3:Put"),
    "SignatureDoesNotMatch": (
        403,
        Step.AUTHENTICATION,
        Trouble.DENIED,
        "Check the output's credentials",
    ),
    "RequestTimeTooSkewed": (403, Step.AUTHENTICATION, Trouble.DENIED, "Set this machine's clock"),
    "SlowDown": (503, Step.PROBE, Trouble.TOO_MANY, ""),
}


@pytest.mark.parametrize("code", BUCKET_ANSWERS)
def test_s3_refuses(tmp_path: Path, code: str) -> None:
    """A bucket that is not there, or not ours; a wrong signature; a wrong clock."""
    status, step, trouble, to_do = BUCKET_ANSWERS[code]
    body = f"<Error><Code>{code}</Code><Message>{echo('s3').decode()}</Message></Error>".encode()
    found = answering(tmp_path, "s3", lambda _: Answer(status, (), body))
    found.failed(step, trouble, f"answered {status} {code}", found.advice)
    row = table(Side.DESTINATION, "s3")[trouble]
    assert found.advice.startswith(to_do or row.recommendation)


def test_file_below_a_file(tmp_path: Path) -> None:
    """A path that can be no folder."""
    (tmp_path / "taken").touch()
    found = Shown(tmp_path, "file", {"path": str(tmp_path / "taken" / "out")})
    found.failed(Step.FOLDER, Trouble.FOLDER, "taken is a file, not a folder")
    assert found.steps() == [("folder", "failed"), ("probe", "not run")]


def test_file_not_writable() -> None:
    """A folder of somebody else."""
    with somebody() as folder:
        (folder / "out").mkdir(0o500)
        found = Shown(folder, "file", {"path": str(folder / "out")})
    found.failed(Step.FOLDER, Trouble.FOLDER, f"may not write to {folder}/out")


@pytest.mark.parametrize(
    ("options", "trouble", "seen"),
    [
        ("ro", Trouble.READ_ONLY, "lies on a read-only file system"),
        ("size=1m", Trouble.DISK_FULL, "bytes left on its disk"),
    ],
    ids=["read-only", "full"],
)
def test_file_on_a_bad_disk(tmp_path: Path, options: str, trouble: Trouble, seen: str) -> None:
    """A file system that is mounted read-only, or has no room."""
    out = tmp_path / "out"
    out.mkdir()
    site = processes.Site(tmp_path, document(tmp_path))
    mounted = f'mount -t tmpfs -o {options} none {out} && exec "$@"'
    within = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounted, "sh"]
    if which("unshare") is None or subprocess.run([*within, "true"], check=False).returncode:
        pytest.skip("this machine lets no user mount a file system of its own")
    command = [*within, *site.command("test"), "files"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=processes.ROOT)
    row = table(Side.DESTINATION, "file")[trouble]
    assert done.returncode == 6
    assert seen in done.stdout
    assert f"({trouble}): {row.explanation}" in done.stdout
    assert f"recommendation: {row.recommendation}" in done.stdout
