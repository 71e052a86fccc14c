"""Kafka and S3 from a configuration: built, served, and asked for where the library is missing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.app.outputs import sender
from collector.logs import component_logger
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock
from tests.fakes.config import changed, settings
from tests.fakes.kafka_brokers import KafkaBrokers
from tests.fakes.s3_service import CREDENTIALS, bucket

LIBRARIES = {"aiokafka", "boto3", "botocore", "confluent_kafka", "pyarrow"}
LOG = component_logger("OutputProcess", "tests")
CONFIG = """
globals: {id: "4711", name: acme}
outputs:
  bus: {type: kafka, config: {bootstrap_servers: ["127.0.0.1:9093"]}}
  named: {type: kafka, config: {bootstrap_servers: ["127.0.0.1:9093"], tls: {server_name: kafka}}}
  lake: {type: s3, config: {bucket: acme-logs, format: parquet}}
  archive: {type: file, config: {path: out}}
inputs:
  pod:
    type: proofpoint_pod
    credentials: {cluster_id: acme_hosted, token: invented}
    services: {message: {}}
"""


@pytest.fixture
def brokers() -> Iterator[KafkaBrokers]:
    """A cluster."""
    with KafkaBrokers() as running:
        yield running


def delivered(kind: str, config: dict[str, Any]) -> list[bytes]:
    """What a sender made from these settings was given to deliver."""
    output = settings(changed("outputs.lake", {"type": kind, "config": config})).outputs["lake"]
    made = sender(output, ManualClock(FIRST), LOG)
    batch = batch_of(numbered(1, 10))
    made.rewind(None)
    made.send(batch)
    made.flush()
    made.close()
    return batch.lines()


def test_kafka_from_its_settings(brokers: KafkaBrokers) -> None:
    """What the configuration says reaches the brokers."""
    brokers.create("proofpoint")
    lines = delivered(
        "kafka",
        {"bootstrap_servers": [brokers.servers], "protocol": "tcp", "topic": "proofpoint"},
    )
    assert [message.value() for message in brokers.messages("proofpoint")] == lines


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
def test_s3_from_its_settings(form: str) -> None:
    """What the configuration says reaches the bucket."""
    records = bucket()
    lines = delivered(
        "s3",
        {
            "bucket": records.name,
            "format": form,
            "endpoint_url": records.settings.endpoint_url,
            "path_style": True,
            "region": "eu-central-1",
            "credentials": {
                "access_key_id": CREDENTIALS.access_key_id,
                "secret_access_key": CREDENTIALS.secret_access_key,
            },
        },
    )
    (name,) = records.names()
    assert name.startswith("proofpoint/casb.proofpoint.alert/dt=2026-01-01/hour=00/uid-1.")
    assert records.lines(name) == lines


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this code in a new Python."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_missing_libraries_are_asked_for(tmp_path: Path) -> None:
    """`collector check` names every missing library, and what brings it, before anything runs."""
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    code = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({sorted(LIBRARIES)!r}))\n"
        "from collector.cli import main\n"
        "sys.argv = ['collector', 'check', '--json', '--config', sys.argv[1]]\n"
        "main()\n"
    )
    done = python(code, str(config))
    assert done.returncode == 3, done.stderr
    for extra in ("kafka", "s3"):
        assert f"proofpoint-collector[{extra}]" in done.stdout


def test_what_one_name_for_all_brokers_needs(tmp_path: Path) -> None:
    """`collector check` names the library that `tls.server_name` needs, and only there."""
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    for library in ("aiokafka", "cramjam"):
        code = (
            "import sys\n"
            f"sys.modules[{library!r}] = None\n"
            "from collector.cli import main\n"
            "sys.argv = ['collector', 'check', '--json', '--config', sys.argv[1]]\n"
            "main()\n"
        )
        done = python(code, str(config))
        assert done.returncode == 3, done.stderr
        assert f"needs the library {library}" in done.stdout
        assert done.stdout.count("proofpoint-collector[kafka]") == 1


def test_libraries_stay_out_until_they_are_needed(tmp_path: Path) -> None:
    """A collector with these outputs configured and not yet served has imported none of them."""
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    code = (
        "import sys\n"
        "import collector.cli\n"
        "from pathlib import Path\n"
        "from collector.app.collector import Collector\n"
        "from collector.app.outputs import sender\n"
        "from collector.cli.chosen import settings\n"
        "from collector.clock import SystemClock\n"
        "from collector.logs import component_logger\n"
        "found = settings(Path(sys.argv[1]))\n"
        "log = component_logger('OutputProcess', 'tests')\n"
        "for name in sys.argv[2:]:\n"
        "    sender(found.outputs[name], SystemClock(), log)\n"
        f"print(sorted({LIBRARIES!r} & set(sys.modules)))\n"
    )
    assert python(code, str(config), "archive").stdout.strip() == "[]"
    assert python(code, str(config), "bus").stdout.strip() == "['confluent_kafka']"
    both = "['aiokafka', 'confluent_kafka']"
    assert python(code, str(config), "named").stdout.strip() == both
