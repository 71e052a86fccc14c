"""What goes with records besides their content, and how destinations are told."""

from typing import Any

import pytest

from collector.app.metadata import metadata_of
from collector.core.metadata import Metadata, described, siem_fields, sumo_headers
from tests.fakes.config import changed, only, settings

SAID: dict[str, Any] = {
    "description": "Mail of Acmé",
    "tags": ["prod", "mail"],
    "tenant": "acme",
    "category": "prod/email/pod",
    "fields": {"region": "eu", "cost_centre": "12"},
}


def pod(service: dict[str, Any], **said: Any) -> Metadata:
    """The metadata of PoD messages, as said of the input and of the service."""
    document = changed("inputs.pod.services.message", service)
    document["inputs"]["pod"].update(said)
    found = settings(document)
    message = found.inputs["pod"].services.message  # type: ignore[union-attr]
    assert message is not None
    return metadata_of(found, "pod", "message", message)


def test_what_is_said_of_an_input() -> None:
    """A service has what is said of its input, under the names of the settings."""
    assert described(pod({}, **SAID)) == SAID


def test_nothing_is_said() -> None:
    """Without settings there is nothing in a record, and a name alone for Sumo Logic."""
    assert described(pod({})) == {}
    assert sumo_headers(pod({})) == {"X-Sumo-Name": "pod"}


def test_a_service_says_otherwise() -> None:
    """What is said of a service counts for it; its fields are laid over the input's."""
    own = {"tags": [], "tenant": "beta", "fields": {"region": "us"}}
    assert described(pod(own, **SAID)) == {
        "description": SAID["description"],
        "tenant": "beta",
        "category": SAID["category"],
        "fields": {"region": "us", "cost_centre": "12"},
    }


def test_forward_to_siem() -> None:
    """The fields that Sumo Logic's page names; a service can stay out, a field be corrected."""
    fields = {
        "_siemForward": "true",
        "_siemVendor": "Proofpoint",
        "_siemProduct": "POD",
        "_siemFormat": "JSON",
        "_siemEventID": "MESSAGE",
    }
    assert described(pod({}, forward_to_siem=True)) == {"fields": fields}
    assert described(pod({"forward_to_siem": False}, forward_to_siem=True)) == {}
    corrected = pod({}, forward_to_siem=True, fields={"_siemEventID": "maillog"})
    assert corrected.fields == fields | {"_siemEventID": "maillog"}
    assert siem_fields("CASB", "alerts")["_siemEventID"] == "ALERTS"


def test_sumo_headers() -> None:
    """Category and fields are headers, the tenant is a field; all of it fits into a header."""
    headers = sumo_headers(pod({}, **SAID))
    assert headers == {
        "X-Sumo-Name": "pod",
        "X-Sumo-Category": "prod/email/pod",
        "X-Sumo-Fields": "tenant=acme,region=eu,cost_centre=12",
    }
    assert "".join(headers.values()).isascii()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("description", "two\nlines"),
        ("tenant", "Acmé"),
        ("tenant", ""),
        ("category", "a,b"),
        ("category", "x" * 129),
        ("fields", {"a": "b=c"}),
        ("fields", {"a": "b,c"}),
        ("fields", {"a": "x\r\nX-Evil: 1"}),
        ("fields", {"a": " b"}),
        ("fields", {"a b": "c"}),
        ("fields", {"ключ": "c"}),
        ("fields", {f"f{n}": "x" for n in range(31)}),
    ],
)
def test_what_no_header_could_carry_is_refused(name: str, value: Any) -> None:
    """Nothing goes into the configuration that would break a header on its way out."""
    assert only(changed(f"inputs.pod.{name}", value)).path.startswith(f"inputs.pod.{name}")


@pytest.mark.parametrize("name", ["pöd", "п", "a b", "x" * 65, "名前"])
def test_names_have_no_multibyte_characters(name: str) -> None:
    """An input's name is letters, digits, - and _, at most 64."""
    document = changed("inputs.pod", changed("x", 1)["inputs"]["pod"])
    document["inputs"][name] = {**document["inputs"].pop("pod"), "type": "proofpoint_pod"}
    assert "is no name" in only(document).reason


def test_tags_hold_the_tenant() -> None:
    """Placeholders of a tag are filled in small letters; a tenant that is missing is a mistake."""
    tag = "my.app.{tenant}.{input}"
    document = changed("inputs.pod.services.message.tag", tag)
    assert "is no tag" in only(document).reason
    document["inputs"]["pod"]["tenant"] = "Acme-EU"
    message = settings(document).inputs["pod"].services.message  # type: ignore[union-attr]
    assert message is not None
    assert message.tag == "my.app.acme-eu.pod"
    document["inputs"]["pod"]["tenant"] = "Acme EU"
    assert "is no tag" in only(document).reason
