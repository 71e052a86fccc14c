"""The settings: names, defaults, and what each of them refuses."""

import pytest
from pydantic import ValidationError

from collector.config.casb import CasbInput
from collector.config.outputs import DevoOutput, FileOutput
from collector.config.pod import PodInput
from tests.fakes.config import CASB, MINIMAL, POD, changed, only, problems, settings

MIB = 1024 * 1024
ALERTS = "inputs.casb.services.alerts"
MESSAGE = "inputs.pod.services.message"


def casb(document: dict[str, object]) -> CasbInput:
    """The CASB input of this document."""
    found = settings(document).inputs["casb"]
    assert isinstance(found, CasbInput)
    return found


def pod(document: dict[str, object]) -> PodInput:
    """The PoD input of this document."""
    found = settings(document).inputs["pod"]
    assert isinstance(found, PodInput)
    return found


def test_defaults_of_globals() -> None:
    """Everything but id and name has a default."""
    found = settings(MINIMAL).globals
    assert (found.id, found.name, found.debug, found.log_format) == ("4711", "acme", False, "text")
    assert str(found.persistence.config.directory_name) == "state"
    assert (found.batch.max_records, found.batch.max_seconds) == (1000, 5)
    assert (found.statistics_period_in_seconds, found.allow_plaintext) == (300, False)
    assert found.internal_tag == "devo.collectors.out"


def test_defaults_of_casb() -> None:
    """The defaults are those of docs/vendor-notes.md, CASB A8."""
    found = casb(MINIMAL)
    assert (found.auth.path, found.auth.body_format) == ("/v1/auth", "json")
    assert (found.auth.token_field, found.auth.header_prefix) == ("auth_token", "")
    assert found.auth.api_key_header == "x-api-key"
    assert found.auth.assumed_lifetime_in_seconds == 3600
    assert found.auth.refresh_margin_in_seconds == 60
    assert (found.rate.calls_per_day, found.rate.min_interval_in_seconds) == (1000, 3)
    assert found.rate.retry_statuses == (429, 500, 502, 503, 504)
    assert (found.rate.retry_base_in_seconds, found.rate.retry_cap_in_seconds) == (1, 300)
    assert (found.rate.retry_attempts, found.rate.honour_retry_after) == (8, True)


def test_defaults_of_casb_services() -> None:
    """Both services have the tags, paths and paging of docs/vendor-notes.md, CASB A8."""
    alerts, events = casb(MINIMAL).services.alerts, casb(MINIMAL).services.events
    assert alerts is not None
    assert events is not None
    assert (alerts.tag, events.tag) == ("casb.proofpoint.alert", "casb.proofpoint.event")
    assert (alerts.request_period_in_seconds, alerts.initial_start_time_in_utc) == (600, None)
    assert (alerts.page_field, alerts.first_page, alerts.page_size) == ("page", 0, 50)
    assert (alerts.max_window_in_hours, alerts.settle_delay_in_seconds) == (24, 60)
    assert alerts.max_pages_per_window == 200
    assert (alerts.flatten, alerts.flatten_index_field) == ("split", "related_events_index")
    assert (events.start_param, events.cursor_param) == ("startTime", "nextPage")
    assert events.flatten_count_field == "additionalProperties_count"
    assert events.max_pages_per_pull == 0


def test_defaults_of_pod() -> None:
    """The defaults are those of docs/vendor-notes.md, PoD 8; audit may be silent for ever."""
    services = pod(changed("inputs.pod.services", {"message": {}, "audit": {}})).services
    message, audit = services.message, services.audit
    assert message is not None
    assert audit is not None
    assert services.maillog is None
    assert (message.mode, message.archive_delay_in_seconds) == ("hybrid", 3600)
    assert message.retention_in_hours == 29 * 24 + 22
    assert (message.max_message_bytes, message.compression) == (64 * MIB, True)
    assert (message.idle_limit_in_seconds, audit.idle_limit_in_seconds) == (600, 0)
    assert message.session_taken_limit_in_seconds == 360
    assert (message.tag, audit.tag) == ("mail.proofpoint.pod.message", "mail.proofpoint.pod.audit")


def test_defaults_of_an_output() -> None:
    """A file output rotates at 256 MiB or a day, and syncs."""
    found = settings(MINIMAL).outputs["archive"]
    assert isinstance(found, FileOutput)
    assert (found.config.max_bytes, found.config.rotate_every_in_hours) == (256 * MIB, 24)
    assert (found.config.compression, found.config.fsync, found.internal) == ("none", True, True)
    assert found.max_retry_wait_in_seconds == 60


@pytest.mark.parametrize(
    ("region", "suffix"), [("us", "-us1"), ("eu", ""), ("au", "-au1"), ("stg", "-stg")]
)
def test_region(region: str, suffix: str) -> None:
    """A region gives the hosts; events live on another one than alerts."""
    assert casb(changed("inputs.casb.region", region)).bases() == {
        "auth": f"https://api{suffix}.protect.proofpoint.com",
        "alerts": f"https://api{suffix}.protect.proofpoint.com",
        "events": f"https://api-siem{suffix}.protect.proofpoint.com",
    }


def test_endpoints_override_hosts() -> None:
    """Each host can be overridden alone."""
    bases = casb(changed("inputs.casb.endpoints.events", "https://siem.example.com:8443/")).bases()
    assert bases["events"] == "https://siem.example.com:8443"
    assert bases["auth"] == "https://api-us1.protect.proofpoint.com"


def test_type_defaults_to_the_name() -> None:
    """An input named like a type needs no type; its problems have the right path."""
    entry = {"credentials": POD, "services": {"audit": {}}}
    named = {**entry, "credentials": {**POD, "token": "x"}}
    assert problems(changed("inputs.proofpoint_pod", named)) == ()
    broken = changed("inputs", {"proofpoint_pod": {**entry, "credentials": {"token": "x"}}})
    assert only(broken).path == "inputs.proofpoint_pod.credentials.cluster_id"


def test_type_is_needed_otherwise() -> None:
    """Another name tells nothing about the type."""
    problem = only(changed("inputs", {"x": {"credentials": POD, "services": {"audit": {}}}}))
    assert (problem.path, "type" in problem.fix) == ("inputs.x.type", True)


def test_unknown_type_names_the_known_ones() -> None:
    """Devo's own name for its output leads to ours."""
    problem = only(changed("outputs.siem", {"type": "devo_platform", "config": {}}))
    assert problem.path == "outputs.siem.type"
    assert "'devo'" in problem.fix


def test_outputs_of_an_input() -> None:
    """An input feeds the outputs that it names, by default all."""
    document = changed("outputs.screen", {"type": "console"})
    document["inputs"]["casb"]["outputs"] = ["screen"]
    found = settings(document)
    assert (found.outputs_of("casb"), found.outputs_of("pod")) == (
        ("screen",),
        ("archive", "screen"),
    )


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("globals.id", 4711, "must be text"),
        ("globals.id", "", "empty"),
        ("globals.name", "ac me", "letters"),
        ("globals.name", "a" * 65, "letters"),
        ("globals.debug", "yes", "true or false"),
        ("globals.debug", 1, "true or false"),
        ("globals.log_format", "xml", "must be 'text' or 'json'"),
        ("globals.persistence", {"type": "filesystem"}, "must be 'sqlite'"),
        ("globals.persistence", "state", "hold settings"),
        ("globals.batch.max_records", "10", "whole number"),
        ("inputs.casb.services.events.list_field", 'con"tent', "quote"),
        ("inputs.casb.services.events.list_field", "con\\tent", "backslash"),
        ("globals.batch.max_records", 10.0, "whole number"),
        ("globals.batch.max_records", True, "whole number"),
        ("globals.batch.max_records", 0, "at least 1"),
        ("globals.batch.max_seconds", 0, "more than 0"),
        ("globals.batch.max_seconds", "5", "a number"),
        ("globals.batch.max_seconds", float("nan"), ""),
        ("globals.batch.max_seconds", float("inf"), "at most"),
        ("globals.multiprocessing", True, "is no setting here"),
        ("globals.persistence.config.directory_name", " ", "empty"),
        ("outputs", {}, "must not be empty"),
        ("outputs", [], "hold settings"),
        ("outputs.a b", {"type": "console"}, "is no name"),
        ("outputs.archive.config.path", 5, "path"),
        ("outputs.archive.config.max_bytes", 1, "at least"),
        ("outputs.archive.config", [], "hold settings"),
        ("inputs", {}, "must not be empty"),
        ("inputs.casb.region", "uk", "must be"),
        ("inputs.casb.outputs", "archive", "list"),
        ("inputs.casb.outputs", [], "must not be empty"),
        ("inputs.casb.services", {}, "names no service"),
        ("inputs.casb.services.alarms", {}, "is no setting"),
        ("inputs.casb.auth.path", "v1/auth", "URL path"),
        ("inputs.casb.auth.api_key_header", "x api key", "header name"),
        ("inputs.casb.auth.refresh_margin_in_seconds", 3600, "not below"),
        ("inputs.casb.rate.retry_statuses", [429, 99], "at least 100"),
        ("inputs.casb.rate.retry_base_in_seconds", 400, "below"),
        ("inputs.casb.credentials.api_key", "", "empty"),
        ("inputs.casb.credentials.api_key", 12345, "must be text"),
        ("inputs.casb.credentials.api_key", "two\nlines", "control characters"),
        ("inputs.casb.credentials.api_key", "ünï", "ASCII"),
        (f"{ALERTS}.flatten", "pivot", "key and value"),
        (f"{ALERTS}.flatten_index_field", "related_events_count", "the same"),
        (f"{ALERTS}.tag", "Casb/../x", "is no tag"),
        (f"{ALERTS}.tag", "..", "is no tag"),
        ("inputs.pod.endpoint", "https://logstream.proofpoint.com/v1/stream", "wss://"),
        ("inputs.pod.endpoint", "wss://example.com/v1/stream?cid=x", "query"),
        (f"{MESSAGE}.mode", "batch", "must be"),
        (f"{MESSAGE}.flatten", "split", "is no setting"),
    ],
)
def test_refused(path: str, value: object, reason: str) -> None:
    """Each nonsense is one problem, with a reason and a fix; nothing is converted."""
    problem = only(changed(path, value))
    assert reason in problem.reason
    assert problem.reason
    assert problem.fix


def test_a_refused_entry_does_not_make_its_list_empty() -> None:
    """A list whose entries are at fault is told by them alone."""
    assert only(changed("inputs.casb.outputs", ["nowhere"])).path == "inputs.casb.outputs[0]"


def test_bounds_are_told_in_full() -> None:
    """A large bound is written as the operator must write it."""
    problem = only(changed("globals.spool.max_bytes", 0))
    assert problem.reason == "must be at least 1048576"


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        ("2026-01-01", "no UTC time"),
        ("2026-01-01T00:00:00", "no UTC time"),
        ("2026-01-01T00:00:00+01:00", "no UTC time"),
        ("2026-02-30T00:00:00Z", "no date"),
        ("1969-12-31T00:00:00Z", "before 1970"),
        ("2026-06-01T00:00:01Z", "in the future (it is now 2026-06-01T00:00:00Z)"),
    ],
)
def test_start_time_refused(start: str, reason: str) -> None:
    """A start is a UTC time of the calendar, not in the future."""
    problem = only(changed(f"{ALERTS}.initial_start_time_in_utc", start))
    assert (problem.path, problem.value) == (f"{ALERTS}.initial_start_time_in_utc", repr(start))
    assert reason in problem.reason


@pytest.mark.parametrize("start", ["2026-06-01T00:00:00Z", "2026-01-01T00:00:00.123456Z"])
def test_start_time_stays_text(start: str) -> None:
    """A good start comes out as it was written."""
    alerts = casb(changed(f"{ALERTS}.initial_start_time_in_utc", start)).services.alerts
    assert alerts is not None
    assert alerts.initial_start_time_in_utc == start


def test_events_may_pivot() -> None:
    """Pivot is refused for alerts only."""
    assert problems(changed("inputs.casb.services.events.flatten", "pivot")) == ()


LAKE = "outputs.lake"


def lake(**config: object) -> dict[str, object]:
    """An HTTP output with these settings."""
    return {"type": "http", "config": {"url": "https://lake.example.com/in?key=1", **config}}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/x",
        "http://localhost/x",
        "http://[::1]:8080",
        "https://lake.example.com",
    ],
)
def test_url_taken(url: str) -> None:
    """TLS goes anywhere, plaintext stays on this machine."""
    assert problems(changed(LAKE, lake(url=url))) == ()
    assert problems(changed("inputs.casb.endpoints.auth", url.removesuffix("/x"))) == ()


@pytest.mark.parametrize(
    "url",
    [
        "http://lake.example.com/x",
        "http://192.0.2.1/x",
        "http://127.0.0.1.example.com/x",
        "http://localhost.example.com/x",
        "ftp://lake.example.com",
        "lake.example.com",
        "https://",
        "https://lake.example.com:99999/",
        "https://user:s3cret@lake.example.com/",
        "https://lake.example.com/#s3cret",
        "https://lake.example.com/a\nb",
        "https://[::1",
    ],
)
def test_url_refused(url: str) -> None:
    """No message about a URL repeats it."""
    for document in (
        changed(LAKE, lake(url=url)),
        changed("inputs.casb.endpoints.auth", url.removesuffix("/x")),
    ):
        assert only(document).value is None
        assert "s3cret" not in str(only(document))


def test_plaintext_by_choice() -> None:
    """``allow_plaintext`` opens plain URLs, for HTTP and for WebSocket."""
    document = changed("inputs.casb.endpoints.auth", "http://casb.example.com")
    document["inputs"]["pod"]["endpoint"] = "ws://pod.example.com/v1/stream"
    assert [problem.path for problem in problems(document)] == [
        "inputs.casb.endpoints.auth",
        "inputs.pod.endpoint",
    ]
    document["globals"]["allow_plaintext"] = True
    assert problems(document) == ()


def test_endpoint_is_a_host() -> None:
    """A path in an endpoint would be doubled by the path setting."""
    problem = only(changed("inputs.casb.endpoints.auth", "https://example.com/v1/auth"))
    assert "path" in problem.reason


def test_devo_needs_its_certificates() -> None:
    """SSL without certificates would send unchecked; a plain relay needs none."""
    siem = {"type": "devo", "config": {"address": "collector-eu.devo.io"}}
    assert "chain, cert and key" in only(changed("outputs.siem", siem)).reason
    files = {"chain": "c.crt", "cert": "a.crt", "key": "a.key", "key_password": "s3cret"}
    siem = {"type": "devo", "config": {"address": "collector-eu.devo.io", **files}}
    found = settings(changed("outputs.siem", siem)).outputs["siem"]
    assert isinstance(found, DevoOutput)
    assert (found.config.port, found.config.confirm.interval_in_seconds) == (443, 30)
    relay = {"type": "devo", "config": {"address": "192.0.2.7", "type": "TCP"}}
    assert problems(changed("outputs.relay", relay)) == ()


@pytest.mark.parametrize("address", ["https://syslog.example.com", "host:514", "", "a b", "-a"])
def test_address_refused(address: str) -> None:
    """An address is a host alone."""
    relay = {"type": "syslog", "config": {"address": address}}
    assert only(changed("outputs.relay", relay)).path == "outputs.relay.config.address"


@pytest.mark.parametrize("address", ["127.0.0.1", "2001:db8::1", "syslog.example.com", "relay"])
def test_address_taken(address: str) -> None:
    """Names and addresses of both kinds are hosts."""
    relay = {"type": "syslog", "config": {"address": address}}
    assert problems(changed("outputs.relay", relay)) == ()


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"protocol": "udp"}, "must be"),
        ({"facility": 24}, "at most 23"),
        ({"severity": -1}, "at least 0"),
        ({"port": 65536}, "at most 65535"),
        ({"hostname": "two words"}, "blanks"),
        ({"app_name": "a" * 49}, "too long"),
        ({"cert": "a.crt"}, "cert and key"),
        ({"confirm": {"policy": "trust"}}, "must be"),
    ],
)
def test_syslog_refused(config: dict[str, object], reason: str) -> None:
    """Syslog's own limits hold."""
    relay = {"type": "syslog", "config": {"address": "192.0.2.7", **config}}
    assert reason in only(changed("outputs.relay", relay)).reason


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"headers": {"Bad Name": "x"}}, "headers.Bad Name"),
        ({"headers": {"X": "a\r\nInjected: b"}}, "headers.X"),
        ({"headers": {"X": ["a"]}}, "headers.X"),
        ({"status_actions": {"700": "retry"}}, "status_actions.700"),
        ({"status_actions": {"409": "ignore"}}, "status_actions.409"),
        ({"compression": "br"}, "compression"),
        ({"key": "a.key"}, ""),
    ],
)
def test_http_refused(config: dict[str, object], path: str) -> None:
    """Problems inside named tables point at the entry."""
    problem = only(changed(LAKE, lake(**config)))
    assert problem.path == f"outputs.lake.config.{path}".rstrip(".")


def test_settings_are_frozen() -> None:
    """Nothing changes after loading."""
    with pytest.raises(ValidationError):
        settings(MINIMAL).globals.debug = True


def test_credentials_are_all_required() -> None:
    """Each missing secret is a problem of its own."""
    found = problems(changed("inputs.casb.credentials", {"api_key": CASB["api_key"]}))
    assert {problem.path for problem in found} == {
        "inputs.casb.credentials.client_id",
        "inputs.casb.credentials.client_secret",
    }
