"""A section's own rules are told together with what is wrong with its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fakes.config import changed, problems


def paths(document: dict[str, Any]) -> list[str]:
    """Where something is wrong."""
    return [each.path for each in problems(document)]


def devo(**config: object) -> dict[str, Any]:
    """A configuration with a Devo output."""
    return changed("outputs.siem", {"type": "devo", "config": config})


def test_beside_a_setting_that_is_wrong() -> None:
    """The port says nothing about the files that are missing."""
    assert paths(devo(address="eu.example.com", port="443")) == [
        "outputs.siem.config",
        "outputs.siem.config.port",
    ]


def test_beside_a_setting_that_is_missing_or_unknown() -> None:
    """Nor do the address, or a name that is none."""
    assert paths(devo(adress="eu.example.com")) == [
        "outputs.siem.config",
        "outputs.siem.config.address",
        "outputs.siem.config.adress",
    ]


def test_about_a_setting_that_is_wrong() -> None:
    """Nothing is said of a pair of which one is there, and wrong: it may be right once mended."""
    document = changed("inputs.pod.tls", {"cert": "a.crt", "key": 5})
    assert paths(document) == ["inputs.pod.tls.key"]
    assert paths(devo(type=5, address="eu.example.com")) == ["outputs.siem.config.type"]


def test_all_rules_of_a_section() -> None:
    """Not only the first that refuses."""
    stream = {"deduplicate": True, "request_period_in_seconds": 5.0, "framing": {}}
    document = changed(
        "inputs.feed",
        {"type": "websocket", "uri": "wss://a.example.com", "services": {"stream": stream}},
    )
    reasons = [each.reason for each in problems(document)]
    assert len(reasons) == 2
    assert "means nothing for a stream" in reasons[0]
    assert "needs time_field" in reasons[1]


def test_at_every_level() -> None:
    """A rule of the section around one that is wrong, as far as it reads other settings."""
    document = changed("inputs.pod.proxy", {"username": "acme", "url": "http://proxy.example.com"})
    document["inputs"]["pod"]["credentials"] = {"cluster_id": "acme_hosted"}
    document["inputs"]["casb"]["services"] = {}
    assert paths(document) == [
        "inputs.casb.services",
        "inputs.pod.credentials.token",
        "inputs.pod.proxy",
    ]


def test_one_folder_under_two_names(tmp_path: Path) -> None:
    """Also where one of them leads over a link."""
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "out")
    document = changed("outputs.archive.config.path", str(tmp_path / "out"))
    for path in (tmp_path / "link", tmp_path / "other" / ".." / "out"):
        document["outputs"]["second"] = {"type": "file", "config": {"path": str(path)}}
        assert paths(document) == ["outputs.second.config.path"]
    document["outputs"]["second"]["config"]["path"] = str(tmp_path / "other")
    assert not problems(document)


def test_the_collectors_own_tag_is_its_own() -> None:
    """No enabled service has it, not even by its default, or by what is filled into it."""
    taken = changed("globals.internal_tag", "mail.proofpoint.pod.message")
    assert paths(taken) == ["globals.internal_tag"]
    filled = changed("inputs.pod.services.message.tag", "devo.{input}.out")
    filled["globals"]["internal_tag"] = "devo.pod.out"
    assert paths(filled) == ["globals.internal_tag"]
    assert paths(changed("inputs.pod.services.message.tag", "devo.collectors.out")) == [
        "globals.internal_tag"
    ]


def test_the_tag_of_what_is_not_collected() -> None:
    """A service, or an input, that is not enabled writes nothing."""
    document = changed("globals.internal_tag", "casb.proofpoint.alert")
    document["inputs"]["casb"]["services"]["alerts"]["enabled"] = False
    assert not problems(document)
    document["inputs"]["casb"]["services"]["alerts"]["enabled"] = True
    document["inputs"]["casb"]["enabled"] = False
    assert not problems(document)
