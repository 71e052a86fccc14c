"""The collector's configurations for the benchmark, and its command."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.certificate import HOST
from bench.context import Context
from bench.generator import cluster_id
from bench.servers import Server

Document = dict[str, Any]

_INVENTED = "invented"


def syslog(sink: Server) -> Document:
    """A syslog output over TLS, with every default.

    Only the metrics of the collector itself stay away: the sink counts records.
    """
    config = {"address": HOST, "port": sink.port, "ca": str(sink.certificate.ca)}
    return {"type": "syslog", "internal": False, "config": config}


def devo(sink: Server) -> Document:
    """A Devo output over TLS, with every default."""
    files = sink.certificate
    config = {
        "address": HOST,
        "port": sink.port,
        "chain": str(files.ca),
        "cert": str(files.cert),
        "key": str(files.key),
    }
    return {"type": "devo", "internal": False, "config": config}


def http(sink: Server) -> Document:
    """An HTTP output over TLS, with every default."""
    config = {"url": f"https://{HOST}:{sink.port}/ingest", "ca": str(sink.certificate.ca)}
    return {"type": "http", "internal": False, "config": config}


def splunk_hec(server: Server) -> Document:
    """Splunk's event collector, with every default."""
    return _service(server, "splunk_hec", url=_base(server), token=_INVENTED)


def elasticsearch(server: Server) -> Document:
    """Elasticsearch, with every default."""
    return _service(server, "elasticsearch", url=_base(server), index="bench", api_key=_INVENTED)


def sumo_logic(server: Server) -> Document:
    """Sumo Logic, with every default."""
    return _service(server, "sumo_logic", url=f"{_base(server)}/receiver/v1/http/invented")


def sentinel(server: Server) -> Document:
    """Azure's log ingestion, with every default."""
    return _service(
        server,
        "sentinel",
        endpoint=_base(server),
        authority=_base(server),
        rule_id="dcr-0123456789abcdef0123456789abcdef",
        stream_name="Custom-Bench",
        tenant_id="11111111-2222-3333-4444-555555555555",
        client_id="66666666-7777-8888-9999-000000000000",
        client_secret=_INVENTED,
    )


def s3(server: Server) -> Document:
    """Objects of NDJSON, with every default."""
    keys = {"access_key_id": "invented", "secret_access_key": "invented"}
    place = {"endpoint_url": _base(server), "path_style": True, "region": "eu-central-1"}
    return _service(server, "s3", bucket="bench", credentials=keys, **place)


def kafka(server: Server) -> Document:
    """Kafka, with every default but TLS, which the broker of the benchmark does not speak."""
    place = server.told("/kafka")["place"]
    config = {"bootstrap_servers": [place], "protocol": "tcp"}
    return {"type": "kafka", "internal": False, "config": config}


def _base(server: Server) -> str:
    return f"https://{HOST}:{server.port}"


def _service(server: Server, kind: str, **config: Any) -> Document:
    files = {"ca": str(server.certificate.ca)}
    return {"type": kind, "internal": False, "config": config | files}


def files(folder: Path) -> Document:
    """A file output, with every default."""
    return {"type": "file", "internal": False, "config": {"path": str(folder)}}


def pod_input(
    vendor: Server, hour: int, records: int, *, mode: str = "hybrid", tenant: int = 0
) -> Document:
    """An input whose message service is given so many records of an hour (since 1970)."""
    service = {"mode": mode, "initial_start_time_in_utc": spelled(hour)}
    return {
        "type": "proofpoint_pod",
        "endpoint": f"wss://{HOST}:{vendor.port}/v1/stream",
        "tls": {"ca": str(vendor.certificate.ca)},
        "credentials": {"cluster_id": cluster_id(hour, records), "token": f"token-{tenant}"},
        "services": {"message": service},
    }


def with_all_services(pod: Document) -> Document:
    """The input with its three services, all set as ``message`` is."""
    services = dict.fromkeys(("message", "maillog", "audit"), pod["services"]["message"])
    return pod | {"services": services}


def casb_input(vendor: Server, name: str, hour: int, period: float) -> Document:
    """An input of both CASB services that never waits to be allowed a call."""
    base = f"https://{HOST}:{vendor.port}"
    service = {"request_period_in_seconds": period, "initial_start_time_in_utc": spelled(hour)}
    return {
        "type": "proofpoint_casb",
        "endpoints": dict.fromkeys(("auth", "alerts", "events"), base),
        "tls": {"ca": str(vendor.certificate.ca)},
        "credentials": {"api_key": name, "client_id": "invented", "client_secret": "invented"},
        "rate": {"calls_per_day": 0, "min_interval_in_seconds": 0},
        "services": {"alerts": service, "events": service},
    }


def document(folder: Path, inputs: Document, output: Document) -> Document:
    """A configuration with its state in the folder."""
    return {
        "globals": {
            "id": "1",
            "name": "bench",
            "persistence": {"config": {"directory_name": str(folder / "state")}},
        },
        "outputs": {"out": output},
        "inputs": inputs,
    }


def command(context: Context, folder: Path, found: Document, *options: str) -> list[str]:
    """``collector run`` with this configuration, which is written into the folder."""
    path = folder / "config.yaml"
    path.write_text(json.dumps(found), encoding="utf-8")  # JSON is YAML
    return [context.product.command, "run", "--config", str(path), *options]


def spelled(hour: int) -> str:
    """An hour since 1970 as configurations and requests have it, UTC."""
    return datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
